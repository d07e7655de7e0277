package io.steeprepl.it.remote;

import static io.steeprepl.it.remote.ParityCase.refused;
import static io.steeprepl.it.remote.ParityCase.works;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReinitApi.Choice;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkProgress;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;

/** The methods of {@link io.steeprepl.api.ReinitApi}. */
final class ReinitCases {
    private static final Choice ITEM = new Choice(List.of(QualifiedName.parse("public.item")), null);
    private static final Choice NOWHERE = new Choice(List.of(QualifiedName.parse("\"No\".where")), null);

    private ReinitCases() {}

    static List<ParityCase> all() {
        return List.of(
                works("reinit.check", (node, _) -> node.reinit().check("b", ITEM)),
                works("reinit.check", (node, _) -> node.reinit().check("nobody", NOWHERE)),
                works("reinit.check", (node, _) -> node.reinit().check("b", new Choice(List.of(), "odd"))),
                refused("reinit.start", (node, _) -> node.reinit().start("b", NOWHERE)),
                works("reinit.start", (node, _) -> takenAnew(node)).but(ParityCase.TIME, "id=\\d+"),
                works("reinit.running", (node, _) -> node.reinit().running()),
                works("reinit.progress", (node, _) -> node.reinit().progress(999)),
                works("reinit.list", (node, _) -> node.reinit().list()),
                refused("reinit.cancel", (node, _) -> node.reinit().cancel(999)));
    }

    private static WorkProgress takenAnew(SteepRepl node) {
        long id = node.reinit().start("b", ITEM);
        return Awaitility.await("the take-over")
                .atMost(Duration.ofSeconds(60))
                .until(
                        () -> node.reinit().progress(id).orElseThrow(),
                        progress -> progress.state().ended());
    }
}

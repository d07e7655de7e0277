package io.steeprepl.it.remote;

import static io.steeprepl.it.remote.ParityCase.refused;
import static io.steeprepl.it.remote.ParityCase.works;

import io.steeprepl.api.QualifiedName;
import java.util.List;

/** The methods of {@link io.steeprepl.api.SchemaApi}. */
final class SchemaCases {
    private static final QualifiedName EXTRA = QualifiedName.parse("extra");
    private static final QualifiedName ODD = QualifiedName.parse("public.\"Wait\"");
    private static final QualifiedName NOWHERE = QualifiedName.parse("nowhere");

    private SchemaCases() {}

    static List<ParityCase> all() {
        String alone = "host=127.0.0.1 port=1 password=Canary7 connect_timeout=2";
        return List.of(
                works("schemas.fingerprint", (node, _) -> node.schemas().fingerprint(ODD)),
                refused("schemas.fingerprint", (node, _) -> node.schemas().fingerprint(NOWHERE)),
                works("schemas.capture", (node, _) -> node.schemas().capture()),
                works("schemas.compare", (node, _) -> node.schemas().compare("b"))
                        .after("ALTER TABLE extra ALTER v SET DEFAULT 'x'"),
                refused("schemas.compare", (node, _) -> node.schemas().compare("nobody")),
                refused("schemas.compare", (node, _) -> node.schemas().compare(alone)),
                works("schemas.diff", (node, _) -> node.schemas().diff("b", null))
                        .after("ALTER TABLE extra ALTER v SET DEFAULT 'x'"),
                works("schemas.diff", (node, _) -> node.schemas().diff("b", EXTRA))
                        .after("ALTER TABLE extra ALTER v SET DEFAULT 'x'"),
                refused("schemas.diff", (node, _) -> node.schemas().diff("b", NOWHERE)),
                works("schemas.definitions", (node, _) -> node.schemas().definitions(null)),
                works("schemas.definitions", (node, _) -> node.schemas().definitions(ODD)));
    }
}

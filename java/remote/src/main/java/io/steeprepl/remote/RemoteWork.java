package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.Work;
import io.steeprepl.api.WorkApi;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.remote.Operation.Numbered;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@link WorkApi} over a line. */
record RemoteWork(Line line) implements WorkApi {
    static final Noun NOUN = new Noun("work");

    /** Nothing is heard over a line. */
    private static final Duration PAUSE = Duration.ofMillis(300);

    private record Limited(int limit) {}

    private record Perhaps(@Nullable Long id) {}

    private static final Operation<Limited, List<Work>> LIST = NOUN.reading(
            "list",
            Limited.class,
            Map.of("limit", 50),
            new TypeReference<>() {},
            (node, in) -> node.work().list(in.limit));

    private static final Operation<Perhaps, List<WorkProgress>> PROGRESS = NOUN.reading(
            "progress",
            Perhaps.class,
            new TypeReference<>() {},
            (node, in) -> node.work().progress(in.id));

    private static final Operation<Numbered, String> CANCEL = NOUN.changing(
            "cancel",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.work().cancel(in.id()));

    private static final Operation<Numbered, @Nullable Void> RETRY =
            NOUN.action("retry", Numbered.class, (node, in) -> node.work().retry(in.id()));

    @Override
    public List<Work> list(int limit) {
        return line.call(LIST, new Limited(limit));
    }

    @Override
    public List<WorkProgress> progress(@Nullable Long id) {
        return line.call(PROGRESS, new Perhaps(id));
    }

    @Override
    public String cancel(long id) {
        return line.call(CANCEL, new Numbered(id));
    }

    @Override
    public void retry(long id) {
        line.call(RETRY, new Numbered(id));
    }

    @Override
    public void await(Duration longest) {
        try {
            Thread.sleep(longest.compareTo(PAUSE) < 0 ? longest : PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException.Cancelled("interrupted while waiting", e);
        }
    }
}

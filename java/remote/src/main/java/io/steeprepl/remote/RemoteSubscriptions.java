package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.SubscriptionApi;
import io.steeprepl.api.SubscriptionStatus;
import io.steeprepl.remote.Operation.None;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** {@link SubscriptionApi} over a line. */
record RemoteSubscriptions(Line line) implements SubscriptionApi {
    static final Noun NOUN = new Noun("subscriptions");

    private record Peer(String peer) {}

    private record NewLink(String peer, @Nullable String conninfo, boolean copyData) {}

    private static final Operation<None, List<SubscriptionStatus>> LIST = NOUN.reading(
            "list", new TypeReference<>() {}, node -> node.subscriptions().list());

    private static final Operation<NewLink, @Nullable Void> ADD = NOUN.action(
            "add", NewLink.class, (node, in) -> node.subscriptions().add(in.peer, in.conninfo, in.copyData));

    private static final Operation<Peer, @Nullable Void> REMOVE = ofPeer("remove", SubscriptionApi::remove);
    private static final Operation<Peer, @Nullable Void> PAUSE = ofPeer("pause", SubscriptionApi::pause);
    private static final Operation<Peer, @Nullable Void> RESUME = ofPeer("resume", SubscriptionApi::resume);

    private static Operation<Peer, @Nullable Void> ofPeer(String verb, BiConsumer<SubscriptionApi, String> act) {
        return NOUN.action(verb, Peer.class, (node, in) -> act.accept(node.subscriptions(), in.peer));
    }

    @Override
    public List<SubscriptionStatus> list() {
        return line.call(LIST);
    }

    @Override
    public void add(String peer, @Nullable String conninfo, boolean copyData) {
        line.call(ADD, new NewLink(peer, conninfo, copyData));
    }

    @Override
    public void remove(String peer) {
        line.call(REMOVE, new Peer(peer));
    }

    @Override
    public void pause(String peer) {
        line.call(PAUSE, new Peer(peer));
    }

    @Override
    public void resume(String peer) {
        line.call(RESUME, new Peer(peer));
    }
}

package io.steeprepl.remote.grpc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Timestamp;
import io.steeprepl.api.ApiException;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.Errors;
import io.steeprepl.remote.grpc.v1.CallReply;
import io.steeprepl.remote.grpc.v1.CallRequest;
import io.steeprepl.remote.grpc.v1.Error;
import io.steeprepl.remote.grpc.v1.HealthReply;
import io.steeprepl.remote.grpc.v1.PostgreSql;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Messages to values and back. */
public final class Mapper {
    private Mapper() {}

    static CallRequest request(String method, ObjectNode params) {
        return CallRequest.newBuilder()
                .setMethod(method)
                .setParams(Codec.write(params))
                .build();
    }

    /** The result, or the error thrown. */
    static JsonNode result(CallReply reply) {
        if (reply.hasError()) {
            Error error = reply.getError();
            throw Errors.of(
                    error.getCode(),
                    error.getMessage(),
                    error.hasDetail() ? error.getDetail() : null,
                    error.hasHint() ? error.getHint() : null,
                    error.hasSqlstate() ? error.getSqlstate() : null);
        }
        return Codec.parse(reply.getResult());
    }

    /** The parameters of a call. Throws {@link ApiException.Usage}. */
    public static JsonNode params(CallRequest request) {
        return request.getParams().isEmpty() ? Codec.object() : Codec.parse(request.getParams());
    }

    /** The answer that carries a result. */
    public static CallReply reply(JsonNode result) {
        return CallReply.newBuilder().setResult(Codec.write(result)).build();
    }

    /** The answer that carries an error. */
    public static CallReply reply(ApiException error) {
        var message = Error.newBuilder().setCode(Errors.code(error)).setMessage(error.message());
        set(error.detail(), message::setDetail);
        set(error.hint(), message::setHint);
        set(error.sqlState(), message::setSqlstate);
        return CallReply.newBuilder().setError(message).build();
    }

    private static void set(@Nullable String value, java.util.function.Consumer<String> setter) {
        if (value != null) {
            setter.accept(value);
        }
    }

    static PeerHealth health(HealthReply reply) {
        PostgreSql database = reply.getPostgresql();
        Timestamp started = reply.getStartedAt();
        return new PeerHealth(
                reply.getNodeId(),
                reply.getVersion(),
                database.getConnected(),
                database.getServerVersion(),
                database.getError(),
                Instant.ofEpochSecond(started.getSeconds(), started.getNanos()));
    }

    /** The answer that says how a node is. */
    public static HealthReply reply(PeerHealth health) {
        return HealthReply.newBuilder()
                .setNodeId(health.nodeId())
                .setVersion(health.version())
                .setPostgresql(PostgreSql.newBuilder()
                        .setConnected(health.connected())
                        .setServerVersion(health.serverVersion())
                        .setError(health.error()))
                .setStartedAt(timestamp(health.startedAt()))
                .build();
    }

    private static Timestamp timestamp(Instant at) {
        return Timestamp.newBuilder()
                .setSeconds(at.getEpochSecond())
                .setNanos(at.getNano())
                .build();
    }
}

/**
 * A daemon on another machine, by gRPC: the asking end, and what both ends share. The types that protobuf generates stay
 * here and in the daemon's package of the same name.
 *
 * <p>Belongs here: channels, certificates of this side, the mapping of messages. Does not: what the methods mean.
 */
@NullMarked
package io.steeprepl.remote.grpc;

import org.jspecify.annotations.NullMarked;

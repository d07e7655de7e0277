/**
 * The port for other nodes and for {@code --remote}: who may connect, and the answers of gRPC's services. Generated types
 * of protobuf do not leave this package.
 *
 * <p>Belongs here: TLS, who is let in, the mapping of calls. Does not: what the methods mean, watching of peers.
 */
@NullMarked
package io.steeprepl.daemon.grpc;

import org.jspecify.annotations.NullMarked;

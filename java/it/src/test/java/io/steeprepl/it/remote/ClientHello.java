package io.steeprepl.it.remote;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The first message of TLS 1.3, as no library sends it: with whatever text as the name of the server. */
final class ClientHello {
    private static final int RECORD = 16_000;

    private ClientHello() {}

    /** All bytes of it. */
    static byte[] naming(String server) {
        byte[] name = server.getBytes(StandardCharsets.UTF_8);
        byte[] extensions = all(
                extension(0, sized(2, all(new byte[] {0}, sized(2, name)))),
                // supported_versions: 1.3; supported_groups: x25519; signature_algorithms: ecdsa_secp256r1_sha256
                extension(43, new byte[] {2, 3, 4}),
                extension(10, new byte[] {0, 2, 0, 29}),
                extension(13, new byte[] {0, 2, 4, 3}));
        byte[] body = all(
                new byte[] {3, 3},
                new byte[32],
                new byte[] {0},
                sized(2, new byte[] {0x13, 1}),
                new byte[] {1, 0},
                sized(2, extensions));
        byte[] message = all(new byte[] {1}, sized(3, body));
        var records = new ByteArrayOutputStream();
        for (int at = 0; at < message.length; at += RECORD) {
            byte[] part = Arrays.copyOfRange(message, at, Math.min(message.length, at + RECORD));
            records.writeBytes(all(new byte[] {0x16, 3, 1}, sized(2, part)));
        }
        return records.toByteArray();
    }

    private static byte[] extension(int type, byte[] value) {
        return all(new byte[] {(byte) (type >> 8), (byte) type}, sized(2, value));
    }

    /** With its length before it, in so many bytes. */
    private static byte[] sized(int bytes, byte[] value) {
        byte[] length = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            length[i] = (byte) (value.length >> (8 * (bytes - 1 - i)));
        }
        return all(length, value);
    }

    private static byte[] all(byte[]... parts) {
        var whole = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            whole.writeBytes(part);
        }
        return whole.toByteArray();
    }
}

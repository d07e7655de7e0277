package io.steeprepl.remote.windows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;

/**
 * The SID of a service's own account, {@code NT SERVICE\\NAME}, which follows from its name: S-1-5-80 and the SHA-1 of the name in
 * upper case (MS-DTYP 2.4.2.4, and {@code sc.exe showsid NAME}).
 */
public final class ServiceSid {
    private ServiceSid() {}

    /** Of the service of that name. */
    public static String of(String name) {
        try {
            ByteBuffer digest = ByteBuffer.wrap(MessageDigest.getInstance("SHA-1")
                            .digest(name.toUpperCase(Locale.ROOT).getBytes(StandardCharsets.UTF_16LE)))
                    .order(ByteOrder.LITTLE_ENDIAN);
            var sid = new StringBuilder("S-1-5-80");
            while (digest.hasRemaining()) {
                sid.append('-').append(Integer.toUnsignedString(digest.getInt()));
            }
            return sid.toString();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-1", e);
        }
    }
}

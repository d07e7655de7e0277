package io.steeprepl.daemon.grpc;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;

/** Whether two keys are a pair: TLS itself would say so only when somebody connects. */
final class KeyPairs {
    private static final byte[] WORDS = {1, 2, 3, 4, 5, 6, 7, 8};

    private KeyPairs() {}

    /** Throws when they are not. */
    static void check(PublicKey known, PrivateKey secret) throws GeneralSecurityException {
        String method = switch (secret.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> secret.getAlgorithm();
        };
        Signature signature = Signature.getInstance(method);
        signature.initSign(secret);
        signature.update(WORDS);
        byte[] signed = signature.sign();
        signature.initVerify(known);
        signature.update(WORDS);
        if (!signature.verify(signed)) {
            throw new InvalidKeyException("the key does not belong to the certificate");
        }
    }
}

package io.steeprepl.cli.tls;

import java.math.BigInteger;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority: what it signs is believed by whoever has its certificate. */
public record Authority(X509Certificate certificate, PrivateKey key) {
    /** Clocks differ a little. */
    private static final Duration EARLIER = Duration.ofMinutes(5);

    /** A certificate and its key. */
    public record Issued(X509Certificate certificate, PrivateKey key) {}

    /** A new one, valid for so long. */
    public static Authority create(String name, Duration validity) throws GeneralSecurityException {
        KeyPair pair = keys();
        Instant now = Instant.now();
        X500Name self = named(name);
        try {
            var builder = new JcaX509v3CertificateBuilder(
                    self,
                    serial(),
                    Date.from(now.minus(EARLIER)),
                    Date.from(now.plus(validity)),
                    self,
                    pair.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(pair.getPublic()));
            return new Authority(signed(builder, pair.getPrivate()), pair.getPrivate());
        } catch (CertIOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** A certificate for a node, from now on. */
    public Issued issue(String name, List<String> hosts, Duration validity) throws GeneralSecurityException {
        Instant now = Instant.now();
        return issue(name, hosts, now.minus(EARLIER), now.plus(validity));
    }

    /** A certificate for both ends of a connection. */
    public Issued issue(String name, List<String> hosts, Instant from, Instant until) throws GeneralSecurityException {
        KeyPair pair = keys();
        var helper = new JcaX509ExtensionUtils();
        try {
            // As it stands in the certificate: a principal made from text may encode it in another way.
            X500Name issuer =
                    X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
            var builder = new JcaX509v3CertificateBuilder(
                    issuer, serial(), Date.from(from), Date.from(until), named(name), pair.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
            }));
            builder.addExtension(Extension.subjectAlternativeName, false, names(name, hosts));
            builder.addExtension(
                    Extension.subjectKeyIdentifier, false, helper.createSubjectKeyIdentifier(pair.getPublic()));
            builder.addExtension(
                    Extension.authorityKeyIdentifier, false, helper.createAuthorityKeyIdentifier(certificate));
            return new Issued(signed(builder, key), pair.getPrivate());
        } catch (CertIOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** Its name, where it is reached, and this machine, for programs beside it. */
    private static GeneralNames names(String name, List<String> hosts) {
        List<String> all = new ArrayList<>(List.of(name));
        hosts.stream().filter(host -> !all.contains(host)).forEach(all::add);
        List.of("localhost", "127.0.0.1", "::1").stream()
                .filter(host -> !all.contains(host))
                .forEach(all::add);
        return new GeneralNames(all.stream()
                .map(one -> new GeneralName(address(one) ? GeneralName.iPAddress : GeneralName.dNSName, one))
                .toArray(GeneralName[]::new));
    }

    private static boolean address(String host) {
        try {
            InetAddress.ofLiteral(host);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static X500Name named(String name) {
        return new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, name).build();
    }

    private static X509Certificate signed(JcaX509v3CertificateBuilder builder, PrivateKey key)
            throws GeneralSecurityException {
        try {
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key)));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private static KeyPair keys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static BigInteger serial() {
        return new BigInteger(127, new SecureRandom()).setBit(126);
    }
}

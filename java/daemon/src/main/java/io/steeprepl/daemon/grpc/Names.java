package io.steeprepl.daemon.grpc;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/** What a certificate calls its owner: the common name, and its DNS names. */
final class Names {
    private static final Integer DNS = 2;

    private Names() {}

    static Set<String> of(X509Certificate certificate) {
        Set<String> names = new LinkedHashSet<>();
        try {
            for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
                if (part.getType().equalsIgnoreCase("CN") && part.getValue() instanceof String name) {
                    names.add(name);
                }
            }
            Collection<List<?>> others = certificate.getSubjectAlternativeNames();
            for (List<?> other : others == null ? List.<List<?>>of() : others) {
                if (DNS.equals(other.get(0)) && other.get(1) instanceof String name) {
                    names.add(name);
                }
            }
        } catch (InvalidNameException | CertificateParsingException e) {
            // Then it is called nothing, and lets nobody in.
            return Set.of();
        }
        return names;
    }
}

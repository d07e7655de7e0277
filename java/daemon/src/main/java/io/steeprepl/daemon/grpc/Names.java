package io.steeprepl.daemon.grpc;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * Whom a certificate stands for: its common name, and nothing else. Its DNS names say where a server is reached; the same one may
 * stand in the certificates of many, as localhost does, and may be what some other node is called.
 */
final class Names {
    private Names() {}

    /** Empty when it has no common name, or several: then it stands for nobody. */
    static Optional<String> of(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        try {
            for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
                Attribute common = part.toAttributes().get("CN");
                for (int i = 0; common != null && i < common.size(); i++) {
                    names.add(String.valueOf(common.get(i)));
                }
            }
        } catch (NamingException e) {
            return Optional.empty();
        }
        return names.size() == 1 ? Optional.of(names.getFirst()) : Optional.empty();
    }
}

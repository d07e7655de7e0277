package io.steeprepl.daemon.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Event;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.direct.WatcherEvent;
import java.net.InetSocketAddress;
import java.security.cert.CertificateExpiredException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

/** Who is refused decides neither how much is written nor how much memory it takes. */
class RefusalLogTest {
    private Instant now = Instant.EPOCH;
    private final AuditTrail audit = new AuditTrail();
    private final Events events = new Events();
    private final List<Event> told = new ArrayList<>();
    private final RefusalLog log = new RefusalLog(events, audit, new Clock() {
        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
            return this;
        }
    });

    private List<WatcherEvent> entries() {
        List<WatcherEvent> entries = new ArrayList<>();
        audit.flush(entries::add, Duration.ofMinutes(1));
        return entries;
    }

    @Test
    void textsOfStrangersMakeNoNewReasons() {
        events.listen(told::add);
        for (int i = 0; i < 1000; i++) {
            String sent = i + "\u0000\n" + "s".repeat(30_000);
            log.refused(
                    "192.0.2.1",
                    HandshakeWatch.reason(
                            new SSLHandshakeException("outer").initCause(new SSLHandshakeException(sent))));
        }
        assertThat(told).hasSize(1);
        List<WatcherEvent> entries = entries();
        assertThat(entries).hasSize(1);
        assertThat(entries.getFirst().error())
                .startsWith("the TLS handshake failed: 0??sss")
                .hasSizeLessThan(210);
    }

    @Test
    void anotherAddressAndAnotherReasonAreSaidAndTheSameAgainAfterAWhile() {
        Reason expired = HandshakeWatch.reason(new CertificateExpiredException("yesterday"));
        Reason plain = new Reason("plaintext", "it does not speak TLS");
        log.refused("192.0.2.1", expired);
        log.refused("192.0.2.1", plain);
        log.refused("192.0.2.1", plain);
        log.refused("192.0.2.2", plain);
        assertThat(entries()).hasSize(3);
        now = now.plusSeconds(59);
        log.refused("192.0.2.2", plain);
        assertThat(entries()).isEmpty();
        now = now.plusSeconds(2);
        log.refused("192.0.2.2", plain);
        assertThat(entries()).hasSize(1);
    }

    @Test
    void manyAddressesShareOneBudget() {
        for (int i = 0; i < 5000; i++) {
            log.refused("2001:db8::" + Integer.toHexString(i), new Reason("plaintext", "no TLS"));
        }
        assertThat(entries()).hasSize(RefusalLog.MOST);
    }

    @Test
    void whatIsNoAddressIsNoneInTheAuditLog() {
        new Refusals(log).add(InetSocketAddress.createUnresolved("unknown", 0), new Reason("x", "y"));
        log.refused("fe80::1%eth0", new Reason("x", "y"));
        List<WatcherEvent> entries = entries();
        assertThat(entries.get(0).clientIp()).isNull();
        assertThat(entries.get(1).clientIp()).isEqualTo("fe80:0:0:0:0:0:0:1");
    }
}

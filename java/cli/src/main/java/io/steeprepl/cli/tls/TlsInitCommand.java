package io.steeprepl.cli.tls;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.tls.CertificateFolder.NodeFiles;
import io.steeprepl.config.ConfigPath;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tls init}. */
@Command(
        name = "init",
        description = {
            "Makes a certificate for each node, and the authority (CA) that signs them where there is none yet.",
            "Each node gets a folder below --dir with all that its daemon needs. Keep ca-key.pem to yourself: whoever",
            "has it can make certificates. Run it again with the same --dir for further nodes."
        },
        footer = {
            "  steep-repl tls init --dir certs berlin=berlin.example.org paris=paris.example.org,10.0.0.2",
            "  scp -r certs/paris paris:.config/steep/certs",
            "  steep-repl tls init --dir certs alice     # for --remote; add alice to repl.grpc.allow"
        })
final class TlsInitCommand extends Action {
    private static final List<Column<NodeFiles>> COLUMNS = List.of(
            Column.of("name", NodeFiles::name),
            Column.of("cert_file", NodeFiles::certificate),
            Column.of("key_file", NodeFiles::key),
            Column.of("ca_file", NodeFiles::ca),
            Column.of("expires_at", NodeFiles::expires));

    @Parameters(
            paramLabel = "NODE[=HOST,…]",
            arity = "1..*",
            description = "A node id, and the names and addresses at which others reach its daemon.")
    private List<String> nodes = List.of();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "The folder. Default: certs beside the configuration file.")
    private @Nullable Path dir;

    @Option(names = "--days", paramLabel = "N", description = "How long they are valid. Default: ${DEFAULT-VALUE}.")
    private int days = 825;

    @Option(names = "--force", description = "Replace certificates of these nodes that are there. Not the CA's.")
    private boolean force;

    @Override
    protected ExitCode run(Output out) {
        List<Owner> owners = nodes.stream().map(Owner::parse).toList();
        if (days < 1 || days > 36_500) {
            throw new ApiException.Usage("--days %d is not between 1 and 36500".formatted(days), "--days 825");
        }
        Path beside =
                ConfigPath.ofProcess(configOption()).path().toAbsolutePath().resolveSibling("certs");
        var folder = new CertificateFolder(dir == null ? beside : dir);
        if (!force) {
            folder.check(owners);
        }
        boolean known = folder.hasAuthority();
        List<NodeFiles> made = new ArrayList<>();
        try {
            Authority authority = folder.authority();
            for (Owner owner : owners) {
                made.add(folder.issue(authority, owner, Duration.ofDays(days), force));
            }
        } catch (IOException | GeneralSecurityException e) {
            throw new ApiException.Failed(
                    null, "the certificates could not be made in " + folder.dir(), e.toString(), null, e);
        }
        print(folder, known, made, out);
        return ExitCode.OK;
    }

    private static void print(CertificateFolder folder, boolean known, List<NodeFiles> made, Output out) {
        if (out.json()) {
            Map<String, @Nullable Object> document = new LinkedHashMap<>();
            document.put("dir", folder.dir().toString());
            document.put("ca_created", !known);
            document.put(
                    "certificates",
                    made.stream().map(files -> Column.object(COLUMNS, files)).toList());
            out.done("", document);
            return;
        }
        out.list(COLUMNS, made, "");
        out.note(
                known
                        ? "Signed with the CA that was there."
                        : "Made a CA; keep " + folder.dir().resolve("ca-key.pem") + " to yourself.");
        out.note(
                "Copy each node's folder to its machine, for instance as ~/.config/steep/certs, and name the files in config.yaml:");
        out.note("""
                repl:
                  grpc:
                    tls:
                      cert_file: ~/.config/steep/certs/node-cert.pem
                      key_file: ~/.config/steep/certs/node-key.pem
                      ca_file: ~/.config/steep/certs/ca-cert.pem""");
    }
}

package io.steeprepl.daemon.service;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The unit file of a daemon. */
public final class SystemdUnit {
    private static final String ALWAYS = """
            NoNewPrivileges=yes
            UMask=0077
            LockPersonality=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
            SystemCallArchitectures=native
            """;

    /** Needs rights that a user's own systemd does not have. No MemoryDenyWriteExecute: Java writes its code itself. */
    private static final String SYSTEM = """
            CapabilityBoundingSet=
            ProtectSystem=strict
            ProtectHome=read-only
            PrivateDevices=yes
            ProtectClock=yes
            ProtectControlGroups=yes
            ProtectHostname=yes
            ProtectKernelLogs=yes
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            RestrictNamespaces=yes
            """;

    private SystemdUnit() {}

    /** The file's name. */
    public static String name(Program program) {
        return program.unit() + ".service";
    }

    /** Where it belongs. */
    public static Path place(Program program) {
        Path folder = program.system()
                ? Path.of("/etc/systemd/system")
                : program.home().resolve(".config/systemd/user");
        return folder.resolve(name(program));
    }

    /** The file. */
    public static String text(Program program) {
        var text = new StringBuilder();
        text.append(
                "[Unit]\nDescription=steep-repl, the daemon beside a PostgreSQL node (%s)\n".formatted(program.name()));
        if (program.system()) {
            text.append("Wants=network-online.target\nAfter=network-online.target postgresql.service\n");
            if (!program.places().needs().isEmpty()) {
                text.append("RequiresMountsFor=%s\n"
                        .formatted(paths(program.places().needs())));
            }
        }
        // However long the database is away, it is tried again.
        text.append("StartLimitIntervalSec=0\n\n[Service]\nType=notify\nNotifyAccess=main\n");
        text.append("ExecStart=%s\n"
                .formatted(program.command().stream().map(SystemdUnit::quoted).collect(Collectors.joining(" "))));
        text.append("ExecReload=/bin/kill -HUP $MAINPID\n");
        if (program.system()) {
            program.account().ifPresent(account -> text.append("User=%s\n".formatted(account)));
        }
        text.append("Restart=always\nRestartSec=2\n");
        // A wrong configuration does not mend itself.
        text.append("RestartPreventExitStatus=2\nWatchdogSec=30\nTimeoutStartSec=60\nTimeoutStopSec=60\n");
        text.append(ALWAYS);
        if (program.system()) {
            text.append(SYSTEM)
                    .append("ReadWritePaths=%s\n"
                            .formatted(paths(program.places().writes())));
            // Kept at the end: daemons may share it.
            program.places()
                    .runtime()
                    .ifPresent(folder -> text.append(
                            "RuntimeDirectory=%s\nRuntimeDirectoryPreserve=yes\n".formatted(paths(List.of(folder)))));
        }
        text.append("\n[Install]\nWantedBy=%s\n".formatted(program.system() ? "multi-user.target" : "default.target"));
        return text.toString();
    }

    /** No variables there, so that a dollar stands for itself. */
    private static String paths(List<Path> paths) {
        return paths.stream()
                .map(path -> quoted(path.toString()).replace("$$", "$"))
                .collect(Collectors.joining(" "));
    }

    /** As a unit file wants words: nothing in them is a specifier, a variable, or the end of the word. */
    static String quoted(String word) {
        String safe = word.replace("\\", "\\\\")
                .replace("\"", "\\\"")
                .replace("%", "%%")
                .replace("$", "$$");
        boolean plain = word.matches("[A-Za-z0-9_@+=:,./-]+");
        return plain ? word : "\"" + safe + "\"";
    }
}

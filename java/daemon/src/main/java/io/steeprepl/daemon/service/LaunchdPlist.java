package io.steeprepl.daemon.service;

import java.nio.file.Path;

/** The property list of a daemon for macOS. */
public final class LaunchdPlist {
    private LaunchdPlist() {}

    /** What launchd calls it. */
    public static String label(Program program) {
        return "io.steeprepl." + program.unit();
    }

    /** Where it belongs. */
    public static Path place(Program program) {
        Path folder = program.system()
                ? Path.of("/Library/LaunchDaemons")
                : program.home().resolve("Library/LaunchAgents");
        return folder.resolve(label(program) + ".plist");
    }

    /** The file. */
    public static String text(Program program) {
        var text = new StringBuilder("""
                <?xml version="1.0" encoding="UTF-8"?>
                <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
                <plist version="1.0">
                <dict>
                """);
        string(text, "Label", label(program));
        text.append("  <key>ProgramArguments</key>\n  <array>\n");
        program.command().forEach(word -> text.append("    <string>%s</string>\n".formatted(escaped(word))));
        text.append("  </array>\n");
        if (program.system()) {
            program.account().ifPresent(account -> string(text, "UserName", account));
        }
        text.append("""
                  <key>RunAtLoad</key>
                  <true/>
                  <key>KeepAlive</key>
                  <true/>
                  <key>ThrottleInterval</key>
                  <integer>5</integer>
                  <key>ExitTimeOut</key>
                  <integer>60</integer>
                  <key>Umask</key>
                  <integer>63</integer>
                """);
        string(text, "ProcessType", "Background");
        Path logs = program.system() ? Path.of("/Library/Logs") : program.home().resolve("Library/Logs");
        string(text, "StandardOutPath", logs.resolve(program.unit() + ".log").toString());
        string(text, "StandardErrorPath", logs.resolve(program.unit() + ".log").toString());
        return text.append("</dict>\n</plist>\n").toString();
    }

    private static void string(StringBuilder text, String key, String value) {
        text.append("  <key>%s</key>\n  <string>%s</string>\n".formatted(key, escaped(value)));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}

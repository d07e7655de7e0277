package io.steeprepl.daemon;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.repl.IpcSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.connection.Surroundings;
import io.steeprepl.remote.ipc.Account;
import io.steeprepl.remote.windows.PipeName;
import io.steeprepl.remote.windows.ThisSystem;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon is started with, beside what its file says.
 *
 * @param config the file; it need not exist when it is the usual one
 * @param name tells several daemons of one machine apart
 * @param connection the database, instead of the one in the file
 */
public record Launch(
        ConfigPath config, String name, @Nullable String connection, Surroundings around) {
    /** The name of a daemon that was given none. */
    public static final String DEFAULT_NAME = "steep-repl";

    private static final Pattern NAMED_LOCK = Pattern.compile("(" + DEFAULT_NAME + "-[A-Za-z0-9_-]{1,64})\\.lock");

    /** The socket on which it listens, as its file says, or else the usual one of its name. */
    public Path socket(IpcSettings settings) {
        return settings.path().orElseGet(() -> RunFolder.socket(unit(name)));
    }

    /**
     * The same for those who look for the daemon. What is wrong in the file is for others to say: it runs with what the file said
     * when it started.
     */
    public Path socket() {
        return socket(ipc());
    }

    /**
     * The sockets of daemons that this may mean: that of {@link #socket()}; where there is none, and the file names none, those of
     * this account's daemons that have other names.
     */
    public List<Path> sockets() {
        IpcSettings settings = ipc();
        Path own = socket(settings);
        if (PipeName.of(own).map(PipeName::exists).orElseGet(() -> Files.exists(own))) {
            return List.of(own);
        }
        if (settings.path().isPresent()) {
            return List.of();
        }
        return ThisSystem.isWindows() ? pipes(RunFolder.here()) : named(RunFolder.here());
    }

    /** Pipes are found by the locks of those who serve them. */
    private static List<Path> pipes(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> NAMED_LOCK.matcher(String.valueOf(file.getFileName())))
                    .filter(Matcher::matches)
                    .flatMap(named -> PipeName.of(PipeName.FOLDER + named.group(1)).stream())
                    .filter(PipeName::exists)
                    .map(pipe -> Path.of(pipe.text()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    static List<Path> named(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Launch::isOwnSocket).sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static boolean isOwnSocket(Path path) {
        try {
            return String.valueOf(path.getFileName()).matches(DEFAULT_NAME + "-[A-Za-z0-9_-]{1,64}\\.sock")
                    && Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                            .isOther()
                    && Account.isOwn(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS))
                    && answers(path);
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** One that was killed leaves its socket there. */
    private static boolean answers(Path path) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return probe.connect(UnixDomainSocketAddress.of(path));
        }
    }

    private IpcSettings ipc() {
        Document document = Files.exists(config.path()) ? Document.read(config) : Document.read(config, "");
        return ReplSettings.read(document, around).ipc();
    }

    /** Where it says that it runs. */
    public Path lock() {
        return RunFolder.here().resolve(unit(name) + ".lock");
    }

    /** Where daemons of this machine have their locks. */
    public static Path folder() {
        return RunFolder.here();
    }

    /** What its service, its files and its lines in the system's logs go by. */
    public static String unit(String name) {
        return name.equals(DEFAULT_NAME) ? name : DEFAULT_NAME + "-" + name;
    }
}

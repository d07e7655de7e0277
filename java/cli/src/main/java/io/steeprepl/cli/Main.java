package io.steeprepl.cli;

import io.steeprepl.cli.output.ErrorText;
import io.steeprepl.direct.connection.Secrets;
import io.steeprepl.remote.Codec;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program. */
public final class Main {
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        Interrupt.watch();
        prepare(args);
        int code = quick(args).execute(args);
        Interrupt.finished();
        end(code);
    }

    /** What an answer of a daemon is read with takes as long to load as all the rest: better beside it than after it. */
    private static void prepare(String... args) {
        if (Stream.of(args).anyMatch(word -> word.startsWith("--remote"))) {
            Thread.ofPlatform().daemon().name("prepare").start(Codec::prepare);
        }
    }

    /**
     * Not by {@link System#exit}, which looks through all jars for somebody who logs it: a third of a short command. Nothing
     * is left to be done at the end.
     */
    static void end(int code) {
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(code);
    }

    /** The whole command line, ready to run. */
    public static CommandLine commandLine() {
        return commandLine(TopCommands.all());
    }

    /**
     * What these arguments need of it: all that picocli reads of the other commands takes longer than most commands do.
     * What they do not fit is left to the whole.
     */
    static CommandLine quick(String... args) {
        CommandLine line = commandLine(TopCommands.named(args));
        line.setParameterExceptionHandler((error, all) -> error.getCommandLine().getParent() == null
                ? commandLine().setOut(line.getOut()).setErr(line.getErr()).execute(all)
                : misused(error));
        return line;
    }

    private static CommandLine commandLine(Collection<Class<?>> commands) {
        var root = new RootCommand();
        var line = new CommandLine(root);
        commands.forEach(line::addSubcommand);
        remote(line, root);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((error, command, parsed) -> failed(error, command));
        line.setParameterExceptionHandler((error, args) -> misused(error));
        describe(line);
        return line;
    }

    /** Like an option of scope INHERIT, but for commands that call something else so: there it stands before the command. */
    private static void remote(CommandLine line, RootCommand root) {
        OptionSpec own = line.getCommandSpec().findOption("--remote");
        for (CommandLine command : line.getSubcommands().values()) {
            CommandSpec spec = command.getCommandSpec();
            if (spec.findOption("--remote") == null) {
                spec.addOption(OptionSpec.builder("--remote")
                        .paramLabel(own.paramLabel())
                        .type(String.class)
                        .arity("1")
                        .description(own.description())
                        .setter(new Remote(root))
                        .build());
            }
            remote(command, root);
        }
    }

    private record Remote(RootCommand root) implements ISetter {
        @Override
        public <T> @Nullable T set(@Nullable T value) {
            // Null is how picocli begins.
            if (value instanceof String named) {
                root.remote = named;
            }
            return value;
        }
    }

    private static void describe(CommandLine line) {
        var usage = line.getCommandSpec().usageMessage();
        usage.exitCodeListHeading("%nExit codes:%n");
        usage.exitCodeList(ExitCode.list());
        usage.footerHeading("%nExample:%n");
        usage.width(100);
        line.getSubcommands().values().forEach(Main::describe);
    }

    private static int failed(Exception error, CommandLine command) {
        RootCommand root = (RootCommand) command.getCommandSpec().root().userObject();
        PrintWriter err = command.getErr();
        err.print(ErrorText.of(error));
        if (root.verbose) {
            error.printStackTrace(err);
        }
        err.flush();
        return error instanceof io.steeprepl.api.ApiException e ? ExitCode.of(e).code() : ExitCode.FAILED.code();
    }

    private static int misused(ParameterException error) {
        CommandLine command = error.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("error: " + Secrets.mask(String.valueOf(error.getMessage())));
        boolean unknown = error instanceof UnmatchedArgumentException;
        if (!UnmatchedArgumentException.printSuggestions(error, err)) {
            // Not the whole help, but where a command is missing: what is wrong would scroll away.
            err.print(
                    unknown || command.getSubcommands().isEmpty()
                            ? new Help(command.getCommandSpec(), Help.defaultColorScheme(Ansi.OFF)).fullSynopsis()
                            : command.getUsageMessage(Ansi.OFF));
        }
        boolean early =
                unknown && command.getParent() == null && ((UnmatchedArgumentException) error).isUnknownOption();
        err.println("hint: %s%s --help"
                .formatted(
                        early ? "options that not every command has stand after the command; " : "",
                        command.getCommandSpec().qualifiedName()));
        err.flush();
        return ExitCode.USAGE.code();
    }
}

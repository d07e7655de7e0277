package io.steeprepl.cli;

import io.steeprepl.cli.output.ErrorText;
import io.steeprepl.direct.connection.Secrets;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;

/** The program. */
public final class Main {
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        Interrupt.watch();
        int code = commandLine().execute(args);
        Interrupt.finished();
        System.exit(code);
    }

    /** The whole command line, ready to run. */
    public static CommandLine commandLine() {
        var line = new CommandLine(new RootCommand());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((error, command, parsed) -> failed(error, command));
        line.setParameterExceptionHandler((error, args) -> misused(error));
        describe(line);
        return line;
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
        if (!CommandLine.UnmatchedArgumentException.printSuggestions(error, err)) {
            command.usage(err, Ansi.OFF);
        }
        err.println("hint: " + command.getCommandSpec().qualifiedName() + " --help");
        err.flush();
        return ExitCode.USAGE.code();
    }
}

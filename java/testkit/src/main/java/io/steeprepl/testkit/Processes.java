package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Running helper programs to their end. */
final class Processes {
    private static final long SECONDS = 120;

    private Processes() {}

    /** How a program ended, and what it printed on both streams. */
    record Result(int code, String output) {}

    static Result run(List<String> command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
            Process process = builder.start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return new Result(-1, output + "\nkilled after " + SECONDS + " s");
            }
            return new Result(process.exitValue(), output.strip());
        } catch (IOException e) {
            return new Result(-1, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(-1, "interrupted");
        }
    }

    /** Whether it runs; one that has ended and that nobody has collected yet does not. */
    static boolean alive(ProcessHandle process) {
        if (!process.isAlive()) {
            return false;
        }
        try {
            // "1234 (name, may hold anything) Z ...": the state follows the last parenthesis.
            String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"), StandardCharsets.ISO_8859_1);
            return !stat.substring(stat.lastIndexOf(')') + 1).strip().startsWith("Z");
        } catch (IOException e) {
            return process.isAlive();
        }
    }

    /** Where it works, where the system tells. */
    static Optional<Path> workingFolder(ProcessHandle process) {
        try {
            return Optional.of(Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/cwd")));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Whether a process works in that folder; one that has just been started, and that nobody knows of yet, counts too. */
    static boolean anyIn(Path folder) {
        return ProcessHandle.allProcesses()
                .anyMatch(
                        process -> workingFolder(process).filter(folder::equals).isPresent() && alive(process));
    }

    /** What a program prints, empty when it fails or does not exist. */
    static String output(List<String> command) {
        Result result = run(command);
        return result.code() == 0 ? result.output() : "";
    }
}

package io.steeprepl.cli.service;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;

/** What is done to a service of this machine: options that mean something else are refused, not passed over. */
abstract class ServiceAction extends Action {
    /** Does it. */
    protected abstract ExitCode act(Output out);

    @Override
    protected final ExitCode run(Output out) {
        if (hasRemoteOption()) {
            throw new ApiException.Usage(
                    "--remote names a daemon to ask, and %s is for the service of this machine"
                            .formatted(command().name()),
                    "leave it out; --name says which service");
        }
        if (hasConnectionOption()) {
            throw new ApiException.Usage(
                    "a service takes its connection from the configuration file",
                    "leave -c out, and write it into repl.postgresql.connection");
        }
        return act(out);
    }
}

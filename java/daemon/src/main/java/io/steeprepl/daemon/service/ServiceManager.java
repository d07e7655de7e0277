package io.steeprepl.daemon.service;

import java.util.List;

/** What the system offers for running programs in the background. Each action says what it did, line by line. */
public interface ServiceManager {
    /** Makes the service, to be started at boot. Does not start it. */
    List<String> install();

    /** Ends the service and takes it away. */
    List<String> uninstall();

    /** Starts it now. */
    void start();

    /** Ends it now. */
    void stop();

    /** Ends and starts it. */
    void restart();

    /** How it is. */
    ServiceState state();
}

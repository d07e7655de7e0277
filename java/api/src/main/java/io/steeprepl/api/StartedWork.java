package io.steeprepl.api;

/**
 * Work that was just asked for.
 *
 * @param folder the path on the server, with links and dots resolved
 * @param tableCount how many tables it is about
 */
public record StartedWork(long id, WorkState state, String folder, long tableCount) {}

package io.steeprepl.cli.extension;

import java.nio.file.Path;

/** One file to put somewhere. */
record Copy(Path from, Path to) {}

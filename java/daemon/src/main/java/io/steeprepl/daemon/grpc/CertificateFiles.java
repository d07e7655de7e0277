package io.steeprepl.daemon.grpc;

import io.steeprepl.remote.grpc.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Looks whether the files of certificates are others than before. */
final class CertificateFiles implements AutoCloseable {
    private static final int SECONDS = 2;

    private final CountDownLatch end = new CountDownLatch(1);

    /** {@code changed} is run after a change, once the files have been still for a moment. */
    CertificateFiles(Optional<TlsFiles> files, Runnable changed) {
        files.ifPresent(known -> Thread.ofVirtual().name("certificates").start(() -> watch(known, changed)));
    }

    private void watch(TlsFiles files, Runnable changed) {
        List<FileTime> known = times(files);
        List<FileTime> before = known;
        try {
            while (!end.await(SECONDS, TimeUnit.SECONDS)) {
                List<FileTime> now = times(files);
                // Certificate and key are written one after the other.
                if (!now.equals(known) && now.equals(before)) {
                    known = now;
                    changed.run();
                }
                before = now;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<FileTime> times(TlsFiles files) {
        List<FileTime> times = new ArrayList<>();
        for (Path file : List.of(files.ca(), files.certificate(), files.key())) {
            try {
                times.add(Files.getLastModifiedTime(file));
            } catch (IOException e) {
                times.add(FileTime.fromMillis(0));
            }
        }
        return times;
    }

    @Override
    public void close() {
        end.countDown();
    }
}

package io.wayleave.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The descriptors of this process, to see whether a test leaks one. */
final class OpenFiles {
  private OpenFiles() {}

  /** Sockets, namespaces and other nameless files; the JVM opens jars and logs at any time. */
  static long count() throws IOException {
    long count = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path file : files) {
        try {
          String target = Files.readSymbolicLink(file).toString();
          if (!target.endsWith(".jar") && !target.endsWith("/fd")) {
            count++;
          }
        } catch (NoSuchFileException e) {
          // Closed meanwhile, as the one that lists this directory is.
        }
      }
    }
    return count;
  }
}

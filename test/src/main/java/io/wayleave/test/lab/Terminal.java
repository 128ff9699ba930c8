package io.wayleave.test.lab;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whether the process talks to a person. {@code System.console()} does not answer that for one
 * stream alone.
 */
final class Terminal {
  /** The process's output in UTF-8, whatever the locale says: the lab prints ticks. */
  static final PrintStream OUTPUT =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

  private Terminal() {}

  static boolean isInput() {
    return isTerminal(0);
  }

  static boolean isOutput() {
    return isTerminal(1);
  }

  private static boolean isTerminal(int descriptor) {
    try {
      Path target = Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(descriptor)));
      return target.startsWith("/dev/pts")
          || target.startsWith("/dev/console")
          || target.toString().startsWith("/dev/tty");
    } catch (IOException e) {
      // Closed.
      return false;
    }
  }
}

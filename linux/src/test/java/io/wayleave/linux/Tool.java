package io.wayleave.linux;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The kernel's own programs, in a namespace, to compare with. */
public final class Tool {
  private Tool() {}

  /** What it printed; fails when it fails. */
  public static String run(TestNamespace namespace, String... command) throws IOException {
    return feed(namespace, "", command);
  }

  public static String feed(TestNamespace namespace, String input, String... command)
      throws IOException {
    List<String> full = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace.name()));
    full.addAll(List.of(command));
    Process process = new ProcessBuilder(full).redirectErrorStream(true).start();
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(input.getBytes(StandardCharsets.UTF_8));
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new AssertionError(String.join(" ", command) + ": " + output);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
    return output;
  }
}

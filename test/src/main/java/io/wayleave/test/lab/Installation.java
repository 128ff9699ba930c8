package io.wayleave.test.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The built tree that the lab's hosts run: {@code target/wayleave} of the design, found by the
 * environment variable {@code WAYLEAVE_HOME}, else under {@code WAYLEAVE_SOURCE_ROOT}, else under
 * the working directory.
 */
public record Installation(Path home) {
  public static Installation find() {
    Path home =
        Optional.ofNullable(System.getenv("WAYLEAVE_HOME"))
            .map(Path::of)
            .orElseGet(
                () ->
                    Path.of(
                        Optional.ofNullable(System.getenv("WAYLEAVE_SOURCE_ROOT")).orElse("."),
                        "target",
                        "wayleave"));
    return new Installation(home.toAbsolutePath().normalize());
  }

  Path agent() {
    return program("bin", "wayleave-agent");
  }

  public Path bgp() {
    return program("bin", "wayleave-bgp");
  }

  Path netctl() {
    return program("bin", "netctl");
  }

  Path cniPlugin() {
    return program("cni", "wayleave");
  }

  private Path program(String folder, String name) {
    Path path = home.resolve(folder).resolve(name);
    if (!Files.isExecutable(path)) {
      throw new LabException(
          path + " is not there; ./dev build makes it (WAYLEAVE_HOME names another built tree)");
    }
    return path;
  }
}

package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Programs start from the caches that the build made, and as well without one that fits: nothing
 * but the result may reach standard output, where JSON is expected. With {@code -XX:AOTMode=on} the
 * JVM refuses to start without its cache, which tells whether it was used.
 */
@Tag("lab")
class StartUpCacheTest {
  private static final Map<String, String> CACHE_OR_NOTHING =
      Map.of("WAYLEAVE_JAVA_OPTS", "-XX:AOTMode=on");

  @TempDir Path dir;
  private Path tree;

  @BeforeEach
  void copyTree() throws IOException {
    tree = dir.resolve("moved");
    Path built = Installation.find().home();
    try (Stream<Path> files = Files.walk(built)) {
      files.forEach(file -> copy(file, tree.resolve(built.relativize(file).toString())));
    }
  }

  @Test
  void theCacheIsUsedAlsoWhereTheTreeWasMovedTo() {
    for (List<String> program : programs()) {
      Command.Result result = Command.of(program).environment(CACHE_OR_NOTHING).run();
      assertThat(result.exit()).as(result.text()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"missing", "truncated", "garbage", "of another collector", "older than its jars"})
  void aCacheThatDoesNotFitIsPassedOver(String what) throws IOException {
    for (String program : List.of("netctl", "wayleave-agent")) {
      spoil(tree.resolve("lib/" + program + ".aot"), what);
    }
    for (List<String> program : programs()) {
      Command.Result refused =
          Command.of(program).environment(environment(what, CACHE_OR_NOTHING)).run();
      if (!what.equals("missing")) { // Without a file no cache is asked for.
        assertThat(refused.exit())
            .as("control: the cache does not fit; %s", refused.text())
            .isNotZero();
      }
      Command.Result result = Command.of(program).environment(environment(what, Map.of())).run();
      assertThat(result.exit()).as(result.text()).isZero();
      assertThat(result.out())
          .startsWith(program.getFirst().endsWith("netctl") ? "{" : "wayleave-agent ");
      assertThat(result.out().lines().filter(line -> line.contains("[") && line.contains("aot")))
          .isEmpty();
    }
  }

  private List<List<String>> programs() {
    return List.of(
        List.of(tree.resolve("bin/netctl").toString(), "version", "--client", "-o", "json"),
        List.of(tree.resolve("bin/wayleave-agent").toString(), "--version"));
  }

  private static Map<String, String> environment(String what, Map<String, String> base) {
    if (!what.equals("of another collector")) {
      return base;
    }
    String options = base.getOrDefault("WAYLEAVE_JAVA_OPTS", "") + " -XX:-UseSerialGC -XX:+UseZGC";
    return Map.of("WAYLEAVE_JAVA_OPTS", options.strip());
  }

  private void spoil(Path cache, String what) throws IOException {
    switch (what) {
      case "missing" -> Files.delete(cache);
      case "truncated" -> {
        try (RandomAccessFile file = new RandomAccessFile(cache.toFile(), "rw")) {
          file.setLength(file.length() / 2);
        }
      }
      case "garbage" -> Files.write(cache, new byte[100_000]);
      case "older than its jars" -> {
        try (Stream<Path> jars = Files.list(tree.resolve("lib"))) {
          for (Path jar : jars.filter(file -> file.toString().endsWith(".jar")).toList()) {
            Files.setLastModifiedTime(
                jar, java.nio.file.attribute.FileTime.fromMillis(System.currentTimeMillis()));
          }
        }
      }
      case "of another collector" -> {}
      default -> throw new IllegalArgumentException(what);
    }
  }

  private static void copy(Path from, Path to) {
    try {
      Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

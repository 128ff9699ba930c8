package io.wayleave.test.bench;

import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A speaker under test: its process and its folder, both gone after {@link #close}, which may come
 * from any thread.
 */
final class SpeakerProcess implements AutoCloseable {
  /** Also for a Java process that writes its start-up cache at its end. */
  private static final Duration END = Duration.ofSeconds(60);

  private static final int LOG_END = 2_000;

  private final SpeakerKind kind;
  private final Path folder;
  private final Process process;

  private SpeakerProcess(SpeakerKind kind, Path folder, Process process) {
    this.kind = kind;
    this.folder = folder;
    this.process = process;
  }

  /** Starts it; that it listens is for its peers to find out. */
  static SpeakerProcess start(SpeakerKind kind, Load.Plan plan, int peers, String namespace)
      throws IOException {
    // Under /tmp and short: there are Unix sockets in it.
    Path folder = Files.createTempDirectory("wlbench");
    try {
      Path configuration = folder.resolve("configuration");
      Files.writeString(configuration, kind.configuration(plan, peers));
      List<String> argv = new ArrayList<>(NetNs.named(namespace));
      argv.addAll(kind.command(folder, configuration));
      switch (kind) {
        // bgpd gives up root before it makes its files.
        case FRR, FRR_FAST -> Command.of("chown", "-R", "frr:frr", folder.toString()).check();
        case WAYLEAVE, BIRD, GOBGP -> {}
      }
      Process process =
          new ProcessBuilder(argv)
              .redirectErrorStream(true)
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectOutput(folder.resolve("log").toFile())
              .start();
      return new SpeakerProcess(kind, folder, process);
    } catch (IOException | RuntimeException e) {
      delete(folder);
      throw e;
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** CPU time of all its processes so far, in seconds. */
  double cpuSeconds() {
    return processes().mapToDouble(Machine::cpuSeconds).sum();
  }

  /** The most memory that its processes have had resident since they started, in MiB. */
  double peakMebibytes() {
    return processes().mapToDouble(Machine::peakMebibytes).sum();
  }

  private Stream<Long> processes() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants())
        .map(ProcessHandle::pid);
  }

  /** The end of what it wrote, for an error. */
  String log() {
    try {
      String text = Files.readString(folder.resolve("log"), StandardCharsets.UTF_8);
      return text.substring(Math.max(0, text.length() - LOG_END)).strip();
    } catch (IOException e) {
      return "no log: " + e;
    }
  }

  @Override
  public void close() throws IOException {
    try {
      process.destroy();
      if (!process.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  @Override
  public String toString() {
    return kind.title() + " (pid " + process.pid() + ")";
  }
}

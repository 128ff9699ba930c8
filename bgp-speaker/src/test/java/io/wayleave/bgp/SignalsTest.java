package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.daemon.OrderlyEnd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Signals that come while a program is only starting. */
@Tag("real")
class SignalsTest {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final int TERMINATED = 128 + 15;

  /** Starts when the pipe {@code go} is written to. */
  static final class Slow {
    private Slow() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
      var _ =
          OrderlyEnd.<AutoCloseable>start(
              () -> {
                var _ = Files.readString(Path.of("go"));
                System.out.println("started");
                return () -> System.out.println("closed");
              });
      Thread.sleep(Duration.ofMinutes(5));
    }
  }

  private static void start(Daemon daemon, String main, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                // A JVM never handles a signal that its parent ignores, as under nohup.
                "env",
                "--default-signal=HUP",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                main));
    command.addAll(List.of(arguments));
    daemon.start(command);
  }

  private static Path pipe(Daemon daemon, String name) {
    Path pipe = daemon.folder().resolve(name);
    assertThat(Daemon.run(List.of("mkfifo", pipe.toString()))).isEmpty();
    return pipe;
  }

  /** Our end of the pipe, once the program has opened the other one and waits for what comes. */
  private static FileChannel feed(Daemon daemon, Path pipe) throws IOException {
    // With the reading end too, as the writing end alone would wait for a program that has died.
    FileChannel channel = FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE);
    Await.until("it reads " + pipe, WAIT, () -> hasOpen(daemon, pipe), daemon::log);
    return channel;
  }

  private static boolean hasOpen(Daemon daemon, Path file) {
    try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(daemon.pid()), "fd"))) {
      return open.anyMatch(
          descriptor -> {
            try {
              return Files.readSymbolicLink(descriptor).equals(file.toAbsolutePath());
            } catch (IOException e) {
              // Closed meanwhile.
              return false;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void signal(Daemon daemon, String name) {
    assertThat(Daemon.run(List.of("kill", "-" + name, Long.toString(daemon.pid())))).isEmpty();
  }

  private static void write(FileChannel channel, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      var _ = channel.write(bytes);
    }
  }

  @Test
  void aHangupBeforeTheStartReadsTheFileAgainAfterIt() throws IOException {
    try (Daemon speaker = new Daemon("hup")) {
      Path pipe = pipe(speaker, "first");
      String file = "routerId: 10.0.0.1\nasNumber: 65001\nlisten: []\n";
      speaker.write("second", file + "routes: [ { prefix: 10.1.0.0/16 } ]\n");
      Path link = speaker.folder().resolve("bgp.yaml");
      Files.createSymbolicLink(link, pipe);
      start(speaker, "io.wayleave.bgp.daemon.BgpMain", "--config", link.toString());
      try (FileChannel first = feed(speaker, pipe)) {
        signal(speaker, "HUP");
        Files.delete(link);
        Files.createSymbolicLink(link, speaker.folder().resolve("second"));
        write(first, file);
      }
      Await.until(
          "the second file is read",
          WAIT,
          () -> speaker.log().contains("configuration changed file=" + link + " peers=0 routes=1"),
          speaker::log);
      signal(speaker, "TERM");
      assertThat(speaker.exitCode()).isEqualTo(TERMINATED);
    }
  }

  @Test
  void anEndWhileItStartsWaitsForTheStart() throws IOException {
    try (Daemon program = new Daemon("term")) {
      Path go = pipe(program, "go");
      start(program, Slow.class.getName());
      try (FileChannel channel = feed(program, go)) {
        signal(program, "TERM");
        write(channel, "now\n");
      }
      assertThat(program.exitCode()).isEqualTo(TERMINATED);
      assertThat(program.log()).isEqualTo("started\nclosed\n");
    }
  }
}

package io.wayleave.test.interop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.wayleave.model.ResourceCodec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** Our speaker in its namespace: a {@link SpeakerProgram}, asked line by line. */
final class Wayleave implements Speaker {
  private final Link link;
  private final Side side;
  private final Path folder;
  private Optional<Running> running = Optional.empty();

  private record Running(Process process, Writer questions, BufferedReader answers) {}

  Wayleave(Link link, Side side) {
    this.link = link;
    this.side = side;
    folder = link.folder("wayleave");
  }

  @Override
  public void start(Setup setup) {
    List<String> argv = new ArrayList<>(link.at(side));
    argv.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-Xmx128m",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            SpeakerProgram.class.getName(),
            "setup.json"));
    try {
      Files.writeString(
          folder.resolve("setup.json"), ResourceCodec.jsonMapper().writeValueAsString(setup));
      Process process =
          new ProcessBuilder(argv)
              .directory(folder.toFile())
              .redirectError(ProcessBuilder.Redirect.appendTo(log().toFile()))
              .start();
      running = Optional.of(new Running(process, process.outputWriter(), process.inputReader()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // Answers when it is ready.
    var _ = ask("status", new TypeReference<String>() {});
  }

  private Path log() {
    return folder.resolve("wayleave.log");
  }

  private <T> T ask(String question, TypeReference<T> type) {
    Running now = running.orElseThrow(() -> new AssertionError("ours does not run"));
    try {
      now.questions().write(question + "\n");
      now.questions().flush();
      String answer = now.answers().readLine();
      if (answer == null) {
        throw new AssertionError("ours ended at " + question + "\n" + readLog());
      }
      return ResourceCodec.jsonMapper().readValue(answer, type);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    } catch (IOException e) {
      throw new AssertionError("ours ended at " + question + "\n" + readLog(), e);
    }
  }

  private String readLog() {
    try {
      return Files.readString(log());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void tell(String command) {
    var _ = ask(command, new TypeReference<String>() {});
  }

  @Override
  public SessionFacts session() {
    return ask("session", new TypeReference<SessionFacts>() {});
  }

  @Override
  public Set<Route> received() {
    return new TreeSet<>(ask("received", new TypeReference<Set<Route>>() {}));
  }

  @Override
  public Set<Route> sent() {
    return new TreeSet<>(ask("sent", new TypeReference<Set<Route>>() {}));
  }

  /** What it told one of its other peers. */
  Set<Route> sentTo(String address) {
    return new TreeSet<>(ask("sent more-" + address, new TypeReference<Set<Route>>() {}));
  }

  /** What it heard of one of its other peers. */
  Set<Route> receivedFrom(String address) {
    return new TreeSet<>(ask("received more-" + address, new TypeReference<Set<Route>>() {}));
  }

  @Override
  public void refresh() {
    tell("refresh");
  }

  @Override
  public long updatesReceived() {
    return ask("updates", new TypeReference<Long>() {});
  }

  /** How often the session came up. */
  long established() {
    return ask("established", new TypeReference<Long>() {});
  }

  /** Families whose routes are kept over the peer's restart. */
  Set<String> stale() {
    return ask("stale", new TypeReference<Set<String>>() {});
  }

  /** What the owner of the routes was told, in order: {@code +prefix}, {@code -prefix}. */
  List<String> changes() {
    return ask("changes", new TypeReference<List<String>>() {});
  }

  /** Takes leave of its peers with the text and ends. */
  @Override
  public void shutdown(String text) {
    tell("shutdown " + text);
    kill();
  }

  /** Ends as for an upgrade: the connection goes without a farewell (RFC 4724). */
  void leaveForRestart() {
    tell("leave");
    kill();
  }

  @Override
  public void kill() {
    running.ifPresent(
        now -> {
          now.process().destroyForcibly();
          try {
            if (!now.process().waitFor(10, TimeUnit.SECONDS)) {
              throw new AssertionError("ours does not end");
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
          }
        });
    running = Optional.empty();
  }

  @Override
  public String evidence() {
    String status =
        running.isPresent()
            ? ask("status", new TypeReference<String>() {}) + "\n" + received() + "\n" + sent()
            : "not running";
    return readLog() + status;
  }

  @Override
  public void close() {
    kill();
  }
}

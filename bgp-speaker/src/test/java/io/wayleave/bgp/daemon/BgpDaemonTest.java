package io.wayleave.bgp.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a file that is read again changes beside the sessions, which {@code StandAloneTest} has. */
class BgpDaemonTest {
  private static final String START = "routerId: 10.0.0.1\nasNumber: 65002\nlisten: []\n";
  private static final Logger ROOT = Logger.getLogger("");
  private static final Logger OURS = Logger.getLogger("io.wayleave");

  @TempDir private Path folder;
  private final List<Handler> handlers = List.of(ROOT.getHandlers());
  private final Level rootLevel = ROOT.getLevel();
  private final Level level = OURS.getLevel();
  private BgpDaemon daemon;

  @BeforeEach
  void write() throws IOException {
    write("adminSocket: " + socket("one") + "\n");
  }

  private Path socket(String name) {
    return folder.resolve(name + ".sock");
  }

  private Path file() {
    return folder.resolve("bgp.yaml");
  }

  private void write(String more) throws IOException {
    Files.writeString(file(), START + more);
  }

  private void start(Optional<Path> socket) throws IOException {
    daemon = BgpDaemon.start(file(), SpeakerFile.load(file()), socket);
  }

  @AfterEach
  void stop() {
    daemon.close();
    for (Handler handler : ROOT.getHandlers()) {
      ROOT.removeHandler(handler);
    }
    handlers.forEach(ROOT::addHandler);
    ROOT.setLevel(rootLevel);
    OURS.setLevel(level);
  }

  @Test
  void theAdminSocketMoves() throws IOException {
    start(Optional.empty());
    assertThat(socket("one")).exists();
    write("adminSocket: " + socket("two") + "\n");
    daemon.reload();
    assertThat(socket("two")).exists();
    assertThat(socket("one")).doesNotExist();
    // A folder cannot be made where a file is: the socket stays where it was.
    write("adminSocket: " + file() + "/not/here.sock\nroutes: [ { prefix: 10.1.0.0/16 } ]\n");
    daemon.reload();
    assertThat(socket("two")).exists();
    assertThat(daemon.speaker().status().originated()).as("the rest is applied").isEqualTo(1);
    write("");
    daemon.reload();
    assertThat(socket("two")).doesNotExist();
  }

  @Test
  void theSocketOfTheCommandLineStays() throws IOException {
    start(Optional.of(socket("given")));
    write("adminSocket: " + socket("two") + "\n");
    daemon.reload();
    assertThat(socket("given")).exists();
    assertThat(socket("two")).doesNotExist();
  }

  @Test
  void theLogChanges() throws IOException {
    start(Optional.empty());
    write("logLevel: warn\nlogFormat: json\n");
    daemon.reload();
    assertThat(OURS.getLevel()).isEqualTo(Level.WARNING);
    assertThat(ROOT.getHandlers()[0].getFormatter()).isInstanceOf(LogSetup.JsonLines.class);
  }
}

package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.bgp.daemon.LogSetup;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.PresenceKeeper;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.zookeeper.EmbeddedServer;
import io.wayleave.model.IpPool;
import io.wayleave.model.Node;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an agent logs while its datastore is away: that it is, and not each try to reach it. */
@Tag("real")
@Timeout(120)
class DatastoreLogTest {
  private static final Logger ROOT = Logger.getLogger("");

  private final List<String> lines = new CopyOnWriteArrayList<>();

  @TempDir private Path directory;

  @AfterEach
  void restoreLogging() throws Exception {
    LogManager.getLogManager().readConfiguration();
  }

  @Test
  void aDatastoreThatIsAwayIsToldOnceByEachThatFollowsIt() {
    LogSetup.install(LogSetup.Level.info, LogSetup.Format.text);
    ROOT.addHandler(new Lines());
    String url = "embedded:" + directory.resolve("d");
    EmbeddedServer first = EmbeddedServer.start(directory.resolve("d"), _ -> {});
    try (Datastore datastore = Datastores.open(url, DatastoreOptions.DEFAULTS)) {
      ResourceStore resources = new ResourceStore(datastore);
      try (Syncer<String, Node> nodes = resources.follow(Node.class, _ -> {});
          Syncer<String, IpPool> pools = resources.follow(IpPool.class, _ -> {});
          PresenceKeeper _ =
              PresenceKeeper.keep(
                  datastore, Keys.presence("a"), new byte[0], Duration.ofSeconds(10), _ -> {})) {
        read(datastore);
        await("presence kept");
        lines.clear();

        first.close();
        // The clients of calls and of presence try again and again meanwhile.
        for (int i = 0; i < 5; i++) {
          assertThatThrownBy(() -> datastore.get("a", Deadline.after(Duration.ofMillis(1_200))))
              .isInstanceOf(DatastoreUnavailableException.class);
        }
        assertThat(nodes.status().connected()).isFalse();
        assertThat(pools.status().connected()).isFalse();
        assertThat(String.join("", lines)).contains("syncer disconnected");
        assertThat(lines).as("%s", lines).hasSizeLessThanOrEqualTo(6);
        assertThat(lines).noneMatch(line -> line.contains("\tat "));
      } finally {
        try (EmbeddedServer _ = EmbeddedServer.start(directory.resolve("d"), _ -> {})) {
          read(datastore);
        }
      }
    }
  }

  private static void read(Datastore datastore) {
    assertThat(datastore.get("a", Deadline.after(Duration.ofSeconds(30)))).isEmpty();
  }

  private void await(String text) {
    Deadline limit = Deadline.after(Duration.ofSeconds(30));
    while (lines.stream().noneMatch(line -> line.contains(text))) {
      assertThat(limit.hasPassed()).as("%s among %s", text, lines).isFalse();
      Thread.onSpinWait();
    }
  }

  /** What passes the levels, as text. */
  private final class Lines extends Handler {
    @Override
    public void publish(LogRecord record) {
      lines.add(new SimpleFormatter().format(record));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}

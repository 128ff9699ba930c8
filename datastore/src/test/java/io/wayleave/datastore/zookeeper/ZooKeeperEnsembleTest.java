package io.wayleave.datastore.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.RecordingListener;
import io.wayleave.datastore.testing.ZooKeeperEnsemble;
import io.wayleave.datastore.testing.ZooKeeperProcess;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three real servers, of which one dies. */
@Tag("real")
@Timeout(120)
class ZooKeeperEnsembleTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Pattern SERVER = Pattern.compile("remoteserver:[^ ]*:([0-9]+) ");

  @Test
  void withoutItsLeaderAndWithoutItsServerAClientGoesOnInTheSameSessionAndLosesNothing()
      throws Exception {
    try (ZooKeeperEnsemble ensemble = ZooKeeperEnsemble.start();
        ZooKeeperDatastore datastore =
            (ZooKeeperDatastore) Datastores.open(ensemble.url(), DatastoreOptions.DEFAULTS);
        Session session = datastore.openSession(Duration.ofSeconds(20), deadline())) {
      datastore.commit(
          Transaction.builder().putBound("presence/me", new byte[0], session).build(), deadline());
      String id = session.id();
      RecordingListener listener = new RecordingListener();
      Set<String> acknowledged = new TreeSet<>();
      try (Syncer<String, String> _ =
          Syncer.start("w", datastore, "w/", RecordingListener.TEXT, listener)) {
        listener.await("in-sync");
        write(datastore, 0, acknowledged);
        ZooKeeperProcess leader = ensemble.leader();
        leader.kill();
        write(datastore, 100, acknowledged);
        leader.restart();
        // Now the one that keeps the session, unless that has moved from the leader just now.
        ZooKeeperProcess server = ensemble.at(port(((ZooKeeperSession) session).client()));
        server.kill();
        write(datastore, 200, acknowledged);
        server.restart();
        listener.await("after=200");
      }
      assertThat(acknowledged).contains("w/k0", "w/k100", "w/k200");
      try (Datastore other = Datastores.open(ensemble.url(), DatastoreOptions.DEFAULTS)) {
        assertThat(
                other.listAll("w/", deadline()).entries().stream()
                    .map(Entry::key)
                    .collect(Collectors.toSet()))
            .containsAll(acknowledged);
        assertThat(other.get("presence/me", deadline())).isPresent();
      }
      assertThat(session.ended()).isNotDone();
      assertThat(session.id()).isEqualTo(id);
    }
  }

  /** Until twenty in a row are acknowledged. */
  private static void write(Datastore datastore, int from, Set<String> acknowledged) {
    Deadline limit = deadline();
    int inARow = 0;
    for (int i = from; inARow < 20; i++) {
      assertThat(limit.hasPassed()).as("writes succeed again").isFalse();
      try {
        datastore.commit(
            Transaction.builder().put("w/k" + i, "1").put("w/after", "" + from).build(),
            Deadline.after(Duration.ofSeconds(5)));
        acknowledged.add("w/k" + i);
        inARow++;
      } catch (DatastoreUnavailableException e) {
        inARow = 0;
        i--;
      }
    }
  }

  private static int port(ZooKeeper client) {
    Matcher matcher = SERVER.matcher(client.toString());
    assertThat(matcher.find()).as(client.toString()).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}

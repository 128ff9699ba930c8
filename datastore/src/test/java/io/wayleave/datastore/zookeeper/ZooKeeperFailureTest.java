package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.PresenceKeeper;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.WatchEvent;
import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.RecordingListener;
import io.wayleave.datastore.testing.ZooKeeperProcess;
import io.wayleave.datastore.testing.ZooKeeperProxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A real ZooKeeper that goes away, comes back, ends sessions, and holds what we did not write. */
@Tag("real")
@Timeout(120)
class ZooKeeperFailureTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** What a busy machine may add to a deadline. */
  private static final Duration TOLERANCE = Duration.ofSeconds(2);

  private static final AtomicInteger PREFIX = new AtomicInteger();
  private static ZooKeeperProcess server;

  private String root;
  private ZooKeeperDatastore datastore;

  @BeforeAll
  static void startServer() {
    server = ZooKeeperProcess.start();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @BeforeEach
  void open() {
    root = "/f" + PREFIX.incrementAndGet();
    datastore = (ZooKeeperDatastore) connect(DatastoreOptions.DEFAULTS);
  }

  @AfterEach
  void close() {
    datastore.close();
  }

  private Datastore connect(DatastoreOptions options) {
    return Datastores.open(server.url() + root, options);
  }

  @Test
  void aListingThatIsReadToTheEndStaysNotInMemory() {
    Transaction.Builder puts = Transaction.builder();
    IntStream.range(0, 5).forEach(i -> puts.put("l/" + i, "x"));
    datastore.commit(puts.build(), deadline());
    for (int i = 0; i < 3; i++) {
      Page page = datastore.list("l/", Optional.empty(), 2, deadline());
      while (page.next().isPresent()) {
        assertThat(datastore.listingsInProgress()).isEqualTo(1);
        page = datastore.list("l/", page.next(), 2, deadline());
      }
      assertThat(datastore.listingsInProgress()).isZero();
    }
  }

  @Test
  void aServerThatIsAwayIsUnavailableWithinTheDeadlineAndReadingGoesOnWhenItIsBack()
      throws Exception {
    put("w/a", "1");
    try (Watch watch = datastore.watch("w/", datastore.listAll("w/", deadline()).revision())) {
      server.kill();
      try {
        assertThat(watch.take(deadline()))
            .singleElement()
            .isInstanceOf(WatchEvent.Disconnected.class);
        Duration timeout = Duration.ofMillis(700);
        for (Runnable call :
            List.<Runnable>of(
                () -> datastore.get("a", Deadline.after(timeout)),
                () -> datastore.listAll("", Deadline.after(timeout)),
                () ->
                    datastore.commit(
                        Transaction.builder().put("a", "1").build(), Deadline.after(timeout)),
                () -> datastore.openSession(Duration.ofSeconds(5), Deadline.after(timeout)))) {
          long start = System.nanoTime();
          assertThatThrownBy(call::run)
              .isInstanceOf(DatastoreUnavailableException.class)
              .isNotInstanceOf(OutcomeUnknownException.class)
              .hasMessageContaining(server.hosts());
          assertThat(Duration.ofNanos(System.nanoTime() - start))
              .isLessThan(timeout.plus(TOLERANCE));
        }
      } finally {
        server.restart();
      }
      List<WatchEvent> told = new ArrayList<>();
      while (!watch.isEnded()) {
        told.addAll(watch.take(deadline()));
      }
      assertThat(told).singleElement().isInstanceOf(WatchEvent.Resync.class);
      assertThat(datastore.get("w/a", deadline()).map(Entry::text)).contains("1");
    }
  }

  @Test
  void aServerThatDoesNotAnswerCostsNoMoreThanTheDeadline() {
    put("a", "1");
    server.freeze(true);
    try {
      Duration timeout = Duration.ofMillis(500);
      assertThatThrownBy(() -> datastore.get("a", Deadline.after(timeout)))
          .isInstanceOf(DatastoreUnavailableException.class);
    } finally {
      server.freeze(false);
    }
    Await.until("answers again", LIMIT, () -> datastore.get("a", deadline()).isPresent());
  }

  @Test
  void aReaderIsToldOfALostConnectionAlsoWhenAChangeCameJustBefore() throws Exception {
    DatastoreOptions impatient =
        DatastoreOptions.DEFAULTS.withRequestTimeout(Duration.ofSeconds(1));
    try (ZooKeeperDatastore reader = (ZooKeeperDatastore) connect(impatient);
        Watch watch = reader.watch("w/", reader.listAll("w/", deadline()).revision())) {
      put("w/a", "1");
      // The reader's client has been told: an answer stands behind what was told before.
      assertThat(reader.get("w/a", deadline())).isPresent();
      server.freeze(true);
      try {
        long start = System.nanoTime();
        assertThat(watch.take(Deadline.after(Duration.ofSeconds(40))))
            .singleElement()
            .isInstanceOf(WatchEvent.Disconnected.class);
        // Its client gives the connection up after 4 s of silence.
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
      } finally {
        server.freeze(false);
      }
    }
    Await.until("answers again", LIMIT, () -> datastore.get("w/a", deadline()).isPresent());
  }

  @ParameterizedTest
  @EnumSource
  void aTransactionWhoseAnswerDoesNotComeHasAnUnknownOutcome(ZooKeeperProxy.Loss loss) {
    put("a", "1");
    try (ZooKeeperProxy proxy = new ZooKeeperProxy(server.hosts());
        Datastore behind = Datastores.open(proxy.url() + root, DatastoreOptions.DEFAULTS)) {
      assertThat(behind.get("a", deadline())).isPresent();
      proxy.lose(loss);
      assertThatThrownBy(
              () ->
                  behind.commit(
                      Transaction.builder().put("a", "2").build(),
                      Deadline.after(Duration.ofSeconds(1))))
          .isInstanceOf(OutcomeUnknownException.class)
          .hasMessageContaining("outcome unknown");
      assertThat(datastore.get("a", deadline()).orElseThrow().text())
          .isEqualTo(loss == ZooKeeperProxy.Loss.REQUEST ? "1" : "2");
      // The next one is another connection's, or waits behind the silence.
      if (loss != ZooKeeperProxy.Loss.EVERYTHING) {
        behind.commit(Transaction.builder().put("a", "3").build(), deadline());
        assertThat(datastore.get("a", deadline()).orElseThrow().text()).isEqualTo("3");
      }
    }
  }

  @Test
  void aFollowerWhoseConnectionIsLostFindsDeletionsAndCreationsByComparison() throws Exception {
    for (String key : List.of("w/stays", "w/goes", "w/changes")) {
      put(key, "1");
    }
    RecordingListener listener = new RecordingListener();
    try (Datastore other = connect(DatastoreOptions.DEFAULTS);
        Syncer<String, String> syncer =
            Syncer.start("w", datastore, "w/", RecordingListener.TEXT, listener)) {
      listener.await("in-sync");
      ZooKeeper before = datastore.client(deadline());
      expire(before);
      other.commit(
          Transaction.builder().delete("w/goes").put("w/changes", "2").put("w/new", "1").build(),
          deadline());
      listener.await("-goes");
      listener.await("changes=2");
      listener.await("new=1");
      assertThat(datastore.client(deadline())).isNotSameAs(before);
      assertThat(listener.told()).doesNotContain("-stays");
      assertThat(syncer.status().connected()).isTrue();
    }
  }

  @Test
  void presenceIsKeptAgainAfterItsSessionExpired() throws Exception {
    Session session = datastore.openSession(Duration.ofSeconds(20), deadline());
    expire(((ZooKeeperSession) session).client());
    assertThat(session.ended().get(20, TimeUnit.SECONDS)).isEqualTo(Session.End.EXPIRED);

    List<PresenceKeeper.State> states = new CopyOnWriteArrayList<>();
    try (PresenceKeeper keeper =
        PresenceKeeper.keep(
            datastore, "presence/me", new byte[0], Duration.ofSeconds(20), states::add)) {
      Await.until("present", LIMIT, () -> states.size() == 1);
      long owner = owner("presence/me");
      endSession(owner);
      Await.until("present again", LIMIT, () -> states.size() >= 3);
      assertThat(states.subList(0, 3))
          .containsExactly(
              PresenceKeeper.State.PRESENT,
              PresenceKeeper.State.LOST,
              PresenceKeeper.State.PRESENT);
      assertThat(owner("presence/me")).isNotEqualTo(owner);
      assertThat(keeper).isNotNull();
    }
    Await.until("gone", LIMIT, () -> datastore.get("presence/me", deadline()).isEmpty());
  }

  @Test
  void noNodeHasManyChildrenAndAListingHasAllKeys() throws Exception {
    int count = 6_000;
    for (int from = 0; from < count; from += 100) {
      Transaction.Builder transaction = Transaction.builder();
      for (int i = from; i < from + 100; i++) {
        transaction.put("many/" + "x".repeat(60) + i, "v");
      }
      datastore.commit(transaction.build(), deadline());
    }
    assertThat(datastore.listAll("many/", deadline()).entries()).hasSize(count);
    assertThat(mostChildren(root)).isLessThanOrEqualTo(1024);
  }

  @Test
  void aNodeTakesNoMoreThan4096Children() throws Exception {
    Layout layout = new Layout(root);
    put("w/a", "1");
    String shard = Layout.parent(layout.path("w/a"));
    String neighbour =
        IntStream.range(0, 100_000)
            .mapToObj(i -> "w/n" + i)
            .filter(key -> Layout.parent(layout.path(key)).equals(shard))
            .findFirst()
            .orElseThrow();
    ZooKeeper client = datastore.client(deadline());
    int filled = 1;
    while (filled < 4095) {
      List<Op> some = new ArrayList<>();
      for (; filled < 4095 && some.size() < 1000; filled++) {
        some.add(
            Op.create(
                shard + "/k-" + filled,
                new byte[0],
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.PERSISTENT));
      }
      client.multi(some);
    }
    put(neighbour, "the last");
    assertThat(client.exists(shard, false).getNumChildren()).isEqualTo(4096);
    datastore.commit(Transaction.builder().delete(neighbour).build(), deadline());
    client.create(
        shard + "/k-full", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    assertThatThrownBy(
            () ->
                datastore.commit(
                    Transaction.builder().put("w/b", "2").put(neighbour, "2").build(), deadline()))
        .isInstanceOf(DatastoreRefusedException.class)
        .hasMessageContaining(shard)
        .hasMessageContaining("4096 children; allowed: at most 4096");
    assertThat(datastore.get("w/b", deadline())).as("nothing of a refused transaction").isEmpty();
    // What is there can be changed, and leave.
    put("w/a", "2");
    datastore.commit(Transaction.builder().delete("w/a").build(), deadline());
    put(neighbour, "2");
    assertThat(datastore.get(neighbour, deadline()).map(Entry::text)).contains("2");
  }

  private int mostChildren(String path) throws Exception {
    List<String> children = datastore.client(deadline()).getChildren(path, false);
    int most = children.size();
    for (String child : children) {
      if (!child.startsWith("k-")) {
        most = Math.max(most, mostChildren(path + "/" + child));
      }
    }
    return most;
  }

  @Test
  void aTransactionThatReadAnotherKeyOfTheSameNameIsRefusedByTheServer() throws Exception {
    put("a", "first");
    Layout layout = new Layout(root);
    Plan plan =
        new Plan(
            Transaction.builder()
                .ifUnchanged(datastore.get("a", deadline()).orElseThrow())
                .put("b", "stale")
                .build(),
            layout,
            Optional.empty(),
            ZooDefs.Ids.OPEN_ACL_UNSAFE);
    put("b", "0");
    ZooKeeper client = datastore.client(deadline());
    Map<String, Stat> nodes = new HashMap<>();
    for (String path : plan.paths()) {
      nodes.put(path, client.exists(path, false));
    }
    // ZooKeeper counts the changes of the new node from zero again, as it did those of the old.
    datastore.commit(Transaction.builder().delete("a").build(), deadline());
    put("a", "second");
    assertThat(client.exists(layout.path("a"), false).getVersion())
        .isEqualTo(nodes.get(layout.path("a")).getVersion());
    List<Op> operations = plan.operations(nodes);
    assertThatThrownBy(() -> client.multi(operations))
        .isInstanceOf(KeeperException.BadVersionException.class);
  }

  @Test
  void foreignDataAndOtherLayoutsAreRefusedByName() throws Exception {
    put("a/b", "1");
    ZooKeeper client = datastore.client(deadline());
    String shard = Layout.parent(new Layout(root).path("a/b"));
    for (String foreign : List.of(shard + "/stray", root + "/k/stray", shard + "/k-elsewhere")) {
      client.create(foreign, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
      assertThatThrownBy(() -> datastore.listAll("", deadline()))
          .isInstanceOf(DatastoreRefusedException.class)
          .hasMessageContaining(foreign);
      client.delete(foreign, -1);
    }
    assertThat(datastore.listAll("", deadline()).entries()).hasSize(1);
    client.setData(root, "wayleave-zookeeper 2".getBytes(UTF_8), -1);
    try (Datastore newcomer = connect(DatastoreOptions.DEFAULTS)) {
      assertThatThrownBy(() -> newcomer.get("a/b", deadline()))
          .isInstanceOf(DatastoreRefusedException.class)
          .hasMessageContaining("wayleave-zookeeper 2")
          .hasMessageContaining(Layout.MARKER);
    }
  }

  @Test
  void anEmptyNodeMadeByAnAdministratorIsTaken() throws Exception {
    datastore
        .client(deadline())
        .create(root, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    put("a", "1");
    assertThat(datastore.get("a", deadline())).isPresent();
  }

  @Test
  void withAUserNobodyElseReadsOrWrites() {
    try (Datastore owner = connect(DatastoreOptions.DEFAULTS.withPassword("w", "right"));
        Datastore stranger = connect(DatastoreOptions.DEFAULTS.withPassword("w", "wrong"))) {
      owner.commit(Transaction.builder().put("a", "1").build(), deadline());
      assertThat(owner.get("a", deadline())).isPresent();
      for (Datastore without : List.of(stranger, datastore)) {
        assertThatThrownBy(() -> without.get("a", deadline()))
            .isInstanceOf(DatastoreRefusedException.class)
            .hasMessageContaining("wrong user or password");
      }
    }
  }

  private void put(String key, String value) {
    datastore.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private long owner(String key) throws Exception {
    return datastore
        .client(deadline())
        .exists(new Layout(root).path(key), false)
        .getEphemeralOwner();
  }

  /** Ends a client's session as the server's clock does. */
  private static void expire(ZooKeeper client) throws Exception {
    ZooKeeper twin =
        new ZooKeeper(
            server.hosts(), 5_000, _ -> {}, client.getSessionId(), client.getSessionPasswd());
    Await.until("the twin is connected", LIMIT, () -> twin.getState().isConnected());
    twin.close();
  }

  private void endSession(long id) throws Exception {
    for (ZooKeeperSession session : datastore.sessions()) {
      if (session.client().getSessionId() == id) {
        expire(session.client());
      }
    }
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}

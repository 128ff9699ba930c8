package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.datastore.testing.ZooKeeperProcess;
import io.wayleave.model.InvalidInputException;
import java.io.BufferedReader;
import java.io.StringReader;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class DatastoreMoverTest {
  private final MemoryDatastore from = new MemoryDatastore();
  private final MemoryDatastore to = new MemoryDatastore();
  private final DatastoreMover mover = new DatastoreMover(Duration.ofSeconds(20));

  DatastoreMoverTest() {
    fill(from);
  }

  private static void fill(Datastore datastore) {
    for (int i = 0; i < 350; i++) {
      put(datastore, "resources/nodes/n" + i, new byte[] {(byte) i, 0, -1});
    }
    put(datastore, "ipam/blocks/large", new byte[400_000]);
    put(datastore, "ipam/blocks/large2", new byte[400_000]);
    put(
        datastore,
        "unknown/to \"us\" ä",
        "of a newer version".getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  /** Does something before each of its listings, which are of one moment or not. */
  private static final class Busy extends DelegatingDatastore {
    private final boolean oneMoment;
    private final IntConsumer before;
    private int listings;

    Busy(Datastore delegate, boolean oneMoment, IntConsumer before) {
      super(delegate);
      this.oneMoment = oneMoment;
      this.before = before;
    }

    @Override
    public Listing listAll(String prefix, Deadline deadline) {
      before.accept(++listings);
      return super.listAll(prefix, deadline);
    }

    @Override
    public boolean listsOneMoment() {
      return oneMoment;
    }
  }

  @Test
  void everythingIsMovedByteForByte() {
    assertThat(mover.migrate(from, to)).isEqualTo(353);
    assertThat(contents(to)).isEqualTo(contents(from)).hasSize(353);
  }

  @Test
  void aFileHoldsEverythingButLifeSigns() throws Exception {
    Session session = from.openSession(Duration.ofSeconds(5), from.deadline());
    from.commit(
        Transaction.builder().putBound(Keys.presence("r1h1"), new byte[0], session).build(),
        from.deadline());
    StringWriter file = new StringWriter();
    assertThat(mover.export(from, file)).isEqualTo(353);
    assertThat(mover.fill(reader(file.toString()), to)).isEqualTo(353);
    session.close();
    assertThat(contents(to)).isEqualTo(contents(from));
  }

  @Test
  void aSourceThatAgentsUseIsNotMoved() {
    Session session = from.openSession(Duration.ofSeconds(5), from.deadline());
    from.commit(
        Transaction.builder().putBound(Keys.presence("r1h1"), new byte[0], session).build(),
        from.deadline());
    assertThatThrownBy(() -> mover.migrate(from, to))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("from")
        .hasMessageContaining("r1h1");
    assertThat(contents(to)).isEmpty();
  }

  @Test
  void aTargetThatHoldsSomethingIsLeftAlone() {
    put(to, "resources/nodes/n0", new byte[] {0, 0, -1});
    assertThatThrownBy(() -> mover.migrate(from, to))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("to")
        .hasMessageContaining("resources/nodes/n0");
    assertThat(contents(to)).hasSize(1);
  }

  @Test
  void aMoveThatBrokeOffIsSeenAndGoesOn() {
    put(to, DatastoreMover.INCOMPLETE, new byte[0]);
    put(to, "resources/nodes/n1", new byte[] {1, 0, -1});
    assertThatThrownBy(() -> mover.export(to, new StringWriter()))
        .hasMessageContaining(DatastoreMover.INCOMPLETE);
    mover.migrate(from, to);
    assertThat(contents(to)).isEqualTo(contents(from));

    MemoryDatastore other = new MemoryDatastore();
    put(other, DatastoreMover.INCOMPLETE, new byte[0]);
    put(other, "resources/nodes/n1", new byte[] {9});
    assertThatThrownBy(() -> mover.migrate(from, other)).hasMessageContaining("nodes/n1");
  }

  @Test
  void aSourceThatChangesWhileItIsMovedLeavesTheTargetMarked() {
    Datastore busy =
        new Busy(from, true, listing -> put(from, "ipam/guard", new byte[] {(byte) listing}));
    assertThatThrownBy(() -> mover.migrate(busy, to))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("from")
        .hasMessageContaining("it changed meanwhile");
    assertThat(contents(to).keySet()).contains(DatastoreMover.INCOMPLETE);
    // Nor is it whole in the eyes of the next move.
    assertThatThrownBy(() -> mover.migrate(busy, to)).hasMessageContaining("not so: ipam/guard");
  }

  @Test
  void theTargetNeverLooksWholeBeforeTheSourceIsLookedAtAgain() {
    Datastore lost =
        new Busy(
            from,
            true,
            listing -> {
              if (listing == 2) {
                assertThat(contents(to).keySet()).hasSize(354).contains(DatastoreMover.INCOMPLETE);
                throw new DatastoreUnavailableException("injected", null);
              }
            });
    assertThatThrownBy(() -> mover.migrate(lost, to))
        .isInstanceOf(DatastoreUnavailableException.class);
    assertThat(contents(to).keySet()).contains(DatastoreMover.INCOMPLETE);
    assertThat(mover.migrate(from, to)).isEqualTo(353);
    assertThat(contents(to)).isEqualTo(contents(from));
  }

  @Test
  void aStoreInUseIsExportedWhenItsListingsAreOfOneMoment() throws Exception {
    Datastore busy =
        new Busy(from, true, listing -> put(from, "ipam/guard", new byte[] {(byte) listing}));
    assertThat(mover.export(busy, new StringWriter())).isEqualTo(354);
  }

  @Test
  void listingsThatAreNotOfOneMomentAreRepeatedUntilTwoAgree() throws Exception {
    Datastore resting =
        new Busy(
            from,
            false,
            listing -> {
              if (listing <= 4) {
                put(from, "ipam/guard", new byte[] {(byte) listing});
              }
            });
    StringWriter file = new StringWriter();
    assertThat(mover.export(resting, file)).isEqualTo(354);
    assertThat(mover.fill(reader(file.toString()), to)).isEqualTo(354);
    assertThat(contents(to)).isEqualTo(contents(from));

    Datastore busy =
        new Busy(from, false, listing -> put(from, "ipam/guard", new byte[] {(byte) listing}));
    assertThatThrownBy(() -> mover.export(busy, new StringWriter()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("during each of 5 readings");
  }

  @Test
  void aFileThatIsNotWholeIsRefusedBeforeAnythingIsWritten() throws Exception {
    StringWriter file = new StringWriter();
    mover.export(from, file);
    String whole = file.toString();
    String lastLine = whole.substring(whole.indexOf("{\"entries\""));
    for (String bad :
        List.of(
            "",
            "[]",
            whole.substring(0, whole.length() - lastLine.length()),
            whole.substring(0, whole.length() / 2),
            whole.replace("\"version\":1}", "\"version\":2}"),
            whole.replace("nodes/n7\"", "nodes/x7\""),
            whole.replace("nodes/n7\"", "nodes/\\ud800\""),
            whole.replaceFirst("\\{\"key\"[^\\n]*\\n", ""),
            whole + "more\n")) {
      assertThatThrownBy(() -> mover.fill(reader(bad), to))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("line ");
    }
    assertThat(contents(to)).isEmpty();
    assertThatThrownBy(() -> mover.fill(reader(whole.replace("nodes/n7\"", "nodes/n8\"")), to))
        .hasMessageContaining("resources/nodes/n8")
        .hasMessageContaining("each key once");
  }

  @Test
  @Tag("real")
  void fromEtcdToZooKeeperAndBack() {
    try (EtcdServer etcd = EtcdServer.start();
        ZooKeeperProcess zooKeeper = ZooKeeperProcess.start();
        Datastore first = etcd.connect();
        Datastore second = Datastores.open(zooKeeper.url(), DatastoreOptions.DEFAULTS);
        Datastore third = Datastores.open(etcd.url() + "/other", DatastoreOptions.DEFAULTS)) {
      fill(first);
      mover.migrate(first, second);
      mover.migrate(second, third);
      assertThat(contents(third)).isEqualTo(contents(first)).hasSize(353);
    }
  }

  private static BufferedReader reader(String text) {
    return new BufferedReader(new StringReader(text));
  }

  private static void put(Datastore datastore, String key, byte[] value) {
    datastore.commit(Transaction.builder().put(key, value).build(), datastore.deadline());
  }

  private static SortedMap<String, List<Byte>> contents(Datastore datastore) {
    SortedMap<String, List<Byte>> contents = new TreeMap<>();
    for (Entry entry : datastore.listAll("", datastore.deadline()).entries()) {
      List<Byte> bytes = new java.util.ArrayList<>();
      for (byte b : entry.value()) {
        bytes.add(b);
      }
      contents.put(entry.key(), bytes);
    }
    return contents;
  }
}

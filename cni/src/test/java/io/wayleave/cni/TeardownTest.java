package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpPool;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.WorkloadEndpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The rules of generations, for every combination of what a DEL names and what there is. */
@Timeout(60)
class TeardownTest {
  private static final AttachmentKey KEY = new AttachmentKey("c1", "eth0");
  private static final Duration TIME = Duration.ofSeconds(5);

  @TempDir Path directory;
  private final MemoryDatastore datastore = new MemoryDatastore();
  private final FakeDataplane dataplane = FakeDataplane.withoutKernel();
  private final List<String> deletedLinks = new ArrayList<>();
  private final EndpointStore store =
      new IpamEndpointStore(new Ipam(datastore, "h1", Map::of, IpamOptions.defaults()));

  private AttachmentRecords records;
  private DelSpool spool;
  private Teardown teardown;

  @BeforeEach
  void setUp() throws Exception {
    records = AttachmentRecords.open(directory);
    spool = DelSpool.open(directory);
    CniOptions options =
        CniOptions.of("h1", directory.resolve("agent.sock"), directory, () -> 1500);
    teardown = new Teardown(options, new NoWiring(), dataplane, store, records, spool);
    new Pools(datastore)
        .create(
            new IpPool(Metadata.of("v4"), IpPool.Spec.of(Cidr.parse("10.1.0.0/24"), 26)),
            Deadline.after(TIME));
  }

  @Test
  void aDelOfTheCurrentGenerationUndoesIt() throws Exception {
    attach("02");

    del(Optional.of("02"));

    assertNothingIsLeft();
    assertThat(dataplane.calls()).containsExactly("protect", "connect", "disconnect", "unprotect");
    assertThat(deletedLinks).containsExactly(Wire.hostInterface("h1.c1.eth0"));
  }

  @Test
  void aDelOfAnotherGenerationTouchesNothing() throws Exception {
    attach("02");

    del(Optional.of("01"));

    assertIsAttached();
  }

  @Test
  void aDelOfNoGenerationTouchesNothingThatHasARecord() throws Exception {
    attach("02");

    del(Optional.empty());

    assertIsAttached();
  }

  @Test
  void withoutARecordADelOfNoGenerationUndoesWhatTheDatastoreTells() throws Exception {
    attach("02");
    records.delete(KEY);

    del(Optional.empty());

    assertNothingIsLeft();
  }

  @Test
  void withoutARecordADelUndoesItsOwnGenerationOnly() throws Exception {
    attach("02");
    records.delete(KEY);

    del(Optional.of("01"));
    assertThat(store.find("h1.c1.eth0", TIME)).isPresent();
    assertThat(deletedLinks).isEmpty();

    del(Optional.of("02"));
    assertNothingIsLeft();
  }

  @Test
  void anAddThatNeverFinishedIsUndoneByWhatTheDatastoreTells() throws Exception {
    attach("02");
    records.write(Attachment.begun(KEY, "02"));

    del(Optional.of("02"));

    assertNothingIsLeft();
  }

  @Test
  void anAddThatNeverFinishedDoesNotTakeTheAddressOfAnother() throws Exception {
    attach("02");
    records.write(Attachment.begun(KEY, "03"));

    del(Optional.of("03"));

    assertThat(store.find("h1.c1.eth0", TIME)).isPresent();
    assertThat(records.read(KEY)).isEmpty();
  }

  @Test
  void whileTheDatastoreIsAwayADelIsSpooledWhateverThereIs() throws Exception {
    attach("02");
    datastore.disconnect();
    del(Optional.of("02"));
    assertThat(records.read(KEY)).isEmpty();
    assertThat(dataplane.announced()).isEmpty();
    assertThat(spool.entriesOf(KEY))
        .extracting(DelSpool.Entry::generation)
        .containsExactly(Optional.of("02"));

    del(Optional.empty());
    assertThat(spool.entriesOf(KEY)).hasSize(2);

    datastore.reconnect();
    for (DelSpool.Entry entry : spool.entriesOf(KEY)) {
      teardown.del(KEY, entry.generation(), Teardown.WhenStoreIsAway.FAIL, TimeLimit.of(TIME));
      spool.remove(entry);
    }
    assertNothingIsLeft();
  }

  @Test
  void whileTheDatastoreIsAwayAnEntryOfTheSpoolStays() throws Exception {
    attach("02");
    datastore.disconnect();

    assertThatExceptionOfType(CniException.class)
        .isThrownBy(
            () ->
                teardown.del(
                    KEY, Optional.of("02"), Teardown.WhenStoreIsAway.FAIL, TimeLimit.of(TIME)))
        .satisfies(e -> assertThat(e.code()).isEqualTo(CniException.Code.TRY_AGAIN_LATER));

    assertThat(records.read(KEY)).isPresent();
    assertThat(spool.entries()).isEmpty();
  }

  private void attach(String generation) throws Exception {
    WorkloadEndpoint endpoint =
        store.allocate(
            new EndpointRequest(
                "h1.c1.eth0",
                EndpointIdentity.NONE,
                "h1",
                KEY,
                Wire.hostInterface("h1.c1.eth0"),
                Wire.containerMac("h1.c1.eth0", generation),
                "net",
                generation,
                AddressWishes.NONE),
            TIME);
    dataplane.protect(endpoint, TIME);
    dataplane.connect(endpoint, TIME);
    records.write(Attachment.begun(KEY, generation).finished(endpoint));
  }

  private void del(Optional<String> generation) throws Exception {
    teardown.del(KEY, generation, Teardown.WhenStoreIsAway.SPOOL, TimeLimit.of(TIME));
  }

  private void assertIsAttached() throws Exception {
    assertThat(records.read(KEY)).isPresent();
    assertThat(store.find("h1.c1.eth0", TIME)).isPresent();
    assertThat(dataplane.announced()).containsExactly("h1.c1.eth0");
    assertThat(dataplane.inForce()).containsExactly("h1.c1.eth0");
    assertThat(deletedLinks).isEmpty();
  }

  private void assertNothingIsLeft() throws Exception {
    assertThat(records.all()).isEmpty();
    assertThat(spool.entries()).isEmpty();
    assertThat(store.find("h1.c1.eth0", TIME)).isEmpty();
    assertThat(dataplane.announced()).isEmpty();
    assertThat(dataplane.inForce()).isEmpty();
  }

  /** Remembers what is deleted; a teardown makes nothing. */
  private final class NoWiring implements Wiring {
    @Override
    public void delete(String hostInterface) {
      deletedLinks.add(hostInterface);
    }

    @Override
    public void create(WirePlan plan) {
      throw new AssertionError("a teardown makes nothing");
    }

    @Override
    public void configureHostEnd(WirePlan plan) {
      throw new AssertionError("a teardown makes nothing");
    }

    @Override
    public void configureContainerEnd(WirePlan plan) {
      throw new AssertionError("a teardown makes nothing");
    }

    @Override
    public void raiseHostEnd(WirePlan plan) {
      throw new AssertionError("a teardown makes nothing");
    }

    @Override
    public boolean exists(String hostInterface) {
      throw new AssertionError("a teardown does not ask");
    }

    @Override
    public List<String> findDamage(WirePlan plan, MacAddress mac, List<Cidr> addresses) {
      throw new AssertionError("a teardown does not ask");
    }
  }
}

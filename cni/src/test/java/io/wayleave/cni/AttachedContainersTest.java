package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.GarbageCollector;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.Cidr;
import io.wayleave.model.Kind;
import io.wayleave.model.MacAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which containers the garbage collector is told to exist. */
@Tag("real")
@Timeout(60)
class AttachedContainersTest {
  @TempDir private Path directory;
  private CniWorld world;

  @BeforeEach
  void setUp() throws Exception {
    world = CniWorld.create(directory);
  }

  @AfterEach
  void tearDown() throws Exception {
    world.close();
  }

  private static Deadline deadline() {
    return Deadline.after(Duration.ofSeconds(10));
  }

  private Ipam ipam() {
    return new Ipam(world.datastore, CniWorld.NODE, Map::of, IpamOptions.defaults());
  }

  /** Looks twice, with no grace, in the host's network namespace. */
  private GarbageCollector.Collected collect() throws IOException {
    GarbageCollector collector =
        new GarbageCollector(
            world.datastore, ipam(), world.containers(), Duration.ZERO, System::nanoTime);
    return world
        .host
        .get()
        .run(
            () -> {
              var _ = collector.collect(deadline());
              return collector.collect(deadline());
            });
  }

  /** Deletes the namespace; the kernel deletes the veth pair some time later. */
  private void end(Namespace container, String id) throws Exception {
    container.close();
    Until.isTrue(
        "the pair of " + id + " is gone",
        () -> {
          try (NetlinkSocket socket = world.host.open()) {
            return socket.links().find(Wire.hostInterface("h1." + id + ".eth0")).isEmpty();
          }
        });
  }

  @Test
  void aContainerWhoseNamespaceIsGoneIsCollectedWithItsRecordAndOthersStay() throws Exception {
    Namespace stays = world.container();
    world.add("stays", stays);
    List<String> before = world.contents();
    Namespace goes = world.container();
    world.add("goes", goes);
    Ipam ipam = ipam();
    var _ = ipam.allocate(AllocationRequest.count("alone", 1, 0), deadline());
    assertThat(collect().suspected()).isEmpty();

    end(goes, "goes");
    GarbageCollector.Collected collected = collect();

    assertThat(collected.released()).extracting(Handle::id).containsExactly("h1.goes.eth0");
    // It has no endpoint: who uses it, only who asked for it knows.
    assertThat(ipam.find("alone", deadline())).isPresent();
    ipam.release("alone", Optional.empty(), deadline());
    assertThat(world.records().read(new AttachmentKey("goes", "eth0"))).isEmpty();
    // The agent takes these away when the datastore tells it that the endpoint is gone.
    List<String> left = new ArrayList<>(world.contents());
    left.removeAll(List.of("announcement h1.goes.eth0", "policy h1.goes.eth0"));
    assertThat(left).isEqualTo(before);
    // A late DEL has nothing to do, and an ADD begins anew.
    assertThat(world.launcher("DEL", "goes").run().exitStatus()).isZero();
    world.add("goes", world.container());
  }

  @Test
  void anAddressThatIsBeingWiredIsNeverCollected() throws Exception {
    Set<String> released = new HashSet<>();
    Set<String> seen = new HashSet<>();
    for (String moment :
        List.of("before create", "after create", "before protect", "after connect")) {
      world.faults.failAt(
          moment,
          () -> {
            try {
              collect().released().forEach(handle -> released.add(handle.id()));
              seen.add(moment);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
      // The moment fails after that, so the ADD is undone.
      assertThat(world.launcher("ADD", "c1", world.container()).run().exitStatus()).isNotZero();
    }
    assertThat(seen).hasSize(4);
    assertThat(released).isEmpty();
  }

  @Test
  void oneThatIsToBeReleasedAnywayIsLeftToThat() throws Exception {
    Namespace container = world.container();
    world.add("c1", container);
    String generation = world.generationOf("c1");
    end(container, "c1");
    world.stop();
    world.spool().add(new AttachmentKey("c1", "eth0"), Optional.of(generation));
    AttachedContainers containers =
        new AttachedContainers(new VethWiring(), world.records(), world.spool(), new KeyedLock<>());
    Handle handle = ipam().find("h1.c1.eth0", deadline()).orElseThrow();
    assertThat(containers.exists(handle)).isTrue();
    for (DelSpool.Entry entry : world.spool().entries()) {
      world.spool().remove(entry);
    }
    assertThat(world.host.get().run(() -> containers.exists(handle))).isFalse();
  }

  @Test
  void whatTheKernelDoesNotTellIsNotGuessed() throws Exception {
    world.add("c1", world.container());
    Handle handle = ipam().find("h1.c1.eth0", deadline()).orElseThrow();
    AttachedContainers blind =
        new AttachedContainers(
            new SilentWiring(), world.records(), world.spool(), new KeyedLock<>());
    assertThatThrownBy(() -> blind.exists(handle)).hasMessageContaining("c1/eth0");
    assertThat(handle.owners())
        .containsExactly(ResourceStore.key(Kind.WORKLOAD_ENDPOINT, "h1.c1.eth0"));
    world.stop();
  }

  /** A kernel that does not answer. */
  private static final class SilentWiring implements Wiring {
    @Override
    public boolean exists(String hostInterface) throws IOException {
      throw new IOException("no answer");
    }

    @Override
    public void create(WirePlan plan) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void configureHostEnd(WirePlan plan) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void configureContainerEnd(WirePlan plan) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void raiseHostEnd(WirePlan plan) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void delete(String hostInterface) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<String> findDamage(WirePlan plan, MacAddress mac, List<Cidr> addresses) {
      throw new UnsupportedOperationException();
    }
  }
}

package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.cni.Launcher.Outcome;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Transaction;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.linux.Frame;
import io.wayleave.linux.UnixConnection;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.VethPair;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** DEL in all circumstances, the spool, and generations, with the kernel of this machine. */
@Tag("real")
@Timeout(120)
class CniDelTest {
  private static final Outcome SUCCESS = new Outcome(0, "");
  private static final AttachmentKey C1 = new AttachmentKey("c1", "eth0");

  @TempDir Path directory;
  private CniWorld world;
  private Namespace container;

  /** What is there before anything is attached, but after the host has claimed its blocks. */
  private List<String> before;

  @BeforeEach
  void setUp() throws Exception {
    world = CniWorld.create(directory, Duration.ofSeconds(3));
    container = world.container();
    before = world.contents();
  }

  @AfterEach
  void tearDown() throws Exception {
    world.close();
  }

  // ---- DEL

  @Test
  void delUndoesEverythingInTheReverseOrder() throws Exception {
    world.add("c1", container);

    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(before);
    try (NetlinkSocket inside = container.open()) {
      assertThat(inside.links().find("eth0")).isEmpty();
    }
    assertThat(world.dataplane.calls())
        .containsExactly("protect", "connect", "disconnect", "unprotect");
  }

  @Test
  void delTwice() throws Exception {
    world.add("c1", container);

    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void delOfAnUnknownContainer() throws Exception {
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    assertThat(world.launcher("DEL", "c1").with("CNI_IFNAME", "bad-").run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void delWithAnEmptyNamespace() throws Exception {
    world.add("c1", container);

    assertThat(world.launcher("DEL", "c1").with("CNI_NETNS", "").run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void delWithTheNamespaceGone() throws Exception {
    world.add("c1", container);
    String path = container.path();
    container.close();

    assertThat(world.launcher("DEL", "c1").with("CNI_NETNS", path).run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void delAfterTheAgentWasStartedAnew() throws Exception {
    world.add("c1", container);
    world.stop();
    world.start();

    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void delWithARefusedConfigurationStillWorks() throws Exception {
    world.add("c1", container);

    Outcome outcome =
        world
            .launcher("DEL", "c1", container)
            .config("{\"cniVersion\":\"0.3.1\",\"colour\":\"red\"}")
            .with("CNI_ARGS", "nonsense")
            .run();

    assertThat(outcome).isEqualTo(SUCCESS);
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void delOfOneInterfaceLeavesTheOther() throws Exception {
    world.add("c1", container);
    List<String> withOne = world.contents();
    Outcome second = world.launcher("ADD", "c1", container).with("CNI_IFNAME", "net1").run();
    // The default route is there already: an attachment gives the whole way out, so it is alone.
    assertThat(second.exitStatus()).isEqualTo(1);
    assertThat(second.json().path("details").asText()).contains("EEXIST");

    assertThat(world.contents()).isEqualTo(withOne);
    assertThat(world.launcher("DEL", "c1", container).with("CNI_IFNAME", "net1").run())
        .isEqualTo(SUCCESS);
    assertThat(world.contents()).isEqualTo(withOne);
  }

  @Test
  void whenTheRecordsWereLostDelGoesByTheDatastore() throws Exception {
    world.add("c1", container);
    Files.delete(world.spoolDir.resolve("attachments/c1@eth0"));

    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void aKernelThatRefusesMakesDelFailAndTheNextOneGoesOn() throws Exception {
    world.add("c1", container);
    world.faults.failAt("before delete");

    Outcome failed = world.launcher("DEL", "c1", container).run();

    assertThat(failed.json().path("code").asInt()).isEqualTo(999);
    assertThat(failed.json().path("details").asText()).contains("c1/eth0", "injected");
    assertThat(world.contents()).contains("datastore ipam/handles/h1.c1.eth0", "policy h1.c1.eth0");
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    assertThat(world.contents()).isEqualTo(before);
  }

  // ---- the datastore away

  @Test
  void withoutTheDatastoreAddIsRefusedInTimeAndLeavesNothing() throws Exception {
    world.datastore.disconnect();
    long start = System.nanoTime();

    Outcome outcome = world.launcher("ADD", "c1", container).run();

    assertThat(outcome.json().path("code").asInt()).as(outcome.output()).isEqualTo(11);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    try (NetlinkSocket inside = container.open()) {
      assertThat(inside.links().find("eth0")).isEmpty();
    }
    // Whether the address was taken is not known, so its release is noted.
    world.datastore.reconnect();
    Until.isTrue("nothing is left", () -> world.contents().equals(before));
    world.add("c1", container);
  }

  @Test
  void withoutTheDatastoreDelSucceedsAndIsSettledLater() throws Exception {
    world.add("c1", container);
    world.datastore.disconnect();

    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);

    try (NetlinkSocket host = world.host.open()) {
      assertThat(host.links().find(Wire.hostInterface("h1.c1.eth0"))).isEmpty();
    }
    assertThat(world.dataplane.announced()).isEmpty();
    assertThat(world.dataplane.inForce()).isEmpty();
    assertThat(world.records().read(C1)).isEmpty();
    assertThat(world.spool().entriesOf(C1)).hasSize(1);

    world.datastore.reconnect();
    Until.isTrue("nothing is left", () -> world.contents().equals(before));
  }

  @Test
  void whatWasNotSettledKeepsANewAddOfTheContainerOutButNoOther() throws Exception {
    world.add("c1", container);
    world.datastore.disconnect();
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);

    Outcome refused = world.launcher("ADD", "c1", world.container()).run();
    assertThat(refused.json().path("code").asInt()).as(refused.output()).isEqualTo(11);
    assertThat(world.spool().entriesOf(C1)).hasSize(1);

    world.datastore.reconnect();
    world.add("c2", container);
    world.add("c1", world.container());
  }

  // ---- the agent away

  @Test
  void aDelWithoutAnAgentIsSettledBeforeTheNextAgentTakesAnAdd() throws Exception {
    world.add("c1", container);
    world.stop();
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    assertThat(world.spool().entriesOf(C1)).hasSize(1);
    world.datastore.disconnect();
    world.start();

    // It cannot be settled yet, so nobody is let in, whatever the container.
    Outcome refused = world.launcher("ADD", "c2", world.container()).run();
    assertThat(refused.json().path("code").asInt()).as(refused.output()).isEqualTo(11);
    assertThat(refused.json().path("details").asText()).contains("earlier DELs are not settled");
    assertThat(world.launcher("STATUS", "c2").run().json().path("code").asInt()).isEqualTo(50);
    assertThat(world.faults.seen()).filteredOn("before allocate"::equals).hasSize(1);

    world.datastore.reconnect();
    Launcher.Running waiting = world.launcher("ADD", "c2", container).start();
    assertThat(waiting.await().exitStatus()).isZero();
    assertThat(world.records().read(C1)).isEmpty();
    assertThat(world.spool().entries()).isEmpty();
  }

  @Test
  void anAddressThatIsTakenAfterItsAddWasGivenUpIsReleased() throws Exception {
    world.faults.allocateLate();
    Outcome refused = world.launcher("ADD", "c1", container).run();
    assertThat(refused.json().path("code").asInt()).as(refused.output()).isEqualTo(11);
    assertThat(world.spool().entriesOf(C1))
        .singleElement()
        .matches(DelSpool.Entry::late, "is late");
    assertThat(world.records().read(C1)).isEmpty();

    // It is in the way of nobody, also not at the start of an agent.
    world.stop();
    world.start();
    world.add("c2", world.container());
    world.launcher("DEL", "c2").run();

    IpamEndpointStore store =
        new IpamEndpointStore(
            new Ipam(world.datastore, CniWorld.NODE, Map::of, IpamOptions.defaults()));
    store.allocate(world.faults.arriving().orElseThrow(), Duration.ofSeconds(10));
    Until.isTrue(
        "the late address is released",
        () -> store.find("h1.c1.eth0", Duration.ofSeconds(10)).isEmpty());
    // The next one of the same container neither waits for it nor is hit by it.
    world.add("c1", container);
    assertThat(world.spool().entriesOf(C1)).hasSize(1);

    world.stop();
    world.setLateWriteTime(Duration.ofMillis(1));
    world.start();
    Until.isTrue("the entry is settled", () -> world.spool().entries().isEmpty());
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void aHandleThatCannotBeReadKeepsOutItsOwnContainerOnly() throws Exception {
    world.add("c1", container);
    world.add("c3", world.container());
    String generation = world.generationOf("c3");
    world.stop();
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    // As a newer version may have written them; one DEL is spooled, one ADD was never finished.
    world.records().write(Attachment.begun(new AttachmentKey("c3", "eth0"), generation));
    for (String name : List.of("h1.c1.eth0", "h1.c3.eth0")) {
      world.datastore.commit(
          Transaction.builder().put("ipam/handles/" + name, "{\"version\":99}").build(),
          Deadline.after(Duration.ofSeconds(10)));
    }

    world.start();

    Outcome other = world.launcher("ADD", "c2", world.container()).run();
    assertThat(other.exitStatus()).as(other.output()).isZero();
    Outcome own = world.launcher("ADD", "c1", world.container()).run();
    assertThat(own.json().path("code").asInt()).as(own.output()).isEqualTo(999);
    assertThat(own.json().path("details").asText()).contains("ipam/handles/h1.c1.eth0");
    assertThat(world.spool().entriesOf(C1)).hasSize(1);
    assertThat(world.records().read(new AttachmentKey("c3", "eth0"))).isPresent();

    // Mended, it is settled without being asked.
    world.datastore.commit(
        Transaction.builder()
            .delete("ipam/handles/h1.c1.eth0")
            .delete("ipam/handles/h1.c3.eth0")
            .build(),
        Deadline.after(Duration.ofSeconds(10)));
    Until.isTrue("the DEL is settled", () -> world.spool().entries().isEmpty());
    Until.isTrue("the ADD is undone", () -> world.records().all().size() == 1);
  }

  @Test
  void anAddThatACrashEndedIsUndoneByTheNextAgent() throws Exception {
    // As the crash leaves it: the record as begun, and everything else made.
    world.add("c1", container);
    String generation = world.generationOf("c1");
    world.stop();
    world.records().write(Attachment.begun(C1, generation));

    world.start();

    Until.isTrue("nothing is left", () -> world.contents().equals(before));
    world.add("c1", container);
  }

  // ---- generations

  @Test
  void anOldSpooledDelNeverHitsANewerAttachment() throws Exception {
    world.add("c1", container);
    world.stop();
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    Path entry = world.spool().entriesOf(C1).getFirst().file();
    byte[] oldDel = Files.readAllBytes(entry);
    world.start();
    world.add("c1", container);
    String generation = world.generationOf("c1");
    List<String> attached = world.contents();

    // It comes again: a launcher that was slow, or a disk that brought it back.
    Files.write(entry, oldDel);
    Until.isTrue("the old DEL is settled", () -> !Files.exists(entry));

    assertThat(world.contents()).isEqualTo(attached);
    assertThat(world.generationOf("c1")).isEqualTo(generation);

    // The control: with the generation of the newer one it does hit.
    world.spool().add(C1, Optional.of(generation));
    Until.isTrue("the attachment is gone", () -> world.contents().equals(before));
  }

  @Test
  void aDelThatSawNoAttachmentNeverHitsALaterOne() throws Exception {
    world.add("c1", container);
    List<String> attached = world.contents();

    world.spool().add(C1, Optional.empty());
    Until.isTrue("the DEL is settled", () -> world.spool().entries().isEmpty());

    assertThat(world.contents()).isEqualTo(attached);
  }

  @Test
  void aLateAnswerToAnOldLauncherNeverHitsANewerAttachment() throws Exception {
    world.add("c1", container);
    String old = world.generationOf("c1");
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);
    world.add("c1", container);
    List<String> attached = world.contents();

    assertThat(sendDel(old)).isEqualTo(CniReply.done());
    assertThat(world.contents()).isEqualTo(attached);

    // The control: the same request with the generation of the newer one.
    assertThat(sendDel(world.generationOf("c1"))).isEqualTo(CniReply.done());
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void aSpooledDelThatTheAgentHasNotSeenIsSettledByTheAddThatComesAfterIt() throws Exception {
    // The launcher found no agent, but meanwhile there is one.
    world.add("c1", container);
    String old = world.generationOf("c1");
    world.stop();
    world.start();
    world.spool().add(C1, Optional.of(old));

    world.add("c1", world.container());

    assertThat(world.generationOf("c1")).isNotEqualTo(old);
    assertThat(world.spool().entries()).isEmpty();
    assertThat(world.dataplane.announced()).containsExactly("h1.c1.eth0");
  }

  // ---- GC

  @Test
  void gcRemovesWhatTheRuntimeDoesNotListOfItsNetworkOnly() throws Exception {
    world.add("c1", container);
    world.add("c2", world.container());
    Outcome other =
        world
            .launcher("ADD", "c3", world.container())
            .config("{\"cniVersion\":\"1.1.0\",\"name\":\"other\"}")
            .run();
    assertThat(other.exitStatus()).isZero();
    String config = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\"%s}";

    Outcome without = world.launcher("GC", "-").config(config.formatted("")).run();
    assertThat(without.json().path("code").asInt()).isEqualTo(7);
    assertThat(world.dataplane.announced()).hasSize(3);

    String list = ",\"cni.dev/valid-attachments\":[{\"containerID\":\"c2\",\"ifname\":\"eth0\"}]";
    assertThat(world.launcher("GC", "-").config(config.formatted(list)).run()).isEqualTo(SUCCESS);

    assertThat(world.dataplane.announced()).containsExactly("h1.c2.eth0", "h1.c3.eth0");
    assertThat(world.contents()).doesNotContain("datastore ipam/handles/h1.c1.eth0");
  }

  // ---- strangers

  @Test
  void aDelNeverTouchesALinkOfAnother() throws Exception {
    try (NetlinkSocket host = world.host.open()) {
      host.links().create(VethPair.of("wl00000000001", "stranger"));
    }
    List<String> withStranger = world.contents();
    world.add("c1", container);

    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(SUCCESS);

    assertThat(world.contents()).isEqualTo(withStranger);
  }

  /** As a launcher does it that read the record earlier. */
  private CniReply sendDel(String generation) throws Exception {
    RequestFrame frame =
        Requests.frame(
            "DEL",
            "{\"cniVersion\":\"1.1.0\",\"name\":\"net\"}",
            RequestFrame.GENERATION,
            generation);
    try (UnixConnection connection = UnixConnection.connect(world.socket, Duration.ofSeconds(10))) {
      connection.send(frame.encode(), List.of(), Duration.ofSeconds(10));
      try (Frame reply = connection.receive(RequestFrame.MAX_BYTES, 0, Duration.ofSeconds(10))) {
        byte[] bytes = reply.bytes();
        return new CniReply(bytes[0], new String(bytes, 1, bytes.length - 1, UTF_8));
      }
    }
  }
}

package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.cni.Launcher.Outcome;
import io.wayleave.datastore.Deadline;
import io.wayleave.ipam.Pools;
import io.wayleave.linux.Sysctl;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.Neighbour;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** ADD, CHECK, STATUS and bad input, with the kernel of this machine. */
@Tag("real")
@Timeout(120)
class CniServerTest {
  /** Without its end. */
  private static final String CONFIG =
      "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"wayleave\"";

  @TempDir Path directory;
  private CniWorld world;

  @BeforeEach
  void setUp() throws Exception {
    world = CniWorld.create(directory);
  }

  @AfterEach
  void tearDown() throws Exception {
    world.close();
  }

  // ---- ADD

  @Test
  void addWiresTheContainerAsDesigned() throws Exception {
    Namespace container = world.container();

    Outcome outcome = world.launcher("ADD", "c1", container).with("WAYLEAVE_LABELS", "a=b").run();

    assertThat(outcome.exitStatus()).as(outcome.output()).isZero();
    WorkloadEndpoint endpoint = endpoint("c1");
    assertThat(endpoint.labels()).containsEntry("a", "b");
    assertThat(endpoint.name()).isEqualTo("h1.c1.eth0");
    assertThat(endpoint.spec().network()).isEqualTo("net");
    IpAddress ipv4 = address(endpoint, Family.IPV4);
    IpAddress ipv6 = address(endpoint, Family.IPV6);
    String hostInterface = Wire.hostInterface("h1.c1.eth0");
    assertThat(hostInterface).matches("wl[0-9a-f]{11}");

    try (NetlinkSocket socket = container.open()) {
      Link link = socket.links().get("eth0");
      assertThat(link.up()).isTrue();
      assertThat(link.carrier()).isTrue();
      assertThat(link.mtu()).isEqualTo(1450);
      assertThat(link.mac()).contains(endpoint.spec().mac());
      assertThat(socket.addresses().list(link.index()))
          .filteredOn(address -> !address.address().isLinkLocal())
          .allMatch(address -> !address.flags().contains(InterfaceAddress.Flag.TENTATIVE))
          .extracting(address -> address.address() + "/" + address.prefixLength())
          .containsExactlyInAnyOrder(ipv4 + "/32", ipv6 + "/128");
      assertThat(socket.routes().list(RouteFilter.mainTable(Family.IPV4)))
          .extracting(Route::toString)
          .containsExactlyInAnyOrder(
              "169.254.1.1/32 dev #" + link.index() + " table 254",
              "0.0.0.0/0 via 169.254.1.1 dev #" + link.index() + " table 254");
      assertThat(socket.routes().list(RouteFilter.mainTable(Family.IPV6)))
          .extracting(Route::destination)
          .extracting(Object::toString)
          .contains("::/0");
      assertThat(socket.neighbours().list())
          .contains(
              Neighbour.permanent(
                  link.index(), Wire.GATEWAY_V4, MacAddress.parse("ee:ee:ee:ee:ee:ee")),
              Neighbour.permanent(
                  link.index(), Wire.GATEWAY_V6, MacAddress.parse("ee:ee:ee:ee:ee:ee")));
    }
    try (NetlinkSocket socket = world.host.open()) {
      Link link = socket.links().get(hostInterface);
      assertThat(link.up()).isTrue();
      assertThat(link.mac()).contains(Wire.HOST_MAC);
      assertThat(link.alias()).isEqualTo("wayleave:h1.c1.eth0");
      assertThat(link.mtu()).isEqualTo(1450);
      assertThat(socket.addresses().list(link.index()))
          .extracting(InterfaceAddress::address)
          .containsExactly(Wire.GATEWAY_V6);
    }
    assertThat(sysctl(Family.IPV4, hostInterface, "forwarding")).isEqualTo("1");
    assertThat(sysctl(Family.IPV4, hostInterface, "rp_filter")).isEqualTo("1");
    assertThat(sysctl(Family.IPV4, hostInterface, "route_localnet")).isEqualTo("0");
    assertThat(sysctl(Family.IPV4, hostInterface, "proxy_arp")).isEqualTo("0");
    assertThat(sysctl(Family.IPV6, hostInterface, "forwarding")).isEqualTo("1");
    assertThat(sysctl(Family.IPV6, hostInterface, "accept_ra")).isEqualTo("0");

    JsonNode result = outcome.json();
    assertThat(result.path("cniVersion").asText()).isEqualTo("1.1.0");
    assertThat(result.at("/interfaces/0/name").asText()).isEqualTo(hostInterface);
    assertThat(result.at("/interfaces/1/sandbox").asText()).isEqualTo(container.path());
    assertThat(result.at("/interfaces/1/mac").asText()).isEqualTo(endpoint.spec().mac().toString());
    assertThat(result.at("/ips/0/address").asText()).isEqualTo(ipv4 + "/32");
    assertThat(world.dataplane.announced()).containsExactly("h1.c1.eth0");
    assertThat(world.dataplane.calls()).containsExactly("protect", "connect");
  }

  @Test
  void packetsPassBothWaysInBothFamilies() throws Exception {
    Namespace container = world.container();
    world.add("c1", container);
    WorkloadEndpoint endpoint = endpoint("c1");

    assertConnects(world.host, container, address(endpoint, Family.IPV4).toString());
    assertConnects(world.host, container, address(endpoint, Family.IPV6).toString());
    assertConnects(container, world.host, CniWorld.HOST_V4);
    assertConnects(container, world.host, CniWorld.HOST_V6);
  }

  @Test
  void twoContainersOfAHostReachEachOther() throws Exception {
    Namespace first = world.container();
    Namespace second = world.container();
    world.add("c1", first);
    world.add("c2", second);
    Sysctl.write(world.host.get(), Map.of("net/ipv6/conf/all/forwarding", "1"));

    assertConnects(first, second, address(endpoint("c2"), Family.IPV4).toString());
    assertConnects(second, first, address(endpoint("c1"), Family.IPV6).toString());
  }

  @ParameterizedTest
  @EnumSource(CniVersion.class)
  void addAndDelSpeakEveryVersion(CniVersion version) throws Exception {
    String config =
        "{\"cniVersion\":\"%s\",\"name\":\"net\",\"type\":\"wayleave\",\"mtu\":1300}"
            .formatted(version);
    Namespace container = world.container();
    List<String> before = world.contents();

    Outcome outcome = world.launcher("ADD", "c1", container).config(config).run();

    assertThat(outcome.exitStatus()).as(outcome.output()).isZero();
    assertThat(outcome.json().path("cniVersion").asText()).isEqualTo(version.toString());
    assertThat(outcome.json().at("/ips/0").has("version"))
        .isEqualTo(version.compareTo(CniVersion.V1_0_0) < 0);
    try (NetlinkSocket socket = container.open()) {
      assertThat(socket.links().get("eth0").mtu()).isEqualTo(1300);
    }
    assertThat(world.launcher("DEL", "c1", container).config(config).run())
        .isEqualTo(new Outcome(0, ""));
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void aWantedAddressIsGivenOnceAndFreedByDel() throws Exception {
    Namespace first = world.container();
    Namespace second = world.container();

    Outcome given = world.launcher("ADD", "c1", first).with("CNI_ARGS", "IP=10.1.0.77").run();
    assertThat(given.json().at("/ips/0/address").asText()).isEqualTo("10.1.0.77/32");

    Outcome taken = world.launcher("ADD", "c2", second).with("CNI_ARGS", "IP=10.1.0.77").run();
    assertError(taken, 102);
    assertThat(taken.json().path("details").asText())
        .startsWith("CNI_ARGS.IP: address 10.1.0.77 cannot be given: it is in use");

    world.launcher("DEL", "c1", first).run();
    Outcome again = world.launcher("ADD", "c2", second).with("CNI_ARGS", "IP=10.1.0.77").run();
    assertThat(again.json().at("/ips/0/address").asText()).isEqualTo("10.1.0.77/32");
  }

  @Test
  void bothFamiliesAreGivenByNameOrNeither() throws Exception {
    Namespace first = world.container();
    String wanted = ",\"runtimeConfig\":{\"ips\":[\"10.1.0.78\",\"fd00:1::78\"]}}";
    Outcome given = world.launcher("ADD", "c1", first).config(CONFIG + wanted).run();
    assertThat(given.json().at("/ips/1/address").asText()).isEqualTo("fd00:1::78/128");
    List<String> before = world.contents();

    String half = ",\"runtimeConfig\":{\"ips\":[\"10.1.0.79\",\"fd00:1::78\"]}}";
    Outcome refused = world.launcher("ADD", "c2", world.container()).config(CONFIG + half).run();
    assertError(refused, 102);
    assertThat(refused.json().path("details").asText())
        .startsWith("runtimeConfig.ips: address fd00:1::78 cannot be given");
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void poolsAreChosenByNameAndByTheNamespace() throws Exception {
    Pools pools = new Pools(world.datastore);
    Deadline deadline = Deadline.after(Duration.ofSeconds(10));
    pools.create(
        new IpPool(
            Metadata.of("prod"),
            IpPool.Spec.of(Cidr.parse("10.2.0.0/24"), 26)
                .withNamespaceSelector("projectcalico.org/name == 'prod' && tier == 'front'")),
        deadline);
    String front = ",\"namespaceLabels\":{\"tier\":\"front\"}";
    String prod = ",\"ipam\":{\"ipv4_pools\":[\"prod\"]}";

    Outcome given =
        world
            .launcher("ADD", "c1", world.container())
            .config(CONFIG + front + prod + "}")
            .with("CNI_ARGS", "K8S_POD_NAMESPACE=prod")
            .run();
    assertThat(given.json().at("/ips/0/address").asText()).startsWith("10.2.0.");
    assertThat(given.json().at("/ips/1/address").asText()).startsWith("fd00:1:");
    assertThat(world.datastore.get("ipam/handles/h1.c1.eth0", deadline).orElseThrow().text())
        .contains("\"namespace\":\"prod\"");
    List<String> before = world.contents();

    Outcome other =
        world
            .launcher("ADD", "c2", world.container())
            .config(CONFIG + front + prod + "}")
            .with("CNI_ARGS", "K8S_POD_NAMESPACE=test")
            .run();
    assertError(other, 102);
    assertThat(other.json().path("details").asText())
        .contains("pool prod (10.2.0.0/24) is for namespaces that match")
        .contains("projectcalico.org/name=test");
    for (String wrong : List.of("nope", "v6")) {
      String named = ",\"ipam\":{\"ipv4_pools\":[\"" + wrong + "\"]}}";
      Outcome refused = world.launcher("ADD", "c3", world.container()).config(CONFIG + named).run();
      assertError(refused, 7);
      assertThat(refused.json().path("details").asText())
          .startsWith("ipam.ipv4_pools: \"" + wrong + "\" is not allowed; allowed: ");
    }
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void aSecondAddIsAnErrorAndChangesNothing() throws Exception {
    Namespace container = world.container();
    world.add("c1", container);
    List<String> before = world.contents();
    List<String> inside = container.contents();

    Outcome outcome = world.launcher("ADD", "c1", container).run();

    assertError(outcome, 100);
    assertThat(world.contents()).isEqualTo(before);
    assertThat(container.contents()).isEqualTo(inside);
    assertConnects(world.host, container, address(endpoint("c1"), Family.IPV4).toString());
  }

  @Test
  void anInterfaceThatTheContainerHasIsAnErrorAndStays() throws Exception {
    Namespace container = world.container();
    try (NetlinkSocket socket = container.open()) {
      socket.links().create(VethPair.of("eth0", "other"));
    }
    List<String> before = world.contents();
    List<String> inside = container.contents();

    Outcome outcome = world.launcher("ADD", "c1", container).run();

    assertError(outcome, 4);
    assertThat(outcome.json().path("details").asText()).startsWith("CNI_IFNAME: \"eth0\"");
    assertThat(world.contents()).isEqualTo(before);
    assertThat(container.contents()).isEqualTo(inside);
  }

  @Test
  void anAttachmentThatWasLostMakesRoomForANewOne() throws Exception {
    Namespace container = world.container();
    world.add("c1", container);
    String generation = world.generationOf("c1");
    try (NetlinkSocket socket = world.host.open()) {
      socket.links().delete(Wire.hostInterface("h1.c1.eth0"));
    }

    world.add("c1", world.container());

    assertThat(world.generationOf("c1")).isNotEqualTo(generation);
    assertThat(world.dataplane.announced()).containsExactly("h1.c1.eth0");
  }

  static List<String> moments() {
    List<String> moments = new ArrayList<>();
    for (String step : Faults.STEPS) {
      moments.add("before " + step);
      moments.add("after " + step);
    }
    return moments;
  }

  @ParameterizedTest
  @MethodSource("moments")
  void aFailureAtAnyMomentLeavesNothing(String moment) throws Exception {
    Namespace container = world.container();
    // The first attachment of a host claims a block, which stays.
    world.add("c0", world.container());
    List<String> before = world.contents();
    List<String> inside = container.contents();
    long descriptors = namespaceDescriptors();
    world.faults.failAt(moment);

    Outcome outcome = world.launcher("ADD", "c1", container).run();

    assertError(outcome, moment.endsWith("allocate") ? 11 : 999);
    assertThat(outcome.json().path("details").asText()).isEqualTo("injected " + moment);
    assertThat(world.contents()).isEqualTo(before);
    assertThat(container.contents()).isEqualTo(inside);
    Until.isTrue("descriptors are closed", () -> namespaceDescriptors() == descriptors);
    // And nothing is in the way of the next one.
    world.add("c1", container);
    world.launcher("DEL", "c1", container).run();
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void theMomentsAreAllThatAnAddHas() throws Exception {
    world.add("c1", world.container());

    assertThat(world.faults.seen()).containsExactlyElementsOf(moments());
  }

  @ParameterizedTest
  @ValueSource(strings = {"before delete", "before disconnect", "before unprotect"})
  void whatAnUndoCannotUndoKeepsItsAddressUntilTheDel(String moment) throws Exception {
    Namespace container = world.container();
    List<String> before = world.contents();
    world.faults.failAt("after connect", () -> world.faults.failAt(moment));

    Outcome outcome = world.launcher("ADD", "c1", container).run();

    assertError(outcome, 999);
    assertThat(outcome.json().path("details").asText()).isEqualTo("injected after connect");
    assertThat(world.contents()).contains("datastore ipam/handles/h1.c1.eth0");
    assertThat(world.records().read(new AttachmentKey("c1", "eth0"))).isPresent();

    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(new Outcome(0, ""));
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void anAddWhoseLauncherHasGoneMakesNothing() throws Exception {
    Namespace container = world.container();
    List<String> before = world.contents();
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    world.setReadiness(
        timeout -> {
          arrived.countDown();
          go.await();
          return Optional.empty();
        });
    Launcher.Running running = world.launcher("ADD", "c1", container).start();
    arrived.await();

    running.process().destroyForcibly().waitFor();
    // The runtime gave up; its DEL finds no record, and so names no generation.
    assertThat(world.launcher("DEL", "c1", container).run()).isEqualTo(new Outcome(0, ""));
    go.countDown();

    world.setReadiness(timeout -> Optional.empty());
    world.stop(); // waits for requests under way
    assertThat(world.contents()).isEqualTo(before);
    assertThat(world.faults.seen()).doesNotContain("before allocate");
  }

  @Test
  void containersOfOneMomentGetDifferentAddresses() throws Exception {
    List<Launcher.Running> running = new ArrayList<>();
    List<Namespace> containers = new ArrayList<>();
    List<String> before = world.contents();
    for (int i = 0; i < 12; i++) {
      containers.add(world.container());
      running.add(world.launcher("ADD", "c" + i, containers.get(i)).start());
    }
    Set<String> addresses = new HashSet<>();
    for (Launcher.Running each : running) {
      Outcome outcome = each.await();
      assertThat(outcome.exitStatus()).as(outcome.output()).isZero();
      addresses.add(outcome.json().at("/ips/0/address").asText());
    }
    assertThat(addresses).hasSize(12);

    List<Launcher.Running> ending = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      ending.add(world.launcher("DEL", "c" + i, containers.get(i)).start());
    }
    for (Launcher.Running each : ending) {
      assertThat(each.await()).isEqualTo(new Outcome(0, ""));
    }
    assertThat(world.contents()).isEqualTo(before);
  }

  // ---- the end of the agent

  @Test
  void anAddThatWaitsForReadinessIsRefusedWhenTheAgentStops() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    world.setReadiness(
        timeout -> {
          arrived.countDown();
          new CountDownLatch(1).await();
          return Optional.empty();
        });
    Launcher.Running running = world.launcher("ADD", "c1", world.container()).start();
    arrived.await();
    long start = System.nanoTime();

    world.stop();

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    Outcome outcome = running.await();
    assertError(outcome, 11);
    assertThat(outcome.json().path("details").asText()).isEqualTo("the agent is stopping");
  }

  @Test
  void whatIsInterruptedByTheStopIsUndoneBeforeItEnds() throws Exception {
    world.close();
    world = CniWorld.create(directory.resolve("short"), Duration.ofMillis(500));
    Namespace container = world.container();
    List<String> before = world.contents();
    CountDownLatch arrived = new CountDownLatch(1);
    world.faults.failAt(
        "after create",
        () -> {
          arrived.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    Launcher.Running running = world.launcher("ADD", "c1", container).start();
    arrived.await();

    world.stop();

    assertThat(world.contents()).isEqualTo(before);
    assertThat(running.await().exitStatus()).isNotZero();
  }

  // ---- bad input

  @Test
  void aFileThatIsNoNamespaceIsRefused() throws Exception {
    Path file = Files.writeString(directory.resolve("empty"), "");
    List<String> before = world.contents();

    Outcome outcome = world.launcher("ADD", "c1").with("CNI_NETNS", file.toString()).run();

    assertError(outcome, 4);
    assertThat(outcome.json().path("details").asText()).startsWith("CNI_NETNS: \"" + file);
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void theAgentsOwnNamespaceIsRefused() throws Exception {
    List<String> before = world.contents();

    Outcome outcome = world.launcher("ADD", "c1", world.host).run();

    assertError(outcome, 4);
    assertThat(outcome.json().path("details").asText()).startsWith("CNI_NETNS: ");
    assertThat(world.contents()).isEqualTo(before);
  }

  @Test
  void aLauncherWithAnotherSpoolIsRefused() throws Exception {
    Path other = Files.createDirectory(directory.resolve("other"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), world.spoolDir);

    Outcome refused =
        world
            .launcher("ADD", "c1", world.container())
            .with("WAYLEAVE_SPOOL", other.toString())
            .run();
    Outcome same =
        world
            .launcher("ADD", "c1", world.container())
            .with("WAYLEAVE_SPOOL", link.toString())
            .run();

    assertError(refused, 7);
    assertThat(refused.json().path("details").asText())
        .startsWith("spoolDir: \"" + other)
        .contains(world.spoolDir.toString());
    assertThat(same.exitStatus()).as(same.output()).isZero();
  }

  @Test
  void anErrorIsInTheAskedVersion() throws Exception {
    Outcome outcome =
        world
            .launcher("ADD", "c1", world.container())
            .config("{\"cniVersion\":\"0.3.1\",\"name\":\"net\",\"colour\":\"red\"}")
            .run();

    assertError(outcome, 2);
    assertThat(outcome.json().path("cniVersion").asText()).isEqualTo("0.3.1");
    assertThat(outcome.json().path("details").asText()).startsWith("colour: \"red\"");
  }

  @Test
  void aNameThatDoesNotFitAnAliasIsRefusedAndSaysWhatWouldFit() throws Exception {
    String id = "a".repeat(AttachmentKey.MAX_CONTAINER_ID);

    // With this short name of the node the longest id fits.
    Outcome outcome = world.launcher("ADD", id, world.container()).run();

    assertThat(outcome.exitStatus()).as(outcome.output()).isZero();
    try (NetlinkSocket socket = world.host.open()) {
      assertThat(socket.links().get(Wire.hostInterface("h1." + id + ".eth0")).alias())
          .isEqualTo("wayleave:h1." + id + ".eth0");
    }
  }

  // ---- CHECK

  @Test
  void checkFindsNothingToSayAfterAnAdd() throws Exception {
    Namespace container = world.container();
    String result = world.add("c1", container).output();

    assertThat(check(container, result)).isEqualTo(new Outcome(0, ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "host link down",
        "container link down",
        "address",
        "default route",
        "neighbour",
        "mac",
        "link",
        "gateway address"
      })
  void checkFindsWhatIsDamaged(String what) throws Exception {
    Namespace container = world.container();
    String result = world.add("c1", container).output();
    damage(what, container);

    Outcome outcome = check(container, result);

    assertError(outcome, 101);
    assertThat(outcome.json().path("details").asText()).startsWith("container c1/eth0: ");
  }

  @Test
  void checkAcceptsTheMacAndLeavesTheAddressesThatAnotherPluginReports() throws Exception {
    Namespace container = world.container();
    ObjectNode result = (ObjectNode) world.add("c1", container).json();
    damage("mac", container);
    damage("address", container);
    try (NetlinkSocket inside = container.open()) {
      // The kernel forgets all neighbours of a link whose MAC changes, permanent ones too, so a
      // plugin that does this must put them back.
      int eth0 = inside.links().get("eth0").index();
      inside.neighbours().replace(Neighbour.permanent(eth0, Wire.GATEWAY_V4, Wire.HOST_MAC));
      inside.neighbours().replace(Neighbour.permanent(eth0, Wire.GATEWAY_V6, Wire.HOST_MAC));
    }
    ((ObjectNode) result.at("/interfaces/1")).put("mac", "02:00:00:00:00:99");
    result.withArray("ips").remove(0);

    assertThat(check(container, result.toString())).isEqualTo(new Outcome(0, ""));
  }

  @Test
  void checkNeedsTheResultAndTheAttachment() throws Exception {
    Namespace container = world.container();
    String result = world.add("c1", container).output();

    assertError(world.launcher("CHECK", "c1", container).run(), 7);
    world.launcher("DEL", "c1", container).run();
    assertError(check(container, result), 101);
  }

  // ---- STATUS, and readiness

  @Test
  void statusIsWhetherAddsAreTaken() throws Exception {
    assertThat(world.launcher("STATUS", "c1").run()).isEqualTo(new Outcome(0, ""));

    world.setReadiness(timeout -> Optional.of("the datastore is not in sync"));
    Outcome outcome = world.launcher("STATUS", "c1").run();

    assertError(outcome, 50);
    assertThat(outcome.json().path("details").asText()).isEqualTo("the datastore is not in sync");
    assertError(world.launcher("ADD", "c1", world.container()).run(), 11);
    assertThat(world.launcher("DEL", "c1").run()).isEqualTo(new Outcome(0, ""));
  }

  // ---- helpers

  private Outcome check(Namespace container, String result) throws Exception {
    return world
        .launcher("CHECK", "c1", container)
        .config(
            "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"wayleave\",\"prevResult\":"
                + result
                + "}")
        .run();
  }

  private void damage(String what, Namespace container) throws IOException {
    try (NetlinkSocket host = world.host.open();
        NetlinkSocket inside = container.open()) {
      int eth0 = inside.links().get("eth0").index();
      Link hostEnd = host.links().get(Wire.hostInterface("h1.c1.eth0"));
      switch (what) {
        case "host link down" -> host.links().setDown(hostEnd.index());
        case "container link down" -> inside.links().setDown(eth0);
        case "neighbour" -> inside.neighbours().delete(eth0, Wire.GATEWAY_V4);
        case "mac" -> inside.execute(Links.settingMac(eth0, MacAddress.parse("02:00:00:00:00:99")));
        case "link" -> host.links().delete(hostEnd.name());
        case "address" -> {
          for (InterfaceAddress address : inside.addresses().list(eth0)) {
            if (address.family() == Family.IPV4) {
              inside.addresses().delete(address);
            }
          }
        }
        case "default route" -> {
          for (Route route : inside.routes().list(RouteFilter.mainTable(Family.IPV4))) {
            if (route.destination().prefixLength() == 0) {
              inside.routes().delete(route);
            }
          }
        }
        case "gateway address" -> {
          for (InterfaceAddress address : host.addresses().list(hostEnd.index())) {
            host.addresses().delete(address);
          }
        }
        default -> throw new AssertionError(what);
      }
    }
  }

  /** A TCP connection and a byte each way; it fails when either way is not there. */
  private static void assertConnects(Namespace from, Namespace to, String address)
      throws Exception {
    try (ServerSocket listening =
        to.get()
            .run(
                () -> {
                  ServerSocket socket = new ServerSocket();
                  socket.bind(new InetSocketAddress(address, 0));
                  socket.setSoTimeout(10_000);
                  return socket;
                })) {
      try (Socket out =
              from.get()
                  .run(
                      () -> {
                        Socket socket = new Socket();
                        socket.connect(
                            new InetSocketAddress(address, listening.getLocalPort()), 10_000);
                        return socket;
                      });
          Socket in = listening.accept()) {
        out.setSoTimeout(10_000);
        out.getOutputStream().write(7);
        assertThat(in.getInputStream().read()).isEqualTo(7);
        in.getOutputStream().write(8);
        assertThat(out.getInputStream().read()).isEqualTo(8);
      }
    }
  }

  private WorkloadEndpoint endpoint(String containerId) throws Exception {
    // As the datastore has it, which is what other hosts go by.
    return ResourceCodec.fromJson(
        world
            .datastore
            .get(
                "resources/workloadendpoints/h1." + containerId + ".eth0",
                Deadline.after(Duration.ofSeconds(5)))
            .orElseThrow()
            .value(),
        WorkloadEndpoint.class);
  }

  private static IpAddress address(WorkloadEndpoint endpoint, Family family) {
    return endpoint.spec().ipNetworks().stream()
        .filter(network -> network.family() == family)
        .findFirst()
        .orElseThrow()
        .address();
  }

  private String sysctl(Family family, String name, String setting) throws IOException {
    return Sysctl.read(world.host.get(), Sysctl.interfaceKey(family, name, setting));
  }

  /** How many descriptors of network namespaces this process has. */
  private static long namespaceDescriptors() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(CniServerTest::isNamespace).count();
    }
  }

  private static boolean isNamespace(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("net:[");
    } catch (IOException e) {
      return false; // closed meanwhile
    }
  }

  private static void assertError(Outcome outcome, int code) throws IOException {
    assertThat(outcome.exitStatus()).as(outcome.output()).isEqualTo(1);
    assertThat(outcome.json().path("code").asInt()).as(outcome.output()).isEqualTo(code);
  }
}

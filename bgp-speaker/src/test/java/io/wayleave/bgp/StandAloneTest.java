package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The program {@code wayleave-bgp} as a process, between two real BIRDs, each of the three in a
 * network namespace of its own. BIRD's own CLI is asked for everything.
 */
@Tag("real")
class StandAloneTest {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final String SMALLEST =
      """
      routerId: 10.90.1.2
      asNumber: 65002
      peers:
        - { name: gen, address: 10.90.1.1, asNumber: 65001 }
        - { name: recv, address: 10.90.2.1, asNumber: 65003 }
      """;

  private final String id = "wlt" + ProcessHandle.current().pid();
  private final List<String> namespaces = new ArrayList<>();
  private Daemon speaker;
  private Daemon gen;
  private Daemon recv;

  @BeforeEach
  void start() throws IOException {
    for (String name : List.of("s", "g", "r")) {
      run("ip", "netns", "add", id + name);
      namespaces.add(id + name);
    }
    link("g", "10.90.1.1/24", "10.90.1.2/24");
    link("r", "10.90.2.1/24", "10.90.2.2/24");
    speaker = new Daemon("bgp");
    gen = new Daemon("gen");
    recv = new Daemon("recv");
    bird(gen, "g", 1, 65001, "route 10.2.0.0/24 blackhole; route 10.3.0.0/24 blackhole;");
    bird(recv, "r", 2, 65003, "");
  }

  private void link(String name, String its, String ours) {
    ip("s", "link", "add", "to" + name, "type", "veth", "peer", "name", "s", "netns", id + name);
    ip("s", "address", "add", ours, "dev", "to" + name);
    ip("s", "link", "set", "to" + name, "up");
    ip(name, "address", "add", its, "dev", "s");
    ip(name, "link", "set", "s", "up");
  }

  private void ip(String namespace, String... words) {
    List<String> command = new ArrayList<>(List.of("ip", "-n", id + namespace));
    command.addAll(List.of(words));
    run(command.toArray(new String[0]));
  }

  private static void run(String... command) {
    assertThat(Daemon.run(List.of(command))).as("%s", List.of(command)).isEmpty();
  }

  private void bird(Daemon bird, String namespace, int net, int as, String routes)
      throws IOException {
    bird.write(
        "bird.conf",
        """
        log stderr all;
        router id 10.90.%1$d.1;
        protocol device { }
        protocol static s4 { ipv4; %3$s }
        protocol bgp wayleave {
          local 10.90.%1$d.1 as %2$d;
          neighbor 10.90.%1$d.2 as 65002;
          connect delay time 1; connect retry time 2; error wait time 1,2;
          ipv4 { import all; export where source = RTS_STATIC; };
        }
        """
            .formatted(net, as, routes));
    bird.start(
        inside(namespace, "bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid"));
    Await.until(
        "bird answers",
        WAIT,
        () -> bird.birdc("show status").contains("up and running"),
        bird::log);
  }

  private List<String> inside(String namespace, String... command) {
    List<String> words = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + id + namespace));
    words.addAll(List.of(command));
    return words;
  }

  private void startSpeaker(String file) throws IOException {
    speaker.write("bgp.yaml", file);
    speaker.start(
        inside(
            "s",
            // A JVM never handles a SIGHUP that its parent ignores, as under nohup.
            "env",
            "--default-signal=HUP",
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            "io.wayleave.bgp.daemon.BgpMain",
            "--config",
            "bgp.yaml"));
  }

  private void hangUp(String file) throws IOException {
    speaker.write("bgp.yaml", file);
    run("kill", "-HUP", Long.toString(speaker.pid()));
  }

  @AfterEach
  void stop() throws IOException {
    try (Daemon _ = speaker;
        Daemon _ = gen;
        Daemon _ = recv) {
      // Processes end before their namespaces go.
    } finally {
      namespaces.forEach(name -> Daemon.run(List.of("ip", "netns", "delete", name)));
    }
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(
        what,
        WAIT,
        condition,
        () ->
            speaker.log()
                + gen.log()
                + gen.birdc("show protocols all wayleave")
                + recv.birdc("show protocols all wayleave"));
  }

  private static boolean has(Daemon bird, String prefix) {
    return bird.birdc("show route").contains(prefix + " ");
  }

  private static boolean established(Daemon bird) {
    return bird.birdc("show protocols wayleave").contains("Established");
  }

  @Test
  void theSmallestFileCarriesRoutesFromOnePeerToTheOther() throws IOException {
    startSpeaker(SMALLEST);
    until("carried", () -> has(recv, "10.2.0.0/24") && has(recv, "10.3.0.0/24"));
    assertThat(recv.birdc("show route all 10.2.0.0/24"))
        .contains("BGP.as_path: 65002 65001")
        .contains("BGP.next_hop: 10.90.2.2");
    gen.birdc("disable s4");
    until("withdrawn", () -> !has(recv, "10.2.0.0/24"));
    assertThat(established(gen)).isTrue();
  }

  @Test
  void hangUpAppliesOnlyTheDifference() throws IOException {
    startSpeaker(SMALLEST);
    until("carried", () -> has(recv, "10.2.0.0/24"));
    String since = gen.birdc("show protocols wayleave");

    hangUp(SMALLEST + "    adress: 10.90.3.1\n");
    until("refused", () -> speaker.log().contains("configuration not taken"));
    assertThat(established(recv)).as("a broken file changes nothing").isTrue();

    hangUp(SMALLEST.lines().limit(4).reduce("", (text, line) -> text + line + "\n"));
    until("recv is gone", () -> !established(recv));
    assertThat(recv.birdc("show protocols all wayleave")).contains("Peer de-configured");
    assertThat(gen.birdc("show protocols wayleave")).isEqualTo(since);

    hangUp(SMALLEST);
    until("recv is back", () -> has(recv, "10.2.0.0/24"));
    assertThat(gen.birdc("show protocols wayleave")).isEqualTo(since);
  }

  @Test
  void termTakesLeaveOfThePeers() throws IOException {
    startSpeaker(SMALLEST);
    until("carried", () -> has(recv, "10.2.0.0/24"));
    run("kill", "-TERM", Long.toString(speaker.pid()));
    speaker.await();
    until(
        "said", () -> gen.birdc("show protocols all wayleave").contains("Administrative shutdown"));
    assertThat(has(recv, "10.2.0.0/24")).isFalse();
  }

  /** Nobody here forwards by these routes but in the peers' view: their tables are asked. */
  @Test
  void peersKeepTheRoutesOverARestartWhereForwardingIsPreserved() throws IOException {
    String file =
        SMALLEST
            + "gracefulRestart: { forwardingPreserved: true, restartTime: 60 }\n"
            + "routes: [ { prefix: 10.9.0.0/24, communities: [\"65002:1:2\"],"
            + " nextHop: 10.90.2.9 } ]\n";
    startSpeaker(file);
    until("carried", () -> has(recv, "10.2.0.0/24") && has(recv, "10.9.0.0/24"));
    String told = recv.birdc("show route all 10.9.0.0/24");
    assertThat(told)
        .contains("BGP.next_hop: 10.90.2.9")
        .contains("BGP.large_community: (65002, 1, 2)");

    run("kill", "-TERM", Long.toString(speaker.pid()));
    speaker.await();
    until("lost", () -> !established(recv));
    assertThat(recv.birdc("show protocols all wayleave"))
        .contains("Neighbor graceful restart active");
    assertThat(recv.birdc("show route all 10.9.0.0/24")).isEqualTo(told);
    assertThat(has(recv, "10.2.0.0/24")).isTrue();

    // What is gone meanwhile goes with End-of-RIB; what is still there was never away.
    gen.birdc("disable s4");
    startSpeaker(file);
    until("swept", () -> established(recv) && !has(recv, "10.2.0.0/24"));
    assertThat(recv.birdc("show protocols all wayleave"))
        .contains("Restart recovery")
        .contains("AF preserved: ipv4")
        .doesNotContain("Neighbor graceful restart active");
    assertThat(recv.birdc("show route all 10.9.0.0/24")).isEqualTo(told);
  }

  @Test
  void aChangedPasswordFileIsNoticed() throws IOException {
    speaker.write("password", "first\n");
    gen.write("bird.conf", gen.read("bird.conf").replace("ipv4 {", "password \"first\"; ipv4 {"));
    gen.birdc("configure");
    startSpeaker(
        SMALLEST.replace(
            "asNumber: 65001 }",
            "asNumber: 65001, passwordFile: " + speaker.folder().resolve("password") + " }"));
    until("up", () -> established(gen) && has(recv, "10.2.0.0/24"));
    String since = recv.birdc("show protocols wayleave");

    gen.write("bird.conf", gen.read("bird.conf").replace("first", "second"));
    gen.birdc("configure");
    until("down", () -> !established(gen));
    speaker.write("password", "second\n");
    until("up again", () -> established(gen) && has(recv, "10.2.0.0/24"));
    assertThat(speaker.log()).contains("password changed").doesNotContain("second");
    assertThat(recv.birdc("show protocols wayleave")).isEqualTo(since);
  }

  @Test
  void checkRefusesWithoutStarting() throws IOException {
    startSpeaker("routerId: 10.90.1.2\nasNumber: 65002\nper: []\n");
    speaker.await();
    assertThat(speaker.log())
        .contains("wayleave-bgp: bgp.yaml: per: \"[]\" is not allowed; allowed: one of the fields");
  }
}

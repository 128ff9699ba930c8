package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shape unnumbered: one manifest for every host, and no address on any link to a switch. */
@Tag("lab")
class UnnumberedLabTest {
  private static final int WORST_LOSS = 50;

  private static Lab lab;
  private static List<LabContainer> containers;

  @BeforeAll
  static void up() {
    lab = ShapeLab.up(Shape.UNNUMBERED);
    containers = SharedLab.containerOnEachHost(lab, Map.of());
  }

  @AfterAll
  static void down() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  void ipv4RoutesGoByTheLinkLocalAddressesOfBothSwitches() {
    LabHost host = lab.host("r1h1");
    assertThat(addresses(host, "eth0")).isEmpty();
    assertThat(addresses(host, "eth1")).isEmpty();

    awaitLinks(Set.of("eth0", "eth1"));

    assertThat(Routes.hops(host.network(), containers.getLast().address().toCidr()))
        .allMatch(hop -> hop.gateway().startsWith("fe80::"));
    for (Router tor : lab.tors(1)) {
      assertThat(tor.sessions())
          .as(tor.name())
          .extracting(Router.Session::peer)
          .containsExactly("spine", "r1h1", "r1h2");
      assertThat(tor.sessions()).as(tor.name()).allMatch(Router.Session::established);
      assertThat(
              Routes.hops(NetNs.named(tor.namespace()), containers.getFirst().address().toCidr()))
          .as(tor.name() + " forwards IPv4 by the host's link-local address")
          .hasSize(1)
          .allMatch(hop -> hop.link().equals("r1h1") && hop.gateway().startsWith("fe80::"));
    }
    assertThat(Ping.once(containers.getFirst().network(), containers.getLast().address())).isTrue();
  }

  @Test
  void aSwitchThatLosesPowerIsReplacedByTheOtherAndUsedAgain() {
    awaitLinks(Set.of("eth0", "eth1"));
    List<Pinger> streams =
        ShapeLab.streams(List.of(containers.getFirst()), List.of(containers.getLast()));
    try {
      lab.faults().powerOff("tor1b");
      try {
        awaitLinks(Set.of("eth0"));
      } finally {
        lab.faults().powerOn("tor1b");
      }
      awaitLinks(Set.of("eth0", "eth1"));

      assertThat(ShapeLab.worst(streams)).isLessThanOrEqualTo(WORST_LOSS);
    } finally {
      Parallel.forEach(streams, Pinger::close);
    }
  }

  private static void awaitLinks(Set<String> wanted) {
    Await.until(
        "r1h1 reaches " + containers.getLast() + " by " + wanted,
        ShapeLab.CONVERGED,
        () -> links().equals(wanted),
        () -> links() + "\n" + lab.host("r1h1").agent().status());
  }

  private static Set<String> links() {
    return Routes.hops(lab.host("r1h1").network(), containers.getLast().address().toCidr()).stream()
        .map(Routes.Hop::link)
        .collect(Collectors.toSet());
  }

  private static String addresses(LabHost host, String link) {
    return Command.of("ip", "-brief", "address", "show", "dev", link, "scope", "global")
        .at(host.network())
        .check();
  }
}

package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code netctl node drain} and {@code undrain}, under either kind of switch at once. */
@Tag("lab")
@ExtendWith(SharedLab.class)
class DrainLabTest {
  /** A host that is drained, by what its switch says of it. */
  private record Drained(LabContainer container, Router tor) {
    Cidr route() {
      return container.address().toCidr();
    }

    boolean isRouted() {
      return tor.bgpRoutes().contains(route());
    }

    /** The community GRACEFUL_SHUTDOWN of RFC 8326, in the switch's own words. */
    boolean isGoing() {
      return switch (tor) {
        case BirdRouter bird -> says(bird, "(65535,0)", "show", "route", route().toString(), "all");
        case FrrRouter frr ->
            says(
                frr,
                "graceful-shutdown",
                "show",
                "bgp",
                "ipv4",
                "unicast",
                route().toString(),
                "json");
      };
    }

    private static boolean says(Router router, String text, String... command) {
      return Command.of(router.cli(List.of(command))).check().contains(text);
    }

    void await(String what, BooleanSupplier condition) {
      Await.until(
          tor.name() + " " + what,
          ShapeLab.CONVERGED,
          condition,
          () -> tor.bgpRoutes() + "\n" + container.host().agent().status());
    }
  }

  @Test
  void aNodeIsToldOfAsGoingBeforeItGoesAndOthersLoseNothing(Lab lab) {
    Map<String, LabContainer> at =
        SharedLab.containerOnEachHost(lab, Map.of()).stream()
            .collect(Collectors.toMap(c -> c.host().name(), c -> c));
    List<Drained> drained =
        List.of(new Drained(at.get("r1h1"), lab.tor(1)), new Drained(at.get("r2h1"), lab.tor(2)));
    LabContainer one = at.get("r1h2");
    LabContainer other = at.get("r2h2");
    awaitPing(one, other);
    drained.forEach(node -> awaitPing(one, node.container()));
    List<Pinger> others = ShapeLab.streams(List.of(one), List.of(other));
    List<Pinger> toDrained =
        drained.stream()
            .map(node -> Pinger.start(other.network(), node.container().address()))
            .toList();
    try {
      drained.forEach(node -> assertThat(node.isGoing()).as(node.tor().name()).isFalse());
      change(lab, drained, "drain");

      drained.forEach(node -> node.await("was told that it goes", node::isGoing));
      // It is only asked to be avoided: what has no other way still comes.
      assertThat(ShapeLab.worst(toDrained)).isZero();
      drained.forEach(
          node -> {
            node.await("has no route any more", () -> !node.isRouted());
            String host = node.container().host().name();
            assertThat(node.tor().session(host).established()).as(host).isFalse();
          });

      change(lab, drained, "undrain");
      lab.awaitSessions();
      drained.forEach(
          node -> {
            node.await("has the route again", node::isRouted);
            assertThat(node.isGoing()).as(node.tor().name()).isFalse();
            awaitPing(one, node.container());
          });
      assertThat(ShapeLab.worst(others)).isZero();
    } finally {
      Parallel.forEach(others, Pinger::close);
      Parallel.forEach(toDrained, Pinger::close);
      // The lab is others' too.
      change(lab, drained, "undrain");
    }
  }

  private static void change(Lab lab, List<Drained> nodes, String verb) {
    Parallel.forEach(
        nodes,
        node -> {
          var _ = lab.netctl("node", verb, node.container().host().name()).check();
        });
  }

  private static void awaitPing(LabContainer from, LabContainer to) {
    Await.until(
        from + " reaches " + to,
        ShapeLab.CONVERGED,
        () -> Ping.once(from.network(), to.address()),
        () -> from.host().routes());
  }
}

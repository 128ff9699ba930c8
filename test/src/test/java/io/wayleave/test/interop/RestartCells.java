package io.wayleave.test.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.IpAddress;
import io.wayleave.test.interop.Setup.Option;
import io.wayleave.test.lab.Pinger;
import java.time.Duration;
import java.util.Set;

/**
 * Graceful restart (RFC 4724), each side once, while packets flow between a network of ours and one
 * of theirs: not one may be lost, and no route may go.
 */
final class RestartCells {
  private static final String OUR_NETWORK = "10.1.0.0/24";
  private static final String OUR_HOST = "10.1.0.1";
  private static final String THEIR_NETWORK = "10.2.0.0/24";
  private static final String THEIR_HOST = "10.2.0.1";
  private static final String THIRD = "10.77.0.13";
  private static final String THIRD_NETWORK = "10.3.0.0/24";
  private static final String SECONDS = "120";

  private RestartCells() {}

  private static Setup ours() {
    return Setup.of(Side.OURS, false, 65001, 65002)
        .announcing(Route.to(OUR_NETWORK))
        .with(Option.GRACEFUL_RESTART, SECONDS);
  }

  private static Setup theirs(Cell cell) {
    Setup setup =
        Setup.of(Side.THEIRS, false, 65002, 65001)
            .announcing(Route.to(THEIR_NETWORK))
            .with(Option.GRACEFUL_RESTART, SECONDS);
    return writesKernelRoutes(cell) ? setup.with(Option.KERNEL) : setup;
  }

  private static boolean writesKernelRoutes(Cell cell) {
    return cell.kind() == DaemonKind.BIRD || cell.kind() == DaemonKind.FRR;
  }

  /** A host in each network, and for those that write no routes to the kernel, the routes. */
  private static Pinger traffic(Cell cell) {
    Link link = cell.link();
    var _ = link.ip(Side.OURS, "address", "add", OUR_HOST + "/32", "dev", "lo");
    var _ = link.ip(Side.THEIRS, "address", "add", THEIR_HOST + "/32", "dev", "lo");
    var _ = link.ip(Side.OURS, "route", "add", THEIR_NETWORK, "via", Side.THEIRS.ipv4());
    if (writesKernelRoutes(cell)) {
      cell.until(
          "theirs writes our network to the kernel",
          () -> link.ip(Side.THEIRS, "route", "show", OUR_NETWORK).contains(Side.OURS.ipv4()));
    } else {
      var _ = link.ip(Side.THEIRS, "route", "add", OUR_NETWORK, "via", Side.OURS.ipv4());
    }
    // From an address of their network, so that both routes are on the way.
    return Pinger.start(link.at(Side.THEIRS), IpAddress.parse(OUR_HOST));
  }

  static Verdict oursRestarts(Cell cell) {
    if (cell.kind() == DaemonKind.EXABGP) {
      return exabgpForgets(cell);
    }
    oursRestarts(cell, ours(), theirs(cell));
    return Verdict.YES;
  }

  static Verdict oursRestartsWithBfd(Cell cell) {
    if (!BfdCells.hasBfd(cell)) {
      return BfdCells.refusal(cell);
    }
    // With plain `bfd on`, BIRD takes the end of our BFD session for the end of our forwarding.
    String mode = cell.kind() == DaemonKind.BIRD ? "graceful" : "";
    oursRestarts(cell, ours().with(Option.BFD), theirs(cell).with(Option.BFD, mode));
    return cell.kind() == DaemonKind.BIRD ? Verdict.yes("needs `bfd graceful`") : Verdict.YES;
  }

  private static void oursRestarts(Cell cell, Setup our, Setup their) {
    cell.startAndEstablish(our, their);
    cell.exchange();
    if (our.has(Option.BFD)) {
      BfdCells.awaitUp(cell);
    }
    Set<Route> told = cell.theirs().received();
    try (Pinger pinger = traffic(cell)) {
      // As a crash: a planned restart looks the same from outside, the connection just ends.
      cell.ours().kill();
      cell.until("theirs sees it", () -> !cell.theirs().session().established());
      cell.always(
          "theirs keeps our routes while we are away",
          Duration.ofSeconds(2),
          () -> cell.theirs().received().equals(told));
      cell.restartOurs(our.with(Option.RESTARTED));
      cell.always(
          "and while we come back",
          Duration.ofSeconds(1),
          () -> cell.theirs().received().equals(told));
      cell.establish();
      cell.exchange();
      cell.until("ours has all", () -> cell.ours().changes().contains("converged"));
      Pinger.Result result = pinger.settle();
      assertThat(result.lost()).as("lost of %s", result.sent()).isEmpty();
    }
  }

  private static Verdict exabgpForgets(Cell cell) {
    cell.startAndEstablish(ours(), theirs(cell));
    cell.exchange();
    cell.ours().kill();
    cell.until("it tells its helper at once", () -> cell.theirs().received().isEmpty());
    return Verdict.unsupported(
        "it has no table to keep routes in: its helper program is told `down` at once");
  }

  static Verdict theirsRestarts(Cell cell) {
    if (cell.kind() == DaemonKind.OPENBGPD) {
      return openbgpdOffersNothing(cell);
    }
    theirsRestarts(cell, ours(), theirs(cell));
    if (cell.kind() == DaemonKind.FRR) {
      waitsForNoOther(cell, ours(), theirs(cell));
    }
    return restartSetting(cell);
  }

  private static Verdict restartSetting(Cell cell) {
    return switch (cell.kind()) {
      case BIRD ->
          Verdict.yes(
              "started again with `bird -R`, else its OPEN has no F bit; needs `graceful restart"
                  + " on` and `persist` in its kernel protocol");
      case FRR ->
          Verdict.partly(
              "needs `bgp graceful-restart` and `preserve-fw-state`, and no `coalesce-time 0`; its"
                  + " End-of-RIB does not wait for neighbours that are not back yet: routes from"
                  + " there go, and come back with the neighbour");
      case GOBGP -> Verdict.yes("started again with `gobgpd --graceful-restart`");
      case EXABGP, OPENBGPD -> Verdict.YES;
    };
  }

  static Verdict theirsRestartsWithBfd(Cell cell) {
    if (!BfdCells.hasBfd(cell)) {
      return BfdCells.refusal(cell);
    }
    theirsRestarts(cell, ours().with(Option.BFD), theirs(cell).with(Option.BFD, "graceful"));
    return restartSetting(cell);
  }

  private static void theirsRestarts(Cell cell, Setup our, Setup their) {
    cell.startAndEstablish(our, their);
    cell.exchange();
    if (our.has(Option.BFD)) {
      BfdCells.awaitUp(cell);
    }
    Set<Route> heard = cell.ours().received();
    try (Pinger pinger = traffic(cell)) {
      cell.theirs().kill();
      cell.until("ours sees it", () -> !cell.ours().session().established());
      assertThat(cell.ours().stale()).as("kept as stale").isNotEmpty();
      cell.always(
          "ours keeps their routes while they are away",
          Duration.ofSeconds(2),
          () -> cell.ours().received().equals(heard));
      cell.restartTheirs(their.with(Option.RESTARTED));
      cell.establish();
      cell.exchange();
      cell.until("nothing is stale", () -> cell.ours().stale().isEmpty());
      assertThat(cell.ours().changes())
          .as("the owner of the routes never lost one")
          .noneMatch(change -> change.startsWith("-"));
      Pinger.Result result = pinger.settle();
      assertThat(result.lost()).as("lost of %s", result.sent()).isEmpty();
    }
  }

  /**
   * What it has from a neighbour that comes back later than ours does is not told before its
   * End-of-RIB, and so goes (RFC 4724 section 4.2) until the neighbour is back.
   */
  private static void waitsForNoOther(Cell cell, Setup our, Setup their) {
    cell.ours().kill();
    cell.theirs().kill();
    Setup late =
        Setup.of(Side.OURS, false, 65003, 65002).from(THIRD).announcing(Route.to(THIRD_NETWORK));
    Bird third = cell.source(late);
    Setup more = their.with(Option.MORE_PEERS, THIRD + "=65003");
    cell.startAndEstablish(our, more);
    cell.until("ours has heard of the third network", () -> hasThird(cell));
    cell.theirs().kill();
    third.kill();
    cell.until("ours sees it", () -> !cell.ours().session().established());
    assertThat(hasThird(cell)).as("kept while it is away").isTrue();
    cell.restartTheirs(more.with(Option.RESTARTED));
    cell.establish();
    cell.until("theirs has said End-of-RIB", () -> cell.ours().stale().isEmpty());
    assertThat(cell.ours().changes()).contains("-" + THIRD_NETWORK);
    assertThat(cell.ours().changes()).doesNotContain("-" + THEIR_NETWORK);
    third.start(late);
    cell.until("ours has the third network again", () -> hasThird(cell));
  }

  private static boolean hasThird(Cell cell) {
    return cell.ours().received().stream().anyMatch(route -> route.prefix().equals(THIRD_NETWORK));
  }

  private static Verdict openbgpdOffersNothing(Cell cell) {
    cell.startAndEstablish(ours(), theirs(cell));
    cell.exchange();
    cell.theirs().kill();
    cell.until("ours drops its routes at once", () -> cell.ours().received().isEmpty());
    assertThat(cell.ours().stale()).isEmpty();
    return Verdict.unsupported(
        "its `announce restart` covers the End-of-RIB marker only: the capability in its OPEN names"
            + " no family");
  }
}

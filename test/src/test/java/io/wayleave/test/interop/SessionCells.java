package io.wayleave.test.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.test.interop.Setup.Option;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/** Cells about the session itself and plain routes. */
final class SessionCells {
  private static final Route[] OURS = {Route.to("10.1.0.0/24").med(50), Route.to("10.1.1.0/24")};
  private static final Route[] THEIRS = {Route.to("10.2.0.0/24").med(30), Route.to("10.2.1.0/24")};

  private SessionCells() {}

  private static Setup ours() {
    return Setup.of(Side.OURS, false, 65001, 65002).announcing(OURS);
  }

  private static Setup theirs() {
    return Setup.of(Side.THEIRS, false, 65002, 65001).announcing(THEIRS);
  }

  static Verdict external(Cell cell) {
    cell.startAndEstablish(ours(), theirs());
    cell.negotiated(Capability.IPV4);
    cell.exchange();
    return Verdict.YES;
  }

  static Verdict internal(Cell cell) {
    cell.startAndEstablish(
        Setup.of(Side.OURS, false, 65001, 65001).announcing(OURS),
        Setup.of(Side.THEIRS, false, 65001, 65001).announcing(THEIRS));
    cell.exchange();
    return Verdict.YES;
  }

  static Verdict ipv6(Cell cell) {
    cell.startAndEstablish(
        Setup.of(Side.OURS, true, 65001, 65002)
            .announcing(Route.to("fd00:1::/64").med(50), Route.to("fd00:1:1::5/128")),
        Setup.of(Side.THEIRS, true, 65002, 65001)
            .announcing(Route.to("fd00:2::/64").med(30), Route.to("fd00:2:1::5/128")));
    cell.negotiated(Capability.IPV6);
    cell.exchange();
    return Verdict.YES;
  }

  static Verdict fourOctetAs(Cell cell) {
    cell.startAndEstablish(
        Setup.of(Side.OURS, false, 4_200_000_001L, 4_200_000_002L).announcing(OURS),
        Setup.of(Side.THEIRS, false, 4_200_000_002L, 4_200_000_001L).announcing(THEIRS));
    cell.negotiated(Capability.FOUR_OCTET_AS);
    cell.exchange();
    return Verdict.YES;
  }

  static Verdict routeRefresh(Cell cell) {
    cell.startAndEstablish(ours(), theirs());
    cell.negotiated(Capability.ROUTE_REFRESH);
    cell.exchange();
    Set<Route> received = cell.ours().received();
    if (cell.kind() == DaemonKind.OPENBGPD) {
      return openbgpdRefusesRequests(cell);
    }
    long heardByOurs = cell.ours().updatesReceived();
    cell.ours().refresh();
    cell.until("theirs sends again", () -> cell.ours().updatesReceived() > heardByOurs);
    long heardByTheirs = cell.theirs().updatesReceived();
    cell.theirs().refresh();
    if (cell.theirs() instanceof GoBgp gobgp) {
      cell.always("it asks for nothing", Duration.ofSeconds(1), () -> gobgp.refreshesSent() == 0);
      return Verdict.partly(
          "answers; its `softresetin` judges what it has anew and sends no ROUTE-REFRESH");
    }
    cell.until("ours sends again", () -> cell.theirs().updatesReceived() > heardByTheirs);
    cell.exchange();
    assertThat(cell.ours().received()).isEqualTo(received);
    boolean enhanced = cell.ours().session().heard().contains(Capability.ENHANCED_REFRESH);
    return enhanced ? Verdict.yes("enhanced, RFC 7313") : Verdict.YES;
  }

  /** Its log says so of the requests of other speakers too. */
  private static Verdict openbgpdRefusesRequests(Cell cell) {
    long heard = cell.theirs().updatesReceived();
    cell.theirs().refresh();
    cell.until("ours sends again", () -> cell.theirs().updatesReceived() > heard);
    cell.ours().refresh();
    String refusal = "route refresh: AID IPv4 unicast not negotiated";
    cell.until("theirs refuses", () -> cell.theirs().evidence().contains(refusal));
    cell.exchange();
    return Verdict.partly("asks; to a request it says `" + refusal + "`, also to one of BIRD's");
  }

  /** Ours passes on what a third speaker tells it. */
  static Verdict communities(Cell cell) {
    Route third =
        Route.to("10.1.0.0/24")
            .community("65001:100")
            .community("65001:101")
            .extended("rt:65001:7")
            .large("65001:1:2")
            .large("4200000001:4294967295:0");
    Route own =
        Route.to("10.2.0.0/24")
            .community("65002:200")
            .extended("rt:65002:9")
            .large("65002:3:4")
            .large("4200000002:4294967295:0");
    Bird source =
        cell.source(Setup.of(Side.THEIRS, false, 65009, 65001).from("10.77.0.3").announcing(third));
    cell.startAndEstablish(
        Setup.of(Side.OURS, false, 65001, 65002).with(Option.MORE_PEERS, "10.77.0.3=65009"),
        Setup.of(Side.THEIRS, false, 65002, 65001).announcing(own));
    Set<Route> fromOurs = Set.of(third.nextHop(Side.OURS.ipv4()).asPath("65001 65009"));
    Set<Route> fromTheirs = Set.of(own.nextHop(Side.THEIRS.ipv4()).asPath("65002"));
    cell.untilEqual(
        "theirs received", fromOurs, () -> Cell.map(cell.theirs().received(), Route::external));
    cell.untilEqual("ours sent", fromOurs, cell.ours()::sent);
    cell.untilEqual("ours received", fromTheirs, () -> fromTheirs(cell));
    cell.untilEqual(
        "the third received",
        Set.of(own.nextHop(Side.OURS.ipv4()).asPath("65001 65002")),
        () -> Cell.map(source.received(), Route::external));
    return Verdict.YES;
  }

  /** What ours has of routes that theirs originated: FRR tells what it heard back too. */
  private static Set<Route> fromTheirs(Cell cell) {
    Set<Route> routes = new TreeSet<>(cell.ours().received());
    routes.removeIf(route -> route.asPath().contains("65001"));
    return routes;
  }

  static Verdict shutdownMessage(Cell cell) {
    cell.startAndEstablish(ours(), theirs());
    cell.exchange();
    if (cell.kind() == DaemonKind.EXABGP) {
      return exabgpTakesNoNotification(cell);
    }
    cell.ours().shutdown("rack 7 is off at noon");
    cell.until(
        "theirs shows our text", () -> Cell.says(cell.theirs().session(), "rack 7 is off at noon"));
    cell.until("theirs dropped our routes", () -> cell.theirs().received().isEmpty());
    cell.ours().takeUp();
    cell.establish();
    cell.exchange();
    cell.theirs().shutdown("rack 8 is off at night");
    cell.until(
        "ours shows their text",
        () ->
            Cell.says(cell.ours().session(), "administrative shutdown", "rack 8 is off at night"));
    cell.until("ours dropped their routes", () -> cell.ours().received().isEmpty());
    return Verdict.YES;
  }

  private static Verdict exabgpTakesNoNotification(Cell cell) {
    cell.theirs().shutdown("");
    cell.until("ours shows the subcode", () -> Cell.says(cell.ours().session(), "administrative"));
    cell.establish();
    cell.exchange();
    cell.ours().shutdown("rack 7 is off at noon");
    cell.until(
        "theirs refuses the NOTIFICATION",
        () -> Cell.says(cell.theirs().session(), "can not decode update message of type"));
    return Verdict.unsupported(
        "its `teardown` takes a subcode and no text, and of a NOTIFICATION with one it says `can"
            + " not decode update message of type \"3\"`");
  }
}

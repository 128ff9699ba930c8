package io.wayleave.test.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.test.interop.Setup.Option;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Cells about more than one path or peer: reflection, add-path, long messages, limits. */
final class RouteCells {
  /** Three speakers beside the two: where they are, and who they speak to. */
  private static final String AT_THEIRS = "10.77.0.3";

  private static final String AT_THEIRS_TOO = "10.77.0.4";
  private static final String AT_OURS = "10.77.0.13";
  private static final String AT_OURS_TOO = "10.77.0.14";

  private RouteCells() {}

  private static Setup ours() {
    return Setup.of(Side.OURS, false, 65001, 65002);
  }

  private static Setup theirs() {
    return Setup.of(Side.THEIRS, false, 65002, 65001);
  }

  /** A third speaker that announces to ours. */
  private static Setup toOurs(String address, long asn) {
    return Setup.of(Side.THEIRS, false, asn, 65001).from(address);
  }

  /** A third speaker that announces to theirs. */
  private static Setup toTheirs(String address, long asn, long theirAsn) {
    return Setup.of(Side.OURS, false, asn, theirAsn).from(address);
  }

  /** Each is the reflector once, with the other and a third speaker as its clients (RFC 4456). */
  static Verdict routeReflection(Cell cell) {
    Route third = Route.to("10.3.0.0/24").med(7);
    Route their = Route.to("10.2.0.0/24");
    // Beside ours, because its address is the next hop, and FRR takes none that is its own host's.
    Bird source =
        cell.source(toTheirs(AT_OURS, 65001, 65001).to(Side.OURS.ipv4()).announcing(third));
    Setup client = Setup.of(Side.THEIRS, false, 65001, 65001).announcing(their);
    cell.startAndEstablish(
        Setup.of(Side.OURS, false, 65001, 65001)
            .with(Option.REFLECTOR, Side.OURS.ipv4())
            .with(Option.MORE_PEERS, AT_OURS + "=65001"),
        client);
    Set<Route> reflected = Set.of(internal(third, AT_OURS).reflected(AT_OURS, Side.OURS.ipv4()));
    cell.untilEqual("theirs received", reflected, cell.theirs()::received);
    cell.untilEqual("ours sent", reflected, cell.ours()::sent);
    Set<Route> back =
        Set.of(internal(their, Side.THEIRS.ipv4()).reflected(Side.THEIRS.ipv4(), Side.OURS.ipv4()));
    cell.untilEqual("the third client received", back, source::received);
    if (cell.kind() == DaemonKind.EXABGP) {
      return Verdict.partly("as a client; it passes no route on");
    }

    cell.ours().kill();
    cell.theirs().kill();
    Route our = Route.to("10.1.0.0/24");
    cell.start(
        Setup.of(Side.OURS, false, 65001, 65001).announcing(our),
        Setup.of(Side.THEIRS, false, 65001, 65001)
            .with(Option.REFLECTOR, Side.THEIRS.ipv4())
            .with(Option.MORE_PEERS, AT_OURS_TOO + "=65001"));
    // After them: what OpenBGPD hears before it has read its file it reflects without its cluster.
    Bird other =
        cell.source(toTheirs(AT_OURS_TOO, 65001, 65001).announcing(Route.to("10.4.0.0/24").med(8)));
    cell.establish();
    cell.untilEqual(
        "ours received",
        Set.of(
            internal(Route.to("10.4.0.0/24").med(8), AT_OURS_TOO)
                .reflected(AT_OURS_TOO, Side.THEIRS.ipv4())),
        () -> only(cell.ours().received(), "10.4.0.0/24"));
    cell.untilEqual(
        "the third client received",
        Set.of(internal(our, Side.OURS.ipv4()).reflected(Side.OURS.ipv4(), Side.THEIRS.ipv4())),
        other::received);
    return Verdict.YES;
  }

  private static Route internal(Route route, String nextHop) {
    return route.nextHop(nextHop).localPref(Optional.of(100L));
  }

  /**
   * Two paths to one prefix each way (RFC 7911). On a link that all share, some leave the third
   * speaker's next hop as it is.
   */
  static Verdict addPath(Cell cell) {
    Route route = Route.to("10.9.0.0/24");
    var _ = cell.source(toOurs(AT_THEIRS, 65003).announcing(route));
    var _ = cell.source(toOurs(AT_THEIRS_TOO, 65004).announcing(route));
    Setup our =
        ours()
            .with(Option.ADD_PATH)
            .with(Option.MORE_PEERS, AT_THEIRS + "=65003," + AT_THEIRS_TOO + "=65004");
    Setup their = theirs().with(Option.ADD_PATH);
    Route second = Route.to("10.8.0.0/24");
    Set<Route> fromTheirs;
    if (cell.kind() == DaemonKind.EXABGP) {
      // It passes nothing on, but announces whatever paths it is told to.
      their = their.announcing(second.community("65002:1"), second.community("65002:2"));
      fromTheirs =
          Set.of(
              second.community("65002:1").asPath("65002"),
              second.community("65002:2").asPath("65002"));
    } else {
      var _ = cell.source(toTheirs(AT_OURS, 65013, 65002).announcing(second));
      var _ = cell.source(toTheirs(AT_OURS_TOO, 65014, 65002).announcing(second));
      their = their.with(Option.MORE_PEERS, AT_OURS + "=65013," + AT_OURS_TOO + "=65014");
      fromTheirs = Set.of(second.asPath("65002 65013"), second.asPath("65002 65014"));
    }
    cell.startAndEstablish(our, their);
    cell.negotiated(Capability.ADD_PATH);
    Set<Route> fromOurs =
        Set.of(told(route, Side.OURS, "65001 65003"), told(route, Side.OURS, "65001 65004"));
    cell.untilEqual(
        "theirs received",
        fromOurs,
        () -> only(Cell.map(cell.theirs().received(), Route::external), route.prefix()));
    cell.untilEqual("ours sent", fromOurs, () -> only(cell.ours().sent(), route.prefix()));
    cell.untilEqual(
        "ours received",
        fromTheirs,
        () -> Cell.map(only(cell.ours().received(), second.prefix()), r -> r.nextHop("")));
    return Verdict.YES;
  }

  private static Route told(Route route, Side by, String path) {
    return route.nextHop(by.ipv4()).asPath(path);
  }

  private static Set<Route> only(Set<Route> routes, String prefix) {
    Set<Route> some = new TreeSet<>(routes);
    some.removeIf(route -> !route.prefix().equals(prefix));
    return some;
  }

  /** A route whose attributes alone are longer than the 4096 octets of RFC 4271 (RFC 8654). */
  static Verdict extendedMessages(Cell cell) {
    Route longRoute = Route.to("10.5.0.0/24");
    for (int i = 1; i <= 1100; i++) {
      longRoute = longRoute.community("65003:" + i);
    }
    Route shortRoute = Route.to("10.6.0.0/24");
    Route expected = told(longRoute, Side.OURS, "65001 65003");
    Setup source =
        toOurs(AT_THEIRS, 65003).announcing(longRoute, shortRoute).with(Option.EXTENDED_MESSAGES);
    var _ = cell.source(source);
    Setup our = ours().with(Option.EXTENDED_MESSAGES).with(Option.MORE_PEERS, AT_THEIRS + "=65003");
    Setup their = theirs().with(Option.EXTENDED_MESSAGES);
    boolean supported = cell.kind() != DaemonKind.GOBGP && cell.kind() != DaemonKind.OPENBGPD;
    if (!supported) {
      cell.startAndEstablish(our, their);
      cell.notOffered(Capability.EXTENDED_MESSAGE);
      // What does not fit is not told; the session and the rest go on.
      cell.untilEqual(
          "theirs received",
          Set.of(told(shortRoute, Side.OURS, "65001 65003")),
          () -> Cell.map(cell.theirs().received(), Route::external));
      cell.always("up", Duration.ofSeconds(1), () -> cell.theirs().session().established());
      assertThat(cell.ours().established()).isEqualTo(1);
      return Verdict.unsupported("its OPEN has no Extended Message capability (6)");
    }
    Route back = Route.to("10.7.0.0/24");
    for (int i = 1; i <= 1100; i++) {
      back = back.community("65013:" + i);
    }
    Route fromTheirs;
    if (cell.kind() == DaemonKind.EXABGP) {
      their = their.announcing(back);
      fromTheirs = back.asPath("65002");
    } else {
      var _ =
          cell.source(
              toTheirs(AT_OURS, 65013, 65002).announcing(back).with(Option.EXTENDED_MESSAGES));
      their = their.with(Option.MORE_PEERS, AT_OURS + "=65013");
      fromTheirs = back.asPath("65002 65013");
    }
    cell.startAndEstablish(our, their);
    cell.negotiated(Capability.EXTENDED_MESSAGE);
    cell.untilEqual(
        "theirs received",
        Set.of(expected),
        () -> only(Cell.map(cell.theirs().received(), Route::external), expected.prefix()));
    cell.until(
        "ours received a long route",
        () -> Cell.map(cell.ours().received(), r -> r.nextHop("")).contains(fromTheirs));
    return Verdict.YES;
  }

  /** Each allows two prefixes once and is sent five; FRR does not notice the third (RFC 4486). */
  static Verdict maxPrefixes(Cell cell) {
    Route[] five = {
      Route.to("10.1.0.0/24"),
      Route.to("10.1.1.0/24"),
      Route.to("10.1.2.0/24"),
      Route.to("10.1.3.0/24"),
      Route.to("10.1.4.0/24"),
    };
    cell.start(ours().with(Option.MAX_PREFIXES, "2"), theirs().announcing(five));
    cell.until(
        "ours says why",
        () -> Cell.says(cell.ours().session(), "sent", "maximum number of prefixes"));
    cell.until("down", () -> !cell.ours().session().established());
    cell.always("stays down", Duration.ofSeconds(2), () -> !cell.ours().session().established());
    if (cell.kind() == DaemonKind.EXABGP) {
      return Verdict.partly("ours limits it; it has no limit of its own");
    }
    cell.until(
        "theirs says why",
        () ->
            Cell.says(cell.theirs().session(), "maximum number of prefixes")
                || Cell.says(cell.theirs().session(), "max-prefix exceeded"));
    cell.ours().kill();
    cell.theirs().kill();
    cell.start(ours().announcing(five), theirs().with(Option.MAX_PREFIXES, "2"));
    cell.until(
        "ours says why",
        () -> Cell.says(cell.ours().session(), "received", "maximum number of prefixes"));
    cell.until("theirs is down", () -> !cell.theirs().session().established());
    return Verdict.YES;
  }
}

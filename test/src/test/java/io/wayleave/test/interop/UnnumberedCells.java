package io.wayleave.test.interop;

import io.wayleave.test.interop.Setup.Option;
import java.util.Set;
import java.util.TreeSet;

/**
 * A link without addresses but the link-local ones: each is told the interface and finds the other
 * by router advertisements, and IPv4 routes have IPv6 next hops (RFC 8950).
 */
final class UnnumberedCells {
  private UnnumberedCells() {}

  static Verdict unnumbered(Cell cell) {
    return switch (cell.theirs()) {
      case Bird _ ->
          agree(cell, "`neighbor range fe80::/10`, `extended next hop on`, and a `protocol radv`");
      case Frr _ -> agree(cell, "`neighbor IFACE interface remote-as external`");
      case GoBgp _ ->
          agree(
              cell,
              "`neighbor-interface`; somebody else has to send router advertisements and to have"
                  + " found the neighbour (a ping does) before it starts");
      case ExaBgp exabgp -> Refusals.exabgpNeighbor(exabgp, "fe80::1%eth0");
      case OpenBgpd openbgpd -> Refusals.openbgpd(openbgpd, "announce extended nexthop yes");
      default -> throw new IllegalArgumentException(cell.kind() + " is no daemon of the matrix");
    };
  }

  private static Verdict agree(Cell cell, String setting) {
    cell.link().unnumber();
    Setup our =
        Setup.of(Side.OURS, false, 65001, 65002)
            .announcing(Route.to("10.1.0.0/24").med(50), Route.to("fd00:1::/64"))
            .with(Option.UNNUMBERED);
    Setup their =
        Setup.of(Side.THEIRS, false, 65002, 65001)
            .announcing(Route.to("10.2.0.0/24").med(30), Route.to("fd00:2::/64"))
            .with(Option.UNNUMBERED);
    cell.startAndEstablish(our, their);
    cell.negotiated(Capability.IPV4);
    cell.negotiated(Capability.IPV6);
    cell.negotiated(Capability.EXTENDED_NEXT_HOP);
    Set<Route> fromOurs = told(cell, our);
    Set<Route> fromTheirs = told(cell, their);
    cell.untilEqual(
        "theirs received", fromOurs, () -> Cell.map(cell.theirs().received(), Route::external));
    cell.untilEqual("ours sent", fromOurs, () -> Cell.map(cell.ours().sent(), Route::external));
    cell.untilEqual("ours received", fromTheirs, () -> cell.notOurOwn(cell.ours().received()));
    return Verdict.yes(setting);
  }

  private static Set<Route> told(Cell cell, Setup from) {
    Set<Route> routes = new TreeSet<>();
    for (Route route : from.announced()) {
      routes.add(route.nextHop(cell.link().linkLocal(from.at())).asPath(Long.toString(from.asn())));
    }
    return routes;
  }
}

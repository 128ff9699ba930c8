package io.wayleave.test.interop;

import java.util.function.Function;

/** The rows of the matrix, each with the test that all daemons take. */
// Method references, and a list that nobody changes.
@SuppressWarnings("ImmutableEnumChecker")
enum Feature {
  EBGP("eBGP", "RFC 4271", SessionCells::external),
  IBGP("iBGP", "RFC 4271", SessionCells::internal),
  IPV6("IPv6", "RFC 4760", SessionCells::ipv6),
  FOUR_OCTET_AS("4-byte AS", "RFC 6793", SessionCells::fourOctetAs),
  ROUTE_REFRESH("route refresh", "RFC 2918, 7313", SessionCells::routeRefresh),
  COMMUNITIES("large and extended communities", "RFC 8092, 4360", SessionCells::communities),
  ROUTE_REFLECTION("route reflection", "RFC 4456", RouteCells::routeReflection),
  ADD_PATH("add-path", "RFC 7911", RouteCells::addPath),
  EXTENDED_MESSAGES("extended messages", "RFC 8654", RouteCells::extendedMessages),
  MAX_PREFIXES("max-prefix", "RFC 4486", RouteCells::maxPrefixes),
  UNNUMBERED("unnumbered", "RFC 8950, 4861", UnnumberedCells::unnumbered),
  MD5("MD5", "RFC 2385", SecurityCells::md5),
  GTSM("GTSM", "RFC 5082", SecurityCells::ttlSecurity),
  OURS_RESTARTS("graceful restart, ours restarts", "RFC 4724", RestartCells::oursRestarts),
  OURS_RESTARTS_BFD(
      "graceful restart with BFD, ours restarts",
      "RFC 4724, 5882",
      RestartCells::oursRestartsWithBfd),
  THEIRS_RESTARTS("graceful restart, it restarts", "RFC 4724", RestartCells::theirsRestarts),
  THEIRS_RESTARTS_BFD(
      "graceful restart with BFD, it restarts",
      "RFC 4724, 5882",
      RestartCells::theirsRestartsWithBfd),
  BFD("BFD", "RFC 5880, 5881", BfdCells::bfd),
  SHUTDOWN_MESSAGE("shutdown message", "RFC 9003", SessionCells::shutdownMessage);

  private final String title;
  private final String source;
  private final Function<Cell, Verdict> test;

  Feature(String title, String source, Function<Cell, Verdict> test) {
    this.title = title;
    this.source = source;
    this.test = test;
  }

  String title() {
    return title;
  }

  String source() {
    return source;
  }

  Verdict test(Cell cell) {
    return test.apply(cell);
  }
}

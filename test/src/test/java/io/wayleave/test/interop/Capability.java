package io.wayleave.test.interop;

/** What an OPEN can offer, as far as cells look at it. */
enum Capability {
  IPV4,
  IPV6,
  ROUTE_REFRESH,
  ENHANCED_REFRESH,
  FOUR_OCTET_AS,
  GRACEFUL_RESTART,
  ADD_PATH,
  EXTENDED_MESSAGE,
  EXTENDED_NEXT_HOP
}

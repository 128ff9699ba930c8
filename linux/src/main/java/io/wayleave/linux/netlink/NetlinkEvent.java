package io.wayleave.linux.netlink;

/** Something that happened in the kernel, whoever did it. */
public sealed interface NetlinkEvent {
  /** An interface appeared or something about it changed; this is how it is now. */
  record LinkChanged(Link link) implements NetlinkEvent {}

  /** An interface was deleted, or moved to another namespace. */
  record LinkRemoved(Link link) implements NetlinkEvent {}

  record AddressChanged(InterfaceAddress address) implements NetlinkEvent {}

  record AddressRemoved(InterfaceAddress address) implements NetlinkEvent {}

  /**
   * A route was added.
   *
   * @param replaced whether it took the place of the one for that destination with that metric
   */
  record RouteChanged(Route route, boolean replaced) implements NetlinkEvent {}

  /**
   * A route was deleted. The kernel is silent about IPv4 routes that go because their interface
   * went down or their preferred source address was removed.
   */
  record RouteRemoved(Route route) implements NetlinkEvent {}

  record NeighbourChanged(Neighbour neighbour) implements NetlinkEvent {}

  record NeighbourRemoved(Neighbour neighbour) implements NetlinkEvent {}

  /** Events were lost: what is known must be compared with a new dump. */
  record ResyncNeeded(String reason) implements NetlinkEvent {}
}

package io.wayleave.linux.netlink;

import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * How this host would send a packet now, as {@code ip route get} tells.
 *
 * @param interfaceIndex where it leaves
 * @param source the address it would bear
 * @param gateway empty when the destination is on the link, or is this host
 * @param type UNICAST, or LOCAL when the destination is an address of this host
 */
public record RouteLookup(
    int interfaceIndex, Optional<IpAddress> source, Optional<IpAddress> gateway, RouteType type) {}

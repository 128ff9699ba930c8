package io.wayleave.linux.netlink;

import io.wayleave.linux.Errno;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Routes. The static methods make requests; the others ask or act at once. */
public final class Routes {
  private final NetlinkSocket socket;

  Routes(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** EEXIST when the table has a route for that destination with that metric, whoever made it. */
  public static NetlinkRequest adding(Route route) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWROUTE,
        RtNetlink.NLM_F_CREATE | RtNetlink.NLM_F_EXCL,
        route::write,
        names -> "add route " + route.describe(names));
  }

  /**
   * Puts it in the place of the route for that destination with that metric, whoever made that one,
   * without a moment in which there is none; adds it when there is none.
   */
  public static NetlinkRequest replacing(Route route) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWROUTE,
        RtNetlink.NLM_F_CREATE | RtNetlink.NLM_F_REPLACE,
        route::write,
        names -> "replace route " + route.describe(names));
  }

  /**
   * Deletes the route that agrees in everything: destination, metric, type, protocol, next hops.
   * ESRCH when there is none.
   */
  public static NetlinkRequest deleting(Route route) {
    return new NetlinkRequest(
        RtNetlink.RTM_DELROUTE, 0, route::write, names -> "delete route " + route.describe(names));
  }

  public void add(Route route) throws IOException {
    socket.execute(adding(route));
  }

  public void replace(Route route) throws IOException {
    socket.execute(replacing(route));
  }

  /** False when there was none. */
  public boolean delete(Route route) throws IOException {
    try {
      socket.execute(deleting(route));
      return true;
    } catch (NetlinkException e) {
      if (e.errno() == Errno.ESRCH) {
        return false;
      }
      throw e;
    }
  }

  /** The routes of one family that the filter lets through, in the order of the kernel. */
  public List<Route> list(RouteFilter filter) throws IOException {
    try {
      return socket.dump(
          new NetlinkRequest(
              RtNetlink.RTM_GETROUTE,
              0,
              writer -> writeFilter(writer, filter),
              names -> "list " + filter),
          reader ->
              reader.type() == RtNetlink.RTM_NEWROUTE
                  ? Route.decode(reader).filter(filter::matches)
                  : Optional.empty());
    } catch (NetlinkException e) {
      // A table that never had a route does not exist, and neither does an interface that is gone.
      boolean noTable = e.errno() == Errno.ENOENT && filter.table().isPresent();
      boolean noInterface = e.errno() == Errno.ENODEV && filter.interfaceIndex().isPresent();
      if (noTable || noInterface) {
        return List.of();
      }
      throw e;
    }
  }

  /**
   * How a packet to this address would leave.
   *
   * @return empty when there is no route to it
   */
  public Optional<RouteLookup> lookup(IpAddress destination) throws IOException {
    NetlinkRequest request =
        new NetlinkRequest(
            RtNetlink.RTM_GETROUTE,
            0,
            writer -> {
              writer
                  .u8(Families.number(destination.family()))
                  .u8(destination.family().bits())
                  .u16(0)
                  .u32(0)
                  .u32(0);
              writer.address(RtNetlink.RTA_DST, destination);
            },
            names -> "look up the route to " + destination);
    try {
      return socket.query(request, reader -> decodeLookup(reader, destination.family()));
    } catch (NetlinkException e) {
      return switch (e.errno()) {
        // A blackhole answers EINVAL.
        case ENETUNREACH, EHOSTUNREACH, EINVAL, EACCES -> Optional.empty();
        default -> throw e;
      };
    }
  }

  private static Optional<RouteLookup> decodeLookup(MessageReader reader, Family family) {
    Optional<RouteType> type = RouteType.of(reader.u8(7));
    if (reader.type() != RtNetlink.RTM_NEWROUTE || type.isEmpty() || !type.get().hasNextHops()) {
      return Optional.empty();
    }
    int interfaceIndex = 0;
    Optional<IpAddress> source = Optional.empty();
    Optional<IpAddress> gateway = Optional.empty();
    MessageReader.Attributes attributes = reader.attributes(RtNetlink.RTMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case RtNetlink.RTA_OIF -> interfaceIndex = attributes.u32();
        case RtNetlink.RTA_PREFSRC -> source = Optional.of(attributes.address(family));
        case RtNetlink.RTA_GATEWAY -> gateway = Optional.of(attributes.address(family));
        case RtNetlink.RTA_VIA -> gateway = Optional.of(attributes.via());
        default -> {}
      }
    }
    return Optional.of(new RouteLookup(interfaceIndex, source, gateway, type.get()));
  }

  /** struct rtmsg as a filter: family, lengths and TOS, table, protocol, scope, type, flags. */
  private static void writeFilter(MessageWriter writer, RouteFilter filter) {
    int table = filter.table().orElse(0);
    writer
        .u8(Families.number(filter.family()))
        .u8(0)
        .u8(0)
        .u8(0)
        .u8(table <= 255 ? table : 0)
        .u8(filter.protocol().orElse(0))
        .u8(0)
        .u8(0)
        .u32(0);
    filter.table().ifPresent(number -> writer.u32(RtNetlink.RTA_TABLE, number));
    filter.interfaceIndex().ifPresent(index -> writer.u32(RtNetlink.RTA_OIF, index));
  }
}

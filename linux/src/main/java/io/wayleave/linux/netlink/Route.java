package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A route of a routing table, in one canonical form, so that what the kernel tells equals what was
 * asked: next hops are sorted, a single next hop has no weight, a route without next hops has none,
 * and IPv6 has no scope.
 *
 * @param metric 0 to 4294967295, the smaller the better; an IPv6 route asked for with 0 gets 1024
 */
public record Route(
    Cidr destination,
    RouteType type,
    int table,
    int protocol,
    Scope scope,
    long metric,
    Optional<IpAddress> preferredSource,
    List<NextHop> nextHops) {
  public static final int TABLE_MAIN = RtNetlink.RT_TABLE_MAIN;
  public static final int TABLE_LOCAL = 255;
  public static final int PROTOCOL_KERNEL = 2;
  public static final int PROTOCOL_BOOT = 3;
  public static final int PROTOCOL_STATIC = 4;

  public Route {
    requireNonNull(destination, "destination is null");
    requireNonNull(type, "type is null");
    requireNonNull(preferredSource, "preferredSource is null");
    if (metric < 0 || metric > 0xffff_ffffL) {
      throw new InvalidInputException("metric", Long.toString(metric), "0 to 4294967295");
    }
    scope = destination.family() == Family.IPV6 ? Scope.UNIVERSE : scope;
    if (!type.hasNextHops() || nextHops.isEmpty()) {
      nextHops = List.of();
    } else if (nextHops.size() == 1) {
      nextHops = List.of(nextHops.getFirst().withWeight(1));
    } else {
      nextHops = nextHops.stream().sorted(NextHop.ORDER).toList();
    }
  }

  /** To one or more next hops; of scope link when no next hop has a gateway. */
  public static Route unicast(Cidr destination, int protocol, List<NextHop> nextHops) {
    boolean direct = nextHops.stream().allMatch(hop -> hop.gateway().isEmpty());
    return new Route(
        destination,
        RouteType.UNICAST,
        TABLE_MAIN,
        protocol,
        direct ? Scope.LINK : Scope.UNIVERSE,
        0,
        Optional.empty(),
        nextHops);
  }

  public static Route unicast(Cidr destination, int protocol, NextHop nextHop) {
    return unicast(destination, protocol, List.of(nextHop));
  }

  /** Drops what no longer route takes. */
  public static Route blackhole(Cidr destination, int protocol) {
    return new Route(
        destination,
        RouteType.BLACKHOLE,
        TABLE_MAIN,
        protocol,
        Scope.UNIVERSE,
        0,
        Optional.empty(),
        List.of());
  }

  public Route withMetric(long other) {
    return new Route(destination, type, table, protocol, scope, other, preferredSource, nextHops);
  }

  public Route withTable(int other) {
    return new Route(destination, type, other, protocol, scope, metric, preferredSource, nextHops);
  }

  public Route withPreferredSource(IpAddress source) {
    return new Route(
        destination, type, table, protocol, scope, metric, Optional.of(source), nextHops);
  }

  public Route withScope(Scope other) {
    return new Route(destination, type, table, protocol, other, metric, preferredSource, nextHops);
  }

  public Route withNextHops(List<NextHop> others) {
    return new Route(destination, type, table, protocol, scope, metric, preferredSource, others);
  }

  public Family family() {
    return destination.family();
  }

  String describe(NetlinkRequest.InterfaceNames names) {
    StringBuilder text = new StringBuilder();
    if (type != RouteType.UNICAST) {
      text.append(type).append(' ');
    }
    text.append(destination);
    if (nextHops.size() == 1) {
      text.append(' ').append(nextHops.getFirst().describe(names));
    }
    preferredSource.ifPresent(source -> text.append(" src ").append(source));
    if (metric != 0) {
      text.append(" metric ").append(metric);
    }
    text.append(" table ").append(table);
    if (nextHops.size() > 1) {
      for (NextHop hop : nextHops) {
        text.append(" nexthop ")
            .append(hop.describe(names))
            .append(" weight ")
            .append(hop.weight());
      }
    }
    return text.toString();
  }

  /** As {@code ip route} writes it, with interfaces as {@code #INDEX}. */
  @Override
  public String toString() {
    return describe(NetlinkRequest.InterfaceNames.NONE);
  }

  void write(MessageWriter writer) {
    boolean single = nextHops.size() == 1;
    // struct rtmsg: family, lengths of destination and source, TOS, table, protocol, scope, type,
    // flags. A table above 255 is only in RTA_TABLE.
    writer
        .u8(Families.number(family()))
        .u8(destination.prefixLength())
        .u8(0)
        .u8(0)
        .u8(table <= 255 ? table : RtNetlink.RT_TABLE_UNSPEC)
        .u8(protocol)
        .u8(scope.number())
        .u8(type.number())
        .u32(single && nextHops.getFirst().onlink() ? RtNetlink.RTNH_F_ONLINK : 0);
    if (table > 255) {
      writer.u32(RtNetlink.RTA_TABLE, table);
    }
    if (destination.prefixLength() > 0) {
      writer.address(RtNetlink.RTA_DST, destination.address());
    }
    if (metric != 0) {
      writer.u32(RtNetlink.RTA_PRIORITY, (int) metric);
    }
    preferredSource.ifPresent(source -> writer.address(RtNetlink.RTA_PREFSRC, source));
    if (single) {
      writeNextHop(writer, nextHops.getFirst(), true);
    } else if (!nextHops.isEmpty()) {
      int multipath = writer.beginNest(RtNetlink.RTA_MULTIPATH);
      for (NextHop hop : nextHops) {
        int start = writer.size();
        writer
            .u16(0)
            .u8(hop.onlink() ? RtNetlink.RTNH_F_ONLINK : 0)
            .u8(hop.weight() - 1)
            .u32(hop.interfaceIndex());
        writeNextHop(writer, hop, false);
        // rtnh_len is where nla_len is: the first two bytes.
        writer.endNest(start);
      }
      writer.endNest(multipath);
    }
  }

  private void writeNextHop(MessageWriter writer, NextHop hop, boolean single) {
    if (hop.gateway().isPresent()) {
      IpAddress gateway = hop.gateway().get();
      if (gateway.family() == family()) {
        writer.address(RtNetlink.RTA_GATEWAY, gateway);
      } else {
        writer.via(gateway);
      }
    }
    if (single && hop.interfaceIndex() != 0) {
      writer.u32(RtNetlink.RTA_OIF, hop.interfaceIndex());
    }
  }

  /** From RTM_NEWROUTE or RTM_DELROUTE; empty for cached routes and families not routed here. */
  static Optional<Route> decode(MessageReader reader) {
    Optional<Family> family = Families.of(reader.u8(0));
    Optional<RouteType> type = RouteType.of(reader.u8(7));
    int flags = reader.u32(8);
    // A route for one TOS or for some sources only is none that Wayleave may take for its own.
    boolean special = reader.u8(2) != 0 || reader.u8(3) != 0;
    if (family.isEmpty() || type.isEmpty() || special || (flags & RtNetlink.RTM_F_CLONED) != 0) {
      return Optional.empty();
    }
    int table = reader.u8(4);
    IpAddress destination =
        family.get() == Family.IPV4 ? IpAddress.ofIpv4(0) : IpAddress.ofIpv6(0, 0);
    long metric = 0;
    int interfaceIndex = 0;
    Optional<IpAddress> gateway = Optional.empty();
    Optional<IpAddress> preferredSource = Optional.empty();
    List<NextHop> nextHops = new ArrayList<>(1);
    MessageReader.Attributes attributes = reader.attributes(RtNetlink.RTMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case RtNetlink.RTA_DST -> destination = attributes.address(family.get());
        case RtNetlink.RTA_TABLE -> table = attributes.u32();
        case RtNetlink.RTA_PRIORITY -> metric = Integer.toUnsignedLong(attributes.u32());
        case RtNetlink.RTA_OIF -> interfaceIndex = attributes.u32();
        case RtNetlink.RTA_GATEWAY -> gateway = Optional.of(attributes.address(family.get()));
        case RtNetlink.RTA_VIA -> gateway = Optional.of(attributes.via());
        case RtNetlink.RTA_PREFSRC ->
            preferredSource = Optional.of(attributes.address(family.get()));
        case RtNetlink.RTA_MULTIPATH ->
            decodeNextHops(attributes.nextHopEntries(), family.get(), nextHops);
        default -> {}
      }
    }
    if (nextHops.isEmpty() && (interfaceIndex != 0 || gateway.isPresent())) {
      boolean onlink = (flags & RtNetlink.RTNH_F_ONLINK) != 0;
      nextHops.add(new NextHop(interfaceIndex, gateway, 1, onlink));
    }
    return Optional.of(
        new Route(
            new Cidr(destination, reader.u8(1)),
            type.get(),
            table,
            reader.u8(5),
            new Scope(reader.u8(6)),
            metric,
            preferredSource,
            nextHops));
  }

  private static void decodeNextHops(
      MessageReader.NextHopEntries entries, Family family, List<NextHop> into) {
    while (entries.next()) {
      Optional<IpAddress> gateway = Optional.empty();
      MessageReader.Attributes attributes = entries.attributes();
      while (attributes.next()) {
        switch (attributes.type()) {
          case RtNetlink.RTA_GATEWAY -> gateway = Optional.of(attributes.address(family));
          case RtNetlink.RTA_VIA -> gateway = Optional.of(attributes.via());
          default -> {}
        }
      }
      boolean onlink = (entries.flags() & RtNetlink.RTNH_F_ONLINK) != 0;
      if (entries.interfaceIndex() != 0 || gateway.isPresent()) {
        into.add(new NextHop(entries.interfaceIndex(), gateway, entries.hops() + 1, onlink));
      }
    }
  }
}

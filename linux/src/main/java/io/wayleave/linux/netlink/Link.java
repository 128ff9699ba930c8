package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.MacAddress;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A network interface as the kernel told it.
 *
 * @param up whether an administrator set it up (IFF_UP)
 * @param carrier whether it can pass packets now (IFF_LOWER_UP); of a veth, the other end is up too
 * @param kind the driver's word, such as {@code veth}; empty for a physical interface and loopback
 * @param alias free text of whoever made it, empty when none
 * @param peerIndex of a veth, the index of the other end in its own namespace
 */
public record Link(
    int index,
    String name,
    boolean up,
    boolean carrier,
    boolean loopback,
    int mtu,
    Optional<MacAddress> mac,
    String kind,
    String alias,
    int group,
    OptionalInt peerIndex) {
  public Link {
    requireNonNull(name, "name is null");
    requireNonNull(mac, "mac is null");
    requireNonNull(kind, "kind is null");
    requireNonNull(alias, "alias is null");
    requireNonNull(peerIndex, "peerIndex is null");
  }

  /** From RTM_NEWLINK or RTM_DELLINK. */
  static Link decode(MessageReader reader) {
    int flags = reader.u32(8);
    String name = "";
    int mtu = 0;
    Optional<MacAddress> mac = Optional.empty();
    String kind = "";
    String alias = "";
    int group = 0;
    OptionalInt peerIndex = OptionalInt.empty();
    MessageReader.Attributes attributes = reader.attributes(RtNetlink.IFINFOMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case RtNetlink.IFLA_IFNAME -> name = attributes.text();
        case RtNetlink.IFLA_MTU -> mtu = attributes.u32();
        case RtNetlink.IFLA_ADDRESS -> {
          if (attributes.size() == 6) {
            mac = Optional.of(attributes.mac());
          }
        }
        case RtNetlink.IFLA_IFALIAS -> alias = attributes.text();
        case RtNetlink.IFLA_GROUP -> group = attributes.u32();
        case RtNetlink.IFLA_LINK -> peerIndex = OptionalInt.of(attributes.u32());
        case RtNetlink.IFLA_LINKINFO -> kind = kind(attributes.nested());
        default -> {}
      }
    }
    return new Link(
        reader.u32(4),
        name,
        (flags & RtNetlink.IFF_UP) != 0,
        (flags & RtNetlink.IFF_LOWER_UP) != 0,
        (flags & RtNetlink.IFF_LOOPBACK) != 0,
        mtu,
        mac,
        kind,
        alias,
        group,
        peerIndex);
  }

  private static String kind(MessageReader.Attributes info) {
    while (info.next()) {
      if (info.type() == RtNetlink.IFLA_INFO_KIND) {
        return info.text();
      }
    }
    return "";
  }
}

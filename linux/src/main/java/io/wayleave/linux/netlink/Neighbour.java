package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.util.Optional;

/**
 * An entry of the neighbour table (ARP, NDP).
 *
 * @param mac empty while it is not known
 * @param permanent whether an administrator made it, so that it is never asked for nor forgotten
 */
public record Neighbour(
    int interfaceIndex, IpAddress address, Optional<MacAddress> mac, boolean permanent) {
  public Neighbour {
    requireNonNull(address, "address is null");
    requireNonNull(mac, "mac is null");
  }

  public static Neighbour permanent(int interfaceIndex, IpAddress address, MacAddress mac) {
    return new Neighbour(interfaceIndex, address, Optional.of(mac), true);
  }

  /** From RTM_NEWNEIGH or RTM_DELNEIGH; empty for proxies and for families not routed here. */
  static Optional<Neighbour> decode(MessageReader reader) {
    boolean proxy = (reader.u8(10) & RtNetlink.NTF_PROXY) != 0;
    Optional<IpAddress> address = Optional.empty();
    Optional<MacAddress> mac = Optional.empty();
    var family = Families.of(reader.u8(0));
    if (family.isEmpty() || proxy) {
      return Optional.empty();
    }
    MessageReader.Attributes attributes = reader.attributes(RtNetlink.NDMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case RtNetlink.NDA_DST -> address = Optional.of(attributes.address(family.get()));
        case RtNetlink.NDA_LLADDR -> {
          if (attributes.size() == 6) {
            mac = Optional.of(attributes.mac());
          }
        }
        default -> {}
      }
    }
    boolean permanent = (reader.u16(8) & RtNetlink.NUD_PERMANENT) != 0;
    Optional<MacAddress> known = mac;
    return address.map(ip -> new Neighbour(reader.u32(4), ip, known, permanent));
  }

  @Override
  public String toString() {
    return address
        + mac.map(known -> " lladdr " + known).orElse("")
        + (permanent ? " permanent" : "");
  }
}

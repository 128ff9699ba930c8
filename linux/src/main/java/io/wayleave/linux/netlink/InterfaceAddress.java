package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * An address of an interface.
 *
 * @param peer of a point-to-point address, the other end; then the prefix length is of the peer
 */
public record InterfaceAddress(
    int interfaceIndex,
    IpAddress address,
    int prefixLength,
    Optional<IpAddress> peer,
    Scope scope,
    Set<Flag> flags) {

  /** What is particular about it. The kernel sets the last three by itself. */
  public enum Flag {
    /** IPv6: usable at once, without asking whether another host has it. */
    NODAD(RtNetlink.IFA_F_NODAD),
    /** The kernel makes no route for the network of the address. */
    NOPREFIXROUTE(RtNetlink.IFA_F_NOPREFIXROUTE),
    /** IPv6: another host has it, so it is not usable. */
    DADFAILED(RtNetlink.IFA_F_DADFAILED),
    /** IPv6: not usable yet. */
    TENTATIVE(RtNetlink.IFA_F_TENTATIVE),
    /** Has no lifetime. */
    PERMANENT(RtNetlink.IFA_F_PERMANENT);

    private final int bit;

    Flag(int bit) {
      this.bit = bit;
    }
  }

  public InterfaceAddress {
    requireNonNull(address, "address is null");
    requireNonNull(peer, "peer is null");
    requireNonNull(scope, "scope is null");
    flags = Set.copyOf(flags);
    if (prefixLength < 0 || prefixLength > address.family().bits()) {
      throw new InvalidInputException(
          "prefixLength",
          Integer.toString(prefixLength),
          "a prefix length of 0 to " + address.family().bits());
    }
  }

  /** With the scope that {@code ip addr add} would choose and no flags. */
  public static InterfaceAddress of(int interfaceIndex, IpAddress address, int prefixLength) {
    Scope scope =
        address.isLoopback()
            ? Scope.HOST
            : address.family() == Family.IPV6 && address.isLinkLocal()
                ? Scope.LINK
                : Scope.UNIVERSE;
    return new InterfaceAddress(
        interfaceIndex, address, prefixLength, Optional.empty(), scope, Set.of());
  }

  public InterfaceAddress withScope(Scope other) {
    return new InterfaceAddress(interfaceIndex, address, prefixLength, peer, other, flags);
  }

  public InterfaceAddress with(Flag flag) {
    EnumSet<Flag> more = EnumSet.of(flag);
    more.addAll(flags);
    return new InterfaceAddress(interfaceIndex, address, prefixLength, peer, scope, more);
  }

  public Family family() {
    return address.family();
  }

  /** The network that this address says is on the link. */
  public Cidr network() {
    return Cidr.around(peer.orElse(address), prefixLength);
  }

  int flagBits() {
    int bits = 0;
    for (Flag flag : flags) {
      bits |= flag.bit;
    }
    return bits;
  }

  /** From RTM_NEWADDR or RTM_DELADDR; empty for families other than IPv4 and IPv6. */
  static Optional<InterfaceAddress> decode(MessageReader reader) {
    Optional<Family> family = Families.of(reader.u8(0));
    if (family.isEmpty()) {
      return Optional.empty();
    }
    int bits = reader.u8(2);
    Optional<IpAddress> local = Optional.empty();
    Optional<IpAddress> address = Optional.empty();
    MessageReader.Attributes attributes = reader.attributes(RtNetlink.IFADDRMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case RtNetlink.IFA_LOCAL -> local = Optional.of(attributes.address(family.get()));
        case RtNetlink.IFA_ADDRESS -> address = Optional.of(attributes.address(family.get()));
        case RtNetlink.IFA_FLAGS -> bits = attributes.u32();
        default -> {}
      }
    }
    if (local.isEmpty()) {
      // IPv6 sends IFA_LOCAL only beside a peer.
      local = address;
    }
    if (local.isEmpty()) {
      return Optional.empty();
    }
    IpAddress own = local.get();
    EnumSet<Flag> flags = EnumSet.noneOf(Flag.class);
    for (Flag flag : Flag.values()) {
      if ((bits & flag.bit) != 0) {
        flags.add(flag);
      }
    }
    return Optional.of(
        new InterfaceAddress(
            reader.u32(4),
            own,
            reader.u8(1),
            address.filter(other -> !other.equals(own)),
            new Scope(reader.u8(3)),
            flags));
  }

  /** As {@code ip addr add} takes it, without the interface. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder().append(address);
    peer.ifPresent(other -> text.append(" peer ").append(other));
    text.append('/').append(prefixLength).append(" scope ").append(scope);
    flags.stream()
        .sorted()
        .forEach(flag -> text.append(' ').append(flag.name().toLowerCase(Locale.ROOT)));
    return text.toString();
  }
}

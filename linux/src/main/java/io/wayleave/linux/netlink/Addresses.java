package io.wayleave.linux.netlink;

import io.wayleave.linux.Errno;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Addresses of interfaces. The static methods make requests; the others act at once. */
public final class Addresses {
  private final NetlinkSocket socket;

  Addresses(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** EEXIST when the interface has it. */
  public static NetlinkRequest adding(InterfaceAddress address) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWADDR,
        RtNetlink.NLM_F_CREATE | RtNetlink.NLM_F_EXCL,
        writer -> write(writer, address),
        names -> "add address " + address + " dev " + names.of(address.interfaceIndex()));
  }

  /** Adds it, or sets flags and lifetime of one that is there. */
  public static NetlinkRequest replacing(InterfaceAddress address) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWADDR,
        RtNetlink.NLM_F_CREATE | RtNetlink.NLM_F_REPLACE,
        writer -> write(writer, address),
        names -> "replace address " + address + " dev " + names.of(address.interfaceIndex()));
  }

  /** EADDRNOTAVAIL when the interface does not have it. */
  public static NetlinkRequest deleting(InterfaceAddress address) {
    return new NetlinkRequest(
        RtNetlink.RTM_DELADDR,
        0,
        writer -> write(writer, address),
        names -> "delete address " + address + " dev " + names.of(address.interfaceIndex()));
  }

  public void add(InterfaceAddress address) throws IOException {
    socket.execute(adding(address));
  }

  public void replace(InterfaceAddress address) throws IOException {
    socket.execute(replacing(address));
  }

  /** False when the interface did not have it. */
  public boolean delete(InterfaceAddress address) throws IOException {
    try {
      socket.execute(deleting(address));
      return true;
    } catch (NetlinkException e) {
      if (e.errno() == Errno.EADDRNOTAVAIL) {
        return false;
      }
      throw e;
    }
  }

  /** Those of all interfaces, IPv4 before IPv6. */
  public List<InterfaceAddress> list() throws IOException {
    return list(0, "list addresses");
  }

  public List<InterfaceAddress> list(int interfaceIndex) throws IOException {
    return list(interfaceIndex, "list addresses of link #" + interfaceIndex);
  }

  private List<InterfaceAddress> list(int interfaceIndex, String words) throws IOException {
    return socket.dump(
        new NetlinkRequest(
            RtNetlink.RTM_GETADDR,
            0,
            writer -> writer.u8(0).u8(0).u8(0).u8(0).u32(interfaceIndex),
            names -> words),
        reader ->
            reader.type() == RtNetlink.RTM_NEWADDR
                ? InterfaceAddress.decode(reader)
                    .filter(
                        address ->
                            interfaceIndex == 0 || address.interfaceIndex() == interfaceIndex)
                : Optional.empty());
  }

  /** struct ifaddrmsg: family, prefix length, flags, scope, index. */
  private static void write(MessageWriter writer, InterfaceAddress address) {
    writer
        .u8(Families.number(address.family()))
        .u8(address.prefixLength())
        .u8(0)
        .u8(address.scope().number())
        .u32(address.interfaceIndex());
    writer.address(RtNetlink.IFA_LOCAL, address.address());
    writer.address(RtNetlink.IFA_ADDRESS, address.peer().orElse(address.address()));
    if (address.flagBits() != 0) {
      writer.u32(RtNetlink.IFA_FLAGS, address.flagBits());
    }
  }
}

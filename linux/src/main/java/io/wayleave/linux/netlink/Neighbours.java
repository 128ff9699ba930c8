package io.wayleave.linux.netlink;

import io.wayleave.linux.Errno;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Permanent neighbour entries. The static methods make requests; the others act at once. */
public final class Neighbours {
  private final NetlinkSocket socket;

  Neighbours(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** EEXIST when the interface has an entry for the address, a learned one too. */
  public static NetlinkRequest adding(Neighbour neighbour) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWNEIGH,
        RtNetlink.NLM_F_CREATE | RtNetlink.NLM_F_EXCL,
        writer -> write(writer, neighbour),
        names -> "add neighbour " + neighbour + " dev " + names.of(neighbour.interfaceIndex()));
  }

  public static NetlinkRequest replacing(Neighbour neighbour) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWNEIGH,
        RtNetlink.NLM_F_CREATE | RtNetlink.NLM_F_REPLACE,
        writer -> write(writer, neighbour),
        names -> "replace neighbour " + neighbour + " dev " + names.of(neighbour.interfaceIndex()));
  }

  /** ENOENT when there is none. */
  public static NetlinkRequest deleting(int interfaceIndex, IpAddress address) {
    return new NetlinkRequest(
        RtNetlink.RTM_DELNEIGH,
        0,
        writer -> {
          header(writer, address, interfaceIndex, 0);
          writer.address(RtNetlink.NDA_DST, address);
        },
        names -> "delete neighbour " + address + " dev " + names.of(interfaceIndex));
  }

  public void add(Neighbour neighbour) throws IOException {
    socket.execute(adding(neighbour));
  }

  public void replace(Neighbour neighbour) throws IOException {
    socket.execute(replacing(neighbour));
  }

  /** False when there was none. */
  public boolean delete(int interfaceIndex, IpAddress address) throws IOException {
    try {
      socket.execute(deleting(interfaceIndex, address));
      return true;
    } catch (NetlinkException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /** Those of all interfaces and both families, learned ones too. */
  public List<Neighbour> list() throws IOException {
    return socket.dump(
        new NetlinkRequest(
            RtNetlink.RTM_GETNEIGH,
            0,
            writer -> writer.u8(0).u8(0).u16(0).u32(0).u16(0).u8(0).u8(0),
            names -> "list neighbours"),
        reader ->
            reader.type() == RtNetlink.RTM_NEWNEIGH ? Neighbour.decode(reader) : Optional.empty());
  }

  private static void write(MessageWriter writer, Neighbour neighbour) {
    header(
        writer,
        neighbour.address(),
        neighbour.interfaceIndex(),
        neighbour.permanent() ? RtNetlink.NUD_PERMANENT : RtNetlink.NUD_REACHABLE);
    writer.address(RtNetlink.NDA_DST, neighbour.address());
    neighbour.mac().ifPresent(mac -> writer.mac(RtNetlink.NDA_LLADDR, mac));
  }

  /** struct ndmsg: family, padding, index, state, flags, type. */
  private static void header(MessageWriter writer, IpAddress address, int index, int state) {
    writer.u8(Families.number(address.family())).u8(0).u16(0).u32(index).u16(state).u8(0).u8(0);
  }
}

package io.wayleave.linux.netlink;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.Errno;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.MacAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Network interfaces. The static methods make requests for {@link NetlinkSocket#executeAll}; the
 * others ask or do at once, on the thread that owns the socket.
 */
public final class Links {
  // dev_valid_name() of the kernel: no slash, colon or white space, not "." or "..".
  private static final Pattern NAME = Pattern.compile("(?!\\.{1,2}$)[^/:\\s\\x00]+");
  private static final int MAX_ALIAS_BYTES = RtNetlink.IFALIASZ - 1;

  private final NetlinkSocket socket;

  Links(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Makes both ends. EEXIST when a name is taken; then neither is made. */
  public static NetlinkRequest creating(VethPair pair) {
    VethPair.End end = pair.end();
    VethPair.End peer = pair.peer();
    return new NetlinkRequest(
        RtNetlink.RTM_NEWLINK,
        RtNetlink.NLM_F_CREATE | RtNetlink.NLM_F_EXCL,
        writer -> {
          int flags = pair.up() ? RtNetlink.IFF_UP : 0;
          header(writer, 0, flags, flags);
          endAttributes(writer, end);
          int info = writer.beginNest(RtNetlink.IFLA_LINKINFO);
          writer.text(RtNetlink.IFLA_INFO_KIND, "veth");
          int data = writer.beginNest(RtNetlink.IFLA_INFO_DATA);
          int inner = writer.beginNest(RtNetlink.VETH_INFO_PEER);
          header(writer, 0, 0, 0);
          endAttributes(writer, peer);
          writer.endNest(inner);
          writer.endNest(data);
          writer.endNest(info);
        },
        names -> "create veth " + words(end) + " with peer " + words(peer));
  }

  /** Also deletes the other end of a veth. */
  public static NetlinkRequest deleting(int index) {
    return new NetlinkRequest(
        RtNetlink.RTM_DELLINK,
        0,
        writer -> header(writer, index, 0, 0),
        names -> "delete link " + names.of(index));
  }

  /** ENODEV when there is none of that name. */
  public static NetlinkRequest deleting(String name) {
    checkName(name);
    return new NetlinkRequest(
        RtNetlink.RTM_DELLINK,
        0,
        writer -> {
          header(writer, 0, 0, 0);
          writer.text(RtNetlink.IFLA_IFNAME, name);
        },
        names -> "delete link " + name);
  }

  /** Deletes all interfaces of a group at once, which costs one grace period for all of them. */
  public static NetlinkRequest deletingGroup(int group) {
    if (group == 0) {
      throw new InvalidInputException("group", "0", "a group other than the default one");
    }
    return new NetlinkRequest(
        RtNetlink.RTM_DELLINK,
        0,
        writer -> {
          header(writer, 0, 0, 0);
          writer.u32(RtNetlink.IFLA_GROUP, group);
        },
        names -> "delete all links of group " + group);
  }

  public static NetlinkRequest settingUp(int index) {
    return flags(index, RtNetlink.IFF_UP, "set link %s up");
  }

  public static NetlinkRequest settingDown(int index) {
    return flags(index, 0, "set link %s down");
  }

  /** The interface must be down, unless the kernel allows otherwise. */
  public static NetlinkRequest renaming(int index, String name) {
    checkName(name);
    return changing(
        index,
        writer -> writer.text(RtNetlink.IFLA_IFNAME, name),
        names -> "rename link " + names.of(index) + " to " + name);
  }

  public static NetlinkRequest settingMtu(int index, int mtu) {
    return changing(
        index,
        writer -> writer.u32(RtNetlink.IFLA_MTU, mtu),
        names -> "set the MTU of link " + names.of(index) + " to " + mtu);
  }

  public static NetlinkRequest settingMac(int index, MacAddress mac) {
    return changing(
        index,
        writer -> writer.mac(RtNetlink.IFLA_ADDRESS, mac),
        names -> "set the MAC of link " + names.of(index) + " to " + mac);
  }

  /** Free text of up to 255 bytes that stays with the interface. */
  public static NetlinkRequest settingAlias(int index, String alias) {
    if (alias.getBytes(StandardCharsets.UTF_8).length > MAX_ALIAS_BYTES) {
      throw new InvalidInputException(
          "alias", alias, "a text of at most " + MAX_ALIAS_BYTES + " bytes");
    }
    return changing(
        index,
        writer -> writer.text(RtNetlink.IFLA_IFALIAS, alias),
        names -> "set the alias of link " + names.of(index) + " to \"" + alias + "\"");
  }

  public static NetlinkRequest settingGroup(int index, int group) {
    return changing(
        index,
        writer -> writer.u32(RtNetlink.IFLA_GROUP, group),
        names -> "set the group of link " + names.of(index) + " to " + group);
  }

  /** It keeps its name there; EEXIST when that is taken. The namespace must stay open meanwhile. */
  public static NetlinkRequest moving(int index, NetworkNamespace target) {
    return changing(
        index,
        writer -> writer.u32(RtNetlink.IFLA_NET_NS_FD, number(target)),
        names -> "move link " + names.of(index) + " to network namespace " + target);
  }

  /** The same under another name there, in one step: the old name need not be free there. */
  public static NetlinkRequest moving(int index, NetworkNamespace target, String name) {
    checkName(name);
    return changing(
        index,
        writer -> {
          writer.u32(RtNetlink.IFLA_NET_NS_FD, number(target));
          writer.text(RtNetlink.IFLA_IFNAME, name);
        },
        names ->
            "move link " + names.of(index) + " to network namespace " + target + " as " + name);
  }

  public void create(VethPair pair) throws IOException {
    socket.execute(creating(pair));
  }

  public void setUp(int index) throws IOException {
    socket.execute(settingUp(index));
  }

  public void setDown(int index) throws IOException {
    socket.execute(settingDown(index));
  }

  /** Deletes the interface of that name; false when there is none. */
  public boolean delete(String name) throws IOException {
    try {
      socket.execute(deleting(name));
      return true;
    } catch (NetlinkException e) {
      if (e.errno() == Errno.ENODEV) {
        return false;
      }
      throw e;
    }
  }

  public Optional<Link> find(String name) throws IOException {
    checkName(name);
    return find(
        new NetlinkRequest(
            RtNetlink.RTM_GETLINK,
            0,
            writer -> {
              header(writer, 0, 0, 0);
              writer.text(RtNetlink.IFLA_IFNAME, name);
              writer.u32(RtNetlink.IFLA_EXT_MASK, RtNetlink.RTEXT_FILTER_SKIP_STATS);
            },
            names -> "get link " + name));
  }

  public Optional<Link> find(int index) throws IOException {
    return find(
        new NetlinkRequest(
            RtNetlink.RTM_GETLINK,
            0,
            writer -> {
              header(writer, index, 0, 0);
              writer.u32(RtNetlink.IFLA_EXT_MASK, RtNetlink.RTEXT_FILTER_SKIP_STATS);
            },
            names -> "get link #" + index));
  }

  /**
   * The interface of that name.
   *
   * @throws NetlinkException ENODEV when there is none
   */
  public Link get(String name) throws IOException {
    return find(name)
        .orElseThrow(() -> new NetlinkException("get link " + name, Errno.ENODEV.number(), ""));
  }

  /** All interfaces of the socket's namespace. */
  public List<Link> list() throws IOException {
    return socket.dump(
        new NetlinkRequest(
            RtNetlink.RTM_GETLINK,
            0,
            writer -> {
              header(writer, 0, 0, 0);
              writer.u32(RtNetlink.IFLA_EXT_MASK, RtNetlink.RTEXT_FILTER_SKIP_STATS);
            },
            names -> "list links"),
        Links::decode);
  }

  static String checkName(String name) {
    if (!NAME.matcher(name).matches()
        || name.getBytes(StandardCharsets.UTF_8).length >= RtNetlink.IFNAMSIZ) {
      throw new InvalidInputException(
          "interface", name, "1 to 15 bytes without '/', ':' and spaces, and not '.' or '..'");
    }
    return name;
  }

  static Optional<Link> decode(MessageReader reader) {
    // Bridges report their ports by the same message under AF_BRIDGE; that is not the interface.
    return reader.type() == RtNetlink.RTM_NEWLINK && reader.u8(0) == 0
        ? Optional.of(Link.decode(reader))
        : Optional.empty();
  }

  private Optional<Link> find(NetlinkRequest request) throws IOException {
    try {
      return socket.query(request, Links::decode);
    } catch (NetlinkException e) {
      if (e.errno() == Errno.ENODEV) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static NetlinkRequest flags(int index, int value, String words) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWLINK,
        0,
        writer -> header(writer, index, value, RtNetlink.IFF_UP),
        names -> words.formatted(names.of(index)));
  }

  private static NetlinkRequest changing(
      int index, Consumer<MessageWriter> attributes, NetlinkRequest.Description description) {
    return new NetlinkRequest(
        RtNetlink.RTM_NEWLINK,
        0,
        writer -> {
          header(writer, index, 0, 0);
          attributes.accept(writer);
        },
        description);
  }

  /** struct ifinfomsg: family, padding, device type, index, flags, mask of changed flags. */
  private static void header(MessageWriter writer, int index, int flags, int change) {
    writer.u8(0).u8(0).u16(0).u32(index).u32(flags).u32(change);
  }

  private static void endAttributes(MessageWriter writer, VethPair.End end) {
    writer.text(RtNetlink.IFLA_IFNAME, end.name());
    end.mac().ifPresent(mac -> writer.mac(RtNetlink.IFLA_ADDRESS, mac));
    end.mtu().ifPresent(mtu -> writer.u32(RtNetlink.IFLA_MTU, mtu));
    end.namespace().ifPresent(namespace -> writer.u32(RtNetlink.IFLA_NET_NS_FD, number(namespace)));
  }

  private static String words(VethPair.End end) {
    return end.name() + end.namespace().map(namespace -> " in " + namespace).orElse("");
  }

  private static int number(NetworkNamespace namespace) {
    try {
      return namespace.fd().number();
    } catch (ClosedFdException e) {
      throw new UncheckedIOException("network namespace " + namespace + " is closed", e);
    }
  }
}

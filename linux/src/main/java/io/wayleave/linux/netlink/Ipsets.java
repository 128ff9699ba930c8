package io.wayleave.linux.netlink;

import io.wayleave.linux.Errno;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.IpsetFailure.Reason;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The ipsets of one network namespace, over a netlink socket of its own: what the {@code ipset}
 * program does, without a process. Thousands of members go with one system call.
 *
 * <p>NOT thread safe: one thread at a time. There are no notifications of sets: who wants to know
 * what others did must list.
 */
public final class Ipsets implements AutoCloseable {
  /** So that one message, of 60 bytes a member at most, stays well below 64 KiB. */
  private static final int MEMBERS_PER_MESSAGE = 1024;

  private static final int SMALLEST_HASH = 1024;
  private static final int LARGEST_HASH = 1 << 20;

  private final NetlinkSocket socket;

  private Ipsets(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Those of the calling thread's namespace. */
  public static Ipsets open() throws IOException {
    return new Ipsets(NetlinkSocket.open(Netfilter.NETLINK_NETFILTER));
  }

  /** Those of a given namespace. */
  public static Ipsets open(NetworkNamespace namespace) throws IOException {
    return namespace.run(Ipsets::open);
  }

  /**
   * Makes the changes in their order. One that fails does not stop those after it; of a change with
   * many members a part may have been done.
   *
   * @return those that failed, in order; empty when all succeeded
   * @throws IOException when the socket itself fails
   */
  public List<IpsetFailure> execute(List<IpsetChange> changes) throws IOException {
    Map<NetlinkRequest, IpsetChange> requests = new LinkedHashMap<>();
    changes.forEach(change -> write(change, requests));
    List<IpsetFailure> failures = new ArrayList<>();
    for (NetlinkSocket.Failure failure : socket.executeAll(List.copyOf(requests.keySet()))) {
      IpsetChange change = requests.get(failure.request());
      Reason reason = reason(failure.reason());
      if (!(change instanceof IpsetChange.Destroy && reason == Reason.MISSING)) {
        failures.add(new IpsetFailure(change, reason, text(change, failure.reason(), reason)));
      }
    }
    return failures;
  }

  /** The sets whose names are wanted, with their members. */
  public List<Ipset> list(Predicate<String> names) throws IOException {
    Map<String, Listed> sets = new LinkedHashMap<>();
    for (Part part : dump(names, 0)) {
      Listed listed = sets.computeIfAbsent(part.name(), _ -> new Listed());
      part.format().ifPresent(format -> listed.format = Optional.of(format));
      listed.members.putAll(part.members());
    }
    List<Ipset> result = new ArrayList<>(sets.size());
    sets.forEach((name, listed) -> result.add(new Ipset(name, listed.format, listed.members)));
    return result;
  }

  /** How many members each set has, of those whose names are wanted: cheaper than to list them. */
  public Map<String, Integer> sizes(Predicate<String> names) throws IOException {
    Map<String, Integer> sizes = new HashMap<>();
    for (Part part : dump(names, Netfilter.IPSET_FLAG_LIST_HEADER)) {
      sizes.put(part.name(), part.size());
    }
    return sizes;
  }

  @Override
  public void close() {
    socket.close();
  }

  private static final class Listed {
    private Optional<IpsetFormat> format = Optional.empty();
    private final Map<IpsetMember, Boolean> members = new HashMap<>();
  }

  /** One message of a dump; a large set comes in several, the format in the first. */
  private record Part(
      String name, Optional<IpsetFormat> format, int size, Map<IpsetMember, Boolean> members) {}

  private List<Part> dump(Predicate<String> names, int flags) throws IOException {
    // The type of a set is told in its first message only.
    Map<String, IpsetFormat> formats = new HashMap<>();
    return socket.dump(
        new NetlinkRequest(
            Netfilter.type(Netfilter.NFNL_SUBSYS_IPSET, Netfilter.IPSET_CMD_LIST),
            0,
            writer -> {
              begin(writer);
              if (flags != 0) {
                writer.be32(Netfilter.IPSET_ATTR_FLAGS | Netfilter.NLA_F_NET_BYTEORDER, flags);
              }
            },
            _ -> "list ipsets"),
        reader -> decode(reader, names, formats));
  }

  private static void write(IpsetChange change, Map<NetlinkRequest, IpsetChange> into) {
    switch (change) {
      case IpsetChange.Create create ->
          into.put(
              request(
                  Netfilter.IPSET_CMD_CREATE, change, create.set(), w -> writeFormat(w, create)),
              change);
      case IpsetChange.Add(String set, List<IpsetMember> members) ->
          writeMembers(Netfilter.IPSET_CMD_ADD, change, set, members, into);
      case IpsetChange.Remove(String set, List<IpsetMember> members) ->
          writeMembers(Netfilter.IPSET_CMD_DEL, change, set, members, into);
      case IpsetChange.Swap(String set, String other) ->
          into.put(
              request(
                  Netfilter.IPSET_CMD_SWAP,
                  change,
                  set,
                  w -> w.text(Netfilter.IPSET_ATTR_SETNAME2, other)),
              change);
      case IpsetChange.Rename(String set, String name) ->
          into.put(
              request(
                  Netfilter.IPSET_CMD_RENAME,
                  change,
                  set,
                  w -> w.text(Netfilter.IPSET_ATTR_SETNAME2, name)),
              change);
      case IpsetChange.Destroy(String set) ->
          into.put(request(Netfilter.IPSET_CMD_DESTROY, change, set, _ -> {}), change);
    }
  }

  private static void writeMembers(
      int command,
      IpsetChange change,
      String set,
      List<IpsetMember> members,
      Map<NetlinkRequest, IpsetChange> into) {
    for (int from = 0; from < members.size(); from += MEMBERS_PER_MESSAGE) {
      List<IpsetMember> part =
          members.subList(from, Math.min(members.size(), from + MEMBERS_PER_MESSAGE));
      into.put(request(command, change, set, w -> writeMembers(w, part)), change);
    }
  }

  /** Without NLM_F_EXCL: what is as it should be is no error. */
  private static NetlinkRequest request(
      int command, IpsetChange change, String set, Consumer<MessageWriter> more) {
    return new NetlinkRequest(
        Netfilter.type(Netfilter.NFNL_SUBSYS_IPSET, command),
        0,
        writer -> {
          begin(writer);
          writer.text(Netfilter.IPSET_ATTR_SETNAME, set);
          more.accept(writer);
        },
        _ -> change.toString());
  }

  private static void begin(MessageWriter writer) {
    Netfilter.header(writer, Netfilter.NFPROTO_UNSPEC, 0);
    writer.u8(Netfilter.IPSET_ATTR_PROTOCOL, Netfilter.IPSET_PROTOCOL);
  }

  private static void writeFormat(MessageWriter writer, IpsetChange.Create create) {
    IpsetFormat format = create.format();
    writer.text(Netfilter.IPSET_ATTR_TYPENAME, format.type().kernelName());
    writer.u8(Netfilter.IPSET_ATTR_REVISION, format.type().revision());
    writer.u8(Netfilter.IPSET_ATTR_FAMILY, Netfilter.number(format.family()));
    int data = writer.beginNest(Netfilter.IPSET_ATTR_DATA | RtNetlink.NLA_F_NESTED);
    int netOrder = Netfilter.NLA_F_NET_BYTEORDER;
    writer.be32(Netfilter.IPSET_ATTR_HASHSIZE | netOrder, hashSize(create.expectedMembers()));
    writer.be32(Netfilter.IPSET_ATTR_MAXELEM | netOrder, format.maxMembers());
    writer.endNest(data);
  }

  /** A bucket takes 12 members before the hash must grow; with 2 on average that is rare. */
  private static int hashSize(int members) {
    int wanted = Math.clamp(members / 2, SMALLEST_HASH, LARGEST_HASH);
    int highest = Integer.highestOneBit(wanted);
    return highest == wanted ? wanted : highest * 2;
  }

  private static void writeMembers(MessageWriter writer, List<IpsetMember> members) {
    // The kernel asks for a line number when there may be many.
    writer.be32(Netfilter.IPSET_ATTR_LINENO, 0);
    int all = writer.beginNest(Netfilter.IPSET_ATTR_ADT | RtNetlink.NLA_F_NESTED);
    for (IpsetMember member : members) {
      int data = writer.beginNest(Netfilter.IPSET_ATTR_DATA | RtNetlink.NLA_F_NESTED);
      switch (member) {
        case IpsetMember.Net(Cidr net) -> {
          writeAddress(writer, net.address());
          writer.u8(Netfilter.IPSET_ATTR_CIDR, net.prefixLength());
        }
        case IpsetMember.NetInterface(Cidr net, String interfaceName) -> {
          writeAddress(writer, net.address());
          writer.u8(Netfilter.IPSET_ATTR_CIDR, net.prefixLength());
          writer.text(Netfilter.IPSET_ATTR_IFACE, interfaceName);
        }
        case IpsetMember.AddressPort(IpAddress address, Protocol protocol, int port) -> {
          writeAddress(writer, address);
          writer.be16(Netfilter.IPSET_ATTR_PORT | Netfilter.NLA_F_NET_BYTEORDER, port);
          writer.u8(Netfilter.IPSET_ATTR_PROTO, protocol.number());
        }
      }
      writer.endNest(data);
    }
    writer.endNest(all);
  }

  private static void writeAddress(MessageWriter writer, IpAddress address) {
    int nest = writer.beginNest(Netfilter.IPSET_ATTR_IP | RtNetlink.NLA_F_NESTED);
    int type =
        switch (address.family()) {
          case IPV4 -> Netfilter.IPSET_ATTR_IPADDR_IPV4;
          case IPV6 -> Netfilter.IPSET_ATTR_IPADDR_IPV6;
        };
    writer.address(type | Netfilter.NLA_F_NET_BYTEORDER, address);
    writer.endNest(nest);
  }

  private static Optional<Part> decode(
      MessageReader reader, Predicate<String> names, Map<String, IpsetFormat> formats) {
    String name = "";
    Optional<IpsetType> type = Optional.empty();
    Optional<Family> family = Optional.empty();
    boolean plain = true;
    int maxMembers = 0;
    int size = 0;
    Map<IpsetMember, Boolean> members = new HashMap<>();
    MessageReader.Attributes attributes = reader.attributes(Netfilter.NFGENMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case Netfilter.IPSET_ATTR_SETNAME -> {
          name = attributes.text();
          if (!names.test(name)) {
            return Optional.empty();
          }
        }
        case Netfilter.IPSET_ATTR_TYPENAME -> type = IpsetType.of(attributes.text());
        case Netfilter.IPSET_ATTR_FAMILY -> family = Families.of(attributes.u8());
        case Netfilter.IPSET_ATTR_DATA -> {
          MessageReader.Attributes header = attributes.nested();
          while (header.next()) {
            switch (header.type()) {
              case Netfilter.IPSET_ATTR_MAXELEM -> maxMembers = header.be32();
              case Netfilter.IPSET_ATTR_ELEMENTS -> size = header.be32();
              case Netfilter.IPSET_ATTR_TIMEOUT,
                  Netfilter.IPSET_ATTR_NETMASK,
                  Netfilter.IPSET_ATTR_BITMASK ->
                  plain = false;
              default -> {}
            }
          }
          if (type.isPresent() && family.isPresent() && plain && maxMembers > 0) {
            formats.put(name, new IpsetFormat(type.get(), family.get(), maxMembers));
          }
        }
        case Netfilter.IPSET_ATTR_ADT -> {
          IpsetFormat format = formats.get(name);
          if (format != null) {
            decodeMembers(attributes.nested(), format, members);
          }
        }
        default -> {}
      }
    }
    return Optional.of(new Part(name, Optional.ofNullable(formats.get(name)), size, members));
  }

  private static void decodeMembers(
      MessageReader.Attributes list, IpsetFormat format, Map<IpsetMember, Boolean> into) {
    while (list.next()) {
      Optional<IpAddress> address = Optional.empty();
      int prefixLength = format.family().bits();
      int protocol = 0;
      int port = 0;
      String interfaceName = "";
      boolean matches = true;
      MessageReader.Attributes data = list.nested();
      while (data.next()) {
        switch (data.type()) {
          case Netfilter.IPSET_ATTR_IP -> {
            MessageReader.Attributes nested = data.nested();
            if (nested.next()) {
              address = Optional.of(nested.address(format.family()));
            }
          }
          case Netfilter.IPSET_ATTR_CIDR -> prefixLength = data.u8();
          case Netfilter.IPSET_ATTR_PORT -> port = data.be16();
          case Netfilter.IPSET_ATTR_PROTO -> protocol = data.u8();
          case Netfilter.IPSET_ATTR_IFACE -> interfaceName = data.text();
          case Netfilter.IPSET_ATTR_CADT_FLAGS ->
              matches = (data.be32() & Netfilter.IPSET_FLAG_NOMATCH) == 0;
          default -> {}
        }
      }
      if (address.isPresent()) {
        IpAddress first = address.get();
        into.put(
            switch (format.type()) {
              case NET -> new IpsetMember.Net(new Cidr(first, prefixLength));
              case NET_INTERFACE ->
                  new IpsetMember.NetInterface(new Cidr(first, prefixLength), interfaceName);
              case IP_PORT -> new IpsetMember.AddressPort(first, new Protocol(protocol), port);
            },
            matches);
      }
    }
  }

  private static Reason reason(NetlinkException refusal) {
    return switch (refusal.number()) {
      case Netfilter.IPSET_ERR_BUSY, Netfilter.IPSET_ERR_REFERENCED -> Reason.BUSY;
      case Netfilter.IPSET_ERR_TYPE_MISMATCH -> Reason.TYPE_MISMATCH;
      case Netfilter.IPSET_ERR_HASH_FULL -> Reason.FULL;
      default ->
          refusal.errno() == Errno.ENOENT
              ? Reason.MISSING
              : refusal.errno() == Errno.EEXIST ? Reason.EXISTS : Reason.OTHER;
    };
  }

  private static String text(IpsetChange change, NetlinkException refusal, Reason reason) {
    return switch (reason) {
      case BUSY -> change + ": the set is in use by a rule or another set";
      case TYPE_MISMATCH -> change + ": the sets are of different types or families";
      case MISSING -> change + ": there is no such set";
      case EXISTS -> change + ": a set of that name and another format is there";
      case FULL -> change + ": the set is full";
      case OTHER -> refusal.getMessage();
    };
  }
}

package io.wayleave.linux.netlink;

import io.wayleave.linux.Errno;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/**
 * The connection tracking table of one network namespace, over a netlink socket of its own
 * (ctnetlink).
 *
 * <p>NOT thread safe: one thread at a time.
 */
public final class Conntrack implements AutoCloseable {
  private static final int NEW = 0;
  private static final int GET = 1;
  private static final int DELETE = 2;
  private static final int GET_STATS = 5;

  // linux/netfilter/nfnetlink_conntrack.h
  private static final int TUPLE_ORIG = 1;
  private static final int TUPLE_REPLY = 2;
  private static final int STATUS = 3;
  private static final int MARK = 8;
  private static final int ID = 12;
  private static final int TUPLE_MASTER = 14;
  private static final int ZONE = 18;
  private static final int MARK_MASK = 21;
  private static final int STATS_ENTRIES = 1;
  private static final int TUPLE_IP = 1;
  private static final int TUPLE_PROTO = 2;
  private static final int IP_V4_SRC = 1;
  private static final int IP_V4_DST = 2;
  private static final int IP_V6_SRC = 3;
  private static final int IP_V6_DST = 4;
  private static final int PROTO_NUM = 1;
  private static final int PROTO_SRC_PORT = 2;
  private static final int PROTO_DST_PORT = 3;
  private static final int PROTO_ICMP_ID = 4;
  private static final int PROTO_ICMP_TYPE = 5;
  private static final int PROTO_ICMP_CODE = 6;
  private static final int PROTO_ICMPV6_ID = 7;
  private static final int PROTO_ICMPV6_TYPE = 8;
  private static final int PROTO_ICMPV6_CODE = 9;
  private static final int SEEN_REPLY = 1 << 1;
  private static final int ASSURED = 1 << 2;

  private final NetlinkSocket socket;

  private Conntrack(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** The table of the calling thread's namespace. */
  public static Conntrack open() throws IOException {
    return new Conntrack(NetlinkSocket.open(Netfilter.NETLINK_NETFILTER));
  }

  /** The table of a given namespace. */
  public static Conntrack open(NetworkNamespace namespace) throws IOException {
    return namespace.run(() -> open());
  }

  /** The flows of one family that are wanted; those that are not take no memory. */
  public List<Flow> list(Family family, Predicate<Flow> wanted) throws IOException {
    return list(
        Netfilter.number(family),
        reader -> decode(reader, family).filter(wanted),
        "list flows of " + family);
  }

  /**
   * The flows of both families that are wanted, in one walk through the table. The kernel walks
   * through all of it, whatever is wanted: 262,144 empty places take some 6 ms.
   *
   * @param wanted by the sources of the original packets and of the answers; those that are not
   *     wanted are not read any further
   */
  public List<Flow> list(BiPredicate<IpAddress, IpAddress> wanted) throws IOException {
    return list(
        Netfilter.NFPROTO_UNSPEC,
        reader ->
            Families.of(reader.u8(0))
                .filter(family -> isWanted(reader, family, wanted))
                .flatMap(family -> decode(reader, family)),
        "list flows");
  }

  private static boolean isWanted(
      MessageReader reader, Family family, BiPredicate<IpAddress, IpAddress> wanted) {
    Optional<IpAddress> original = Optional.empty();
    MessageReader.Attributes attributes = reader.attributes(Netfilter.NFGENMSG_SIZE);
    while (attributes.next()) {
      if (attributes.type() == TUPLE_ORIG) {
        original = source(attributes.nested(), family);
      } else if (attributes.type() == TUPLE_REPLY) {
        Optional<IpAddress> answering = source(attributes.nested(), family);
        return original.isPresent()
            && answering.isPresent()
            && wanted.test(original.get(), answering.get());
      }
    }
    return false;
  }

  private static Optional<IpAddress> source(MessageReader.Attributes parts, Family family) {
    int source = family == Family.IPV4 ? IP_V4_SRC : IP_V6_SRC;
    while (parts.next()) {
      if (parts.type() == TUPLE_IP) {
        MessageReader.Attributes addresses = parts.nested();
        while (addresses.next()) {
          if (addresses.type() == source) {
            return Optional.of(addresses.address(family));
          }
        }
      }
    }
    return Optional.empty();
  }

  private List<Flow> list(int family, NetlinkSocket.Decoder<Flow> decoder, String what)
      throws IOException {
    return socket.dump(
        new NetlinkRequest(
            Netfilter.type(Netfilter.NFNL_SUBSYS_CTNETLINK, GET),
            0,
            writer -> Netfilter.header(writer, family, 0),
            _ -> what),
        decoder);
  }

  /** How many flows the namespace has; costs no walk. */
  public int count() throws IOException {
    return socket
        .query(
            new NetlinkRequest(
                Netfilter.type(Netfilter.NFNL_SUBSYS_CTNETLINK, GET_STATS),
                0,
                writer -> Netfilter.header(writer, Netfilter.NFPROTO_UNSPEC, 0),
                _ -> "count flows"),
            Conntrack::entries)
        .orElseThrow(() -> new IOException("the kernel does not say how many flows there are"));
  }

  private static Optional<Integer> entries(MessageReader reader) {
    MessageReader.Attributes attributes = reader.attributes(Netfilter.NFGENMSG_SIZE);
    while (attributes.next()) {
      if (attributes.type() == STATS_ENTRIES) {
        return Optional.of(attributes.be32());
      }
    }
    return Optional.empty();
  }

  /**
   * Sets bits of the marks of flows, and no other bits. A flow that has ended is left out; when
   * another of the same tuple took its place, that is marked.
   *
   * @param value of the bits of the mask, all others 0
   * @return how many were there
   * @throws NetlinkException when the kernel refuses one; the others are marked
   */
  public int mark(Collection<Flow> flows, int value, int mask) throws IOException {
    if ((value & ~mask) != 0) {
      throw new IllegalArgumentException(
          "value 0x%x has bits outside the mask 0x%x".formatted(value, mask));
    }
    return execute(flows.stream().map(flow -> marking(flow, value, mask)).toList());
  }

  /**
   * Deletes flows: their next packets are judged as those of new ones. A flow that has ended is
   * left out; mostly also when another of the same tuple took its place ({@link Flow#id}).
   *
   * @return how many were deleted
   * @throws NetlinkException when the kernel refuses one; the others are deleted
   */
  public int delete(Collection<Flow> flows) throws IOException {
    return execute(flows.stream().map(Conntrack::deleting).toList());
  }

  /** How many of the flows that the requests are of were there. */
  private int execute(List<NetlinkRequest> requests) throws IOException {
    List<NetlinkSocket.Failure> failures = socket.executeAll(requests);
    for (NetlinkSocket.Failure failure : failures) {
      if (failure.reason().errno() != Errno.ENOENT) {
        throw failure.reason();
      }
    }
    return requests.size() - failures.size();
  }

  @Override
  public void close() {
    socket.close();
  }

  private static NetlinkRequest deleting(Flow flow) {
    return new NetlinkRequest(
        Netfilter.type(Netfilter.NFNL_SUBSYS_CTNETLINK, DELETE),
        0,
        writer -> {
          // Without a tuple, the request would mean all flows.
          writeFlow(writer, flow);
          writer.be32(ID, flow.id());
        },
        _ -> "delete flow " + flow.original());
  }

  private static NetlinkRequest marking(Flow flow, int value, int mask) {
    return new NetlinkRequest(
        // Without NLM_F_CREATE it changes what is there.
        Netfilter.type(Netfilter.NFNL_SUBSYS_CTNETLINK, NEW),
        0,
        writer -> {
          writeFlow(writer, flow);
          writer.be32(MARK, value);
          writer.be32(MARK_MASK, mask);
        },
        _ -> "mark flow " + flow.original());
  }

  private static void writeFlow(MessageWriter writer, Flow flow) {
    Netfilter.header(writer, Netfilter.number(flow.original().family()), 0);
    writeTuple(writer, flow.original());
    if (flow.zone() != 0) {
      writer.be16(ZONE, flow.zone());
    }
  }

  private static void writeTuple(MessageWriter writer, FlowTuple tuple) {
    boolean v4 = tuple.family() == Family.IPV4;
    int nest = writer.beginNest(TUPLE_ORIG | RtNetlink.NLA_F_NESTED);
    int addresses = writer.beginNest(TUPLE_IP | RtNetlink.NLA_F_NESTED);
    writer.address(v4 ? IP_V4_SRC : IP_V6_SRC, tuple.source());
    writer.address(v4 ? IP_V4_DST : IP_V6_DST, tuple.destination());
    writer.endNest(addresses);
    int proto = writer.beginNest(TUPLE_PROTO | RtNetlink.NLA_F_NESTED);
    writer.u8(PROTO_NUM, tuple.protocol().number());
    switch (tuple.detail()) {
      case FlowTuple.Ports(int source, int destination) -> {
        writer.be16(PROTO_SRC_PORT, source);
        writer.be16(PROTO_DST_PORT, destination);
      }
      case FlowTuple.Icmp(int type, int code, int id) -> {
        writer.be16(v4 ? PROTO_ICMP_ID : PROTO_ICMPV6_ID, id);
        writer.u8(v4 ? PROTO_ICMP_TYPE : PROTO_ICMPV6_TYPE, type);
        writer.u8(v4 ? PROTO_ICMP_CODE : PROTO_ICMPV6_CODE, code);
      }
      case FlowTuple.Nothing() -> {}
    }
    writer.endNest(proto);
    writer.endNest(nest);
  }

  private static Optional<Flow> decode(MessageReader reader, Family family) {
    Optional<FlowTuple> original = Optional.empty();
    Optional<FlowTuple> reply = Optional.empty();
    Optional<FlowTuple> master = Optional.empty();
    int status = 0;
    int mark = 0;
    int zone = 0;
    int id = 0;
    MessageReader.Attributes attributes = reader.attributes(Netfilter.NFGENMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case TUPLE_ORIG -> original = tuple(attributes.nested(), family);
        case TUPLE_REPLY -> reply = tuple(attributes.nested(), family);
        case TUPLE_MASTER -> master = tuple(attributes.nested(), family);
        case STATUS -> status = attributes.be32();
        case MARK -> mark = attributes.be32();
        case ZONE -> zone = attributes.be16();
        case ID -> id = attributes.be32();
        default -> {}
      }
    }
    if (original.isEmpty() || reply.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Flow(
            original.get(),
            reply.get(),
            (status & SEEN_REPLY) != 0,
            (status & ASSURED) != 0,
            mark,
            zone,
            id,
            master));
  }

  /** Empty for a protocol number of 0, which nothing has. */
  private static Optional<FlowTuple> tuple(MessageReader.Attributes parts, Family family) {
    IpAddress source = null;
    IpAddress destination = null;
    int protocol = 0;
    FlowTuple.Detail detail = new FlowTuple.Nothing();
    while (parts.next()) {
      switch (parts.type()) {
        case TUPLE_IP -> {
          MessageReader.Attributes addresses = parts.nested();
          while (addresses.next()) {
            switch (addresses.type()) {
              case IP_V4_SRC, IP_V6_SRC -> source = addresses.address(family);
              case IP_V4_DST, IP_V6_DST -> destination = addresses.address(family);
              default -> {}
            }
          }
        }
        case TUPLE_PROTO -> {
          MessageReader.Attributes numbers = parts.nested();
          while (numbers.next()) {
            if (numbers.type() == PROTO_NUM) {
              protocol = numbers.u8();
            }
          }
          detail = detail(parts.nested());
        }
        default -> {}
      }
    }
    return source == null || destination == null || protocol == 0
        ? Optional.empty()
        : Optional.of(new FlowTuple(source, destination, new Protocol(protocol), detail));
  }

  private static FlowTuple.Detail detail(MessageReader.Attributes numbers) {
    boolean ports = false;
    boolean icmp = false;
    int first = 0;
    int second = 0;
    int third = 0;
    while (numbers.next()) {
      switch (numbers.type()) {
        case PROTO_SRC_PORT -> {
          ports = true;
          first = numbers.be16();
        }
        case PROTO_DST_PORT -> second = numbers.be16();
        case PROTO_ICMP_TYPE, PROTO_ICMPV6_TYPE -> {
          icmp = true;
          first = numbers.u8();
        }
        case PROTO_ICMP_CODE, PROTO_ICMPV6_CODE -> second = numbers.u8();
        case PROTO_ICMP_ID, PROTO_ICMPV6_ID -> third = numbers.be16();
        default -> {}
      }
    }
    if (ports) {
      return new FlowTuple.Ports(first, second);
    }
    return icmp ? new FlowTuple.Icmp(first, second, third) : new FlowTuple.Nothing();
  }
}

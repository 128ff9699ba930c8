package io.wayleave.linux.netlink;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Reads what rules with target NFLOG say of packets, of one group in one network namespace
 * (nfnetlink_log). Only one reader of a group can be.
 *
 * <p>One thread owns it and calls {@link #poll} and {@link #lost} (a platform thread: it blocks).
 * {@link #wakeUp} and {@link #close} may be called from any thread.
 */
public final class PacketLog implements AutoCloseable {
  private static final int MOST_PACKETS = 4096;
  private static final int RECEIVE_BUFFER_BYTES = 2 << 20;

  /** Enough for IPv6, some extension headers, and ports. */
  private static final int COPIED_BYTES = 128;

  // The kernel sends when so many packets wait, or the first of them for so long.
  private static final int THRESHOLD = 32;
  private static final int TIMEOUT_HUNDREDTHS = 10;

  // linux/netfilter/nfnetlink_log.h
  private static final int MSG_PACKET = 0;
  private static final int MSG_CONFIG = 1;
  private static final int CFG_CMD = 1;
  private static final int CFG_MODE = 2;
  private static final int CFG_TIMEOUT = 4;
  private static final int CFG_QTHRESH = 5;
  private static final int CFG_FLAGS = 6;
  private static final int CMD_BIND = 1;
  private static final int COPY_PACKET = 2;
  private static final int FLAG_SEQUENCE = 1;
  private static final int MARK = 2;
  private static final int TIMESTAMP = 3;
  private static final int IFINDEX_INDEV = 4;
  private static final int IFINDEX_OUTDEV = 5;
  private static final int PAYLOAD = 9;
  private static final int PREFIX = 10;
  private static final int SEQUENCE = 12;

  private final NetlinkSocket socket;
  private final Notifications notifications;
  private long lost;
  private int nextSequence;

  private PacketLog(NetlinkSocket socket, Notifications notifications) {
    this.socket = socket;
    this.notifications = notifications;
  }

  /**
   * Reads a group from now on, in the network namespace of the calling thread.
   *
   * @param group 0 to 65535, as the rules' {@code --nflog-group}
   * @throws NetlinkException EPERM when somebody else reads the group
   */
  public static PacketLog open(int group) throws IOException {
    return open(group, RECEIVE_BUFFER_BYTES);
  }

  /** In a given network namespace. */
  public static PacketLog open(NetworkNamespace namespace, int group) throws IOException {
    return namespace.run(() -> open(group));
  }

  /** How much the kernel keeps for a slow reader before it drops packets. */
  static PacketLog open(int group, int receiveBufferBytes) throws IOException {
    if (group < 0 || group > 65535) {
      throw new InvalidInputException("group", Integer.toString(group), "0 to 65535");
    }
    NetlinkSocket socket = NetlinkSocket.open(Netfilter.NETLINK_NETFILTER);
    try {
      // The kernel sends to the socket that bound the group.
      socket.execute(config(group, "bind", writer -> writer.u8(CFG_CMD, CMD_BIND)));
      socket.execute(
          config(
              group,
              "configure",
              writer -> {
                // struct nfulnl_msg_config_mode: range in network order, mode, padding.
                int mode = writer.beginNest(CFG_MODE);
                writer.u16(0).u8(COPIED_BYTES >>> 8).u8(COPIED_BYTES).u8(COPY_PACKET).u8(0);
                writer.endNest(mode);
                writer.u16(0);
                writer.be32(CFG_TIMEOUT, TIMEOUT_HUNDREDTHS);
                writer.be32(CFG_QTHRESH, THRESHOLD);
                writer.be16(CFG_FLAGS, FLAG_SEQUENCE);
              }));
      return new PacketLog(socket, Notifications.of(socket.fd(), receiveBufferBytes));
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Waits for packets.
   *
   * @param timeout longest wait; zero only looks
   * @return in their order; empty when the time was over or {@link #wakeUp} was called
   * @throws ClosedFdException when this is closed
   */
  public List<LoggedPacket> poll(Duration timeout) throws IOException {
    List<LoggedPacket> packets = new ArrayList<>();
    notifications.poll(
        timeout,
        () -> packets.size() < MOST_PACKETS,
        reader -> decode(reader, packets),
        // How many they were is known by the number of the next packet.
        _ -> {});
    return packets;
  }

  /** Packets that this reader was too slow for, of those before the last one that it read. */
  public long lost() {
    return lost;
  }

  /** Ends the current or the next wait of {@link #poll}. */
  public void wakeUp() {
    notifications.wakeUp();
  }

  /** The kernel forgets the reader; packets of the group are no longer told to anybody. */
  @Override
  public void close() {
    socket.close();
    notifications.close();
  }

  private static NetlinkRequest config(int group, String verb, Consumer<MessageWriter> body) {
    return new NetlinkRequest(
        Netfilter.type(Netfilter.NFNL_SUBSYS_ULOG, MSG_CONFIG),
        0,
        writer -> {
          Netfilter.header(writer, Netfilter.NFPROTO_UNSPEC, group);
          body.accept(writer);
        },
        _ -> verb + " NFLOG group " + group);
  }

  private void decode(MessageReader reader, List<LoggedPacket> into) {
    while (reader.next()) {
      if (reader.type() == Netfilter.type(Netfilter.NFNL_SUBSYS_ULOG, MSG_PACKET)) {
        into.add(packet(reader));
      }
    }
  }

  private LoggedPacket packet(MessageReader reader) {
    String prefix = "";
    int in = 0;
    int out = 0;
    int mark = 0;
    Optional<Instant> time = Optional.empty();
    Optional<FlowTuple> tuple = Optional.empty();
    MessageReader.Attributes attributes = reader.attributes(Netfilter.NFGENMSG_SIZE);
    while (attributes.next()) {
      switch (attributes.type()) {
        case PREFIX -> prefix = attributes.text();
        case IFINDEX_INDEV -> in = attributes.be32();
        case IFINDEX_OUTDEV -> out = attributes.be32();
        case MARK -> mark = attributes.be32();
        case TIMESTAMP ->
            time =
                Optional.of(Instant.ofEpochSecond(attributes.be64(0), attributes.be64(8) * 1000));
        case PAYLOAD -> tuple = PacketHeaders.tuple(attributes.content());
        case SEQUENCE -> count(attributes.be32());
        default -> {}
      }
    }
    return new LoggedPacket(prefix, in, out, mark, time, tuple);
  }

  /** The kernel numbers the packets of a group from 0 on, those that it drops too. */
  private void count(int sequence) {
    lost += Integer.toUnsignedLong(sequence - nextSequence);
    nextSequence = sequence + 1;
  }
}

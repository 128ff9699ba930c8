package io.wayleave.linux.netlink;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.Fd;
import io.wayleave.linux.Libc;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.Poller;
import io.wayleave.linux.SystemCallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Hears what happens in one network namespace from the moment it is opened. Open it before the dump
 * that its events are to be applied to, and nothing falls between.
 *
 * <p>One thread owns it and calls {@link #poll} (a platform thread: it blocks). {@link #wakeUp} and
 * {@link #close} may be called from any thread.
 */
public final class NetlinkMonitor implements AutoCloseable {
  // So that a storm of events is handled in portions, with the owner's other work in between.
  private static final int MOST_EVENTS = 4096;

  private static final int BPF_LOAD_WORD = 0x20;
  private static final int BPF_JUMP_EQUAL = 0x15;
  private static final int BPF_RETURN = 0x06;
  private static final int NLMSG_PID_OFFSET = 12;

  private final Notifications notifications;

  /** What there is to hear. */
  public enum Group {
    LINKS(RtNetlink.RTNLGRP_LINK),
    IPV4_ADDRESSES(RtNetlink.RTNLGRP_IPV4_IFADDR),
    IPV6_ADDRESSES(RtNetlink.RTNLGRP_IPV6_IFADDR),
    IPV4_ROUTES(RtNetlink.RTNLGRP_IPV4_ROUTE),
    IPV6_ROUTES(RtNetlink.RTNLGRP_IPV6_ROUTE),
    NEIGHBOURS(RtNetlink.RTNLGRP_NEIGH);

    private final int number;

    Group(int number) {
      this.number = number;
    }
  }

  private NetlinkMonitor(Notifications notifications) {
    this.notifications = notifications;
  }

  /** In the network namespace of the calling thread. */
  public static NetlinkMonitor open(Set<Group> groups) throws IOException {
    return open(groups, Notifications.DEFAULT_RECEIVE_BUFFER_BYTES);
  }

  /** In a given network namespace. */
  public static NetlinkMonitor open(NetworkNamespace namespace, Set<Group> groups)
      throws IOException {
    return namespace.run(() -> open(groups));
  }

  /** How much the kernel keeps for a slow reader before it drops events. */
  static NetlinkMonitor open(Set<Group> groups, int receiveBufferBytes) throws IOException {
    return new NetlinkMonitor(
        Notifications.open(
            RtNetlink.NETLINK_ROUTE,
            EnumSet.copyOf(groups).stream().mapToInt(group -> group.number).toArray(),
            receiveBufferBytes));
  }

  /**
   * From now on leaves out what this socket asks for, so that a writer of many routes does not hear
   * its own echo. The kernel does the leaving out, before the receive buffer.
   */
  public void ignore(NetlinkSocket requester) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      // Classic BPF: load nlmsg_pid; equal to the port: take 0 bytes, else all. A load sees the
      // word in network order.
      int port = Integer.reverseBytes(requester.portId());
      MemorySegment program = arena.allocate(4 * 8, 8);
      instruction(program, 0, BPF_LOAD_WORD, 0, 0, NLMSG_PID_OFFSET);
      instruction(program, 1, BPF_JUMP_EQUAL, 0, 1, port);
      instruction(program, 2, BPF_RETURN, 0, 0, 0);
      instruction(program, 3, BPF_RETURN, 0, 0, -1);
      MemorySegment filter = arena.allocate(16, 8);
      filter.set(ValueLayout.JAVA_SHORT, 0, (short) 4);
      filter.set(ValueLayout.ADDRESS, 8, program);
      check(
          Libc.setsockopt(fd().number(), Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, filter),
          "attach a filter to a netlink socket");
    }
  }

  /**
   * Waits for events.
   *
   * @param timeout longest wait; zero only looks
   * @return in the order in which they happened; empty when the time was over or {@link #wakeUp}
   *     was called. After {@link NetlinkEvent.ResyncNeeded} the events continue.
   * @throws ClosedFdException when this is closed
   */
  public List<NetlinkEvent> poll(Duration timeout) throws IOException {
    List<NetlinkEvent> events = new ArrayList<>();
    notifications.poll(
        timeout,
        () -> events.size() < MOST_EVENTS,
        reader -> decode(reader, events),
        reason -> events.add(new NetlinkEvent.ResyncNeeded(reason)));
    return events;
  }

  /** To wait for beside others with a {@link Poller}, and then to poll without a wait. */
  public Fd fd() {
    return notifications.fd();
  }

  /** Ends the current or the next wait of {@link #poll}. */
  public void wakeUp() {
    notifications.wakeUp();
  }

  @Override
  public void close() {
    notifications.close();
  }

  static void decode(MessageReader reader, List<NetlinkEvent> into) {
    while (reader.next()) {
      event(reader).ifPresent(into::add);
    }
  }

  private static Optional<NetlinkEvent> event(MessageReader reader) {
    return switch (reader.type()) {
      case RtNetlink.RTM_NEWLINK -> Links.decode(reader).map(NetlinkEvent.LinkChanged::new);
      case RtNetlink.RTM_DELLINK ->
          // Family AF_BRIDGE: a port left its bridge, and the interface lives on.
          reader.u8(0) == 0
              ? Optional.of(new NetlinkEvent.LinkRemoved(Link.decode(reader)))
              : Optional.empty();
      case RtNetlink.RTM_NEWADDR ->
          InterfaceAddress.decode(reader).map(NetlinkEvent.AddressChanged::new);
      case RtNetlink.RTM_DELADDR ->
          InterfaceAddress.decode(reader).map(NetlinkEvent.AddressRemoved::new);
      case RtNetlink.RTM_NEWROUTE -> {
        boolean replaced = (reader.flags() & RtNetlink.NLM_F_REPLACE) != 0;
        yield Route.decode(reader).map(route -> new NetlinkEvent.RouteChanged(route, replaced));
      }
      case RtNetlink.RTM_DELROUTE -> Route.decode(reader).map(NetlinkEvent.RouteRemoved::new);
      case RtNetlink.RTM_NEWNEIGH ->
          Neighbour.decode(reader).map(NetlinkEvent.NeighbourChanged::new);
      case RtNetlink.RTM_DELNEIGH ->
          Neighbour.decode(reader).map(NetlinkEvent.NeighbourRemoved::new);
      default -> Optional.empty();
    };
  }

  /** struct sock_filter: code, jump if true, jump if false, constant. */
  private static void instruction(
      MemorySegment program, int index, int code, int ifTrue, int ifFalse, int constant) {
    long at = 8L * index;
    program.set(ValueLayout.JAVA_SHORT, at, (short) code);
    program.set(ValueLayout.JAVA_BYTE, at + 2, (byte) ifTrue);
    program.set(ValueLayout.JAVA_BYTE, at + 3, (byte) ifFalse);
    program.set(ValueLayout.JAVA_INT, at + 4, constant);
  }

  private static void check(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
  }
}

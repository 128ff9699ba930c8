package io.wayleave.agent;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.netlink.FlowTuple;
import io.wayleave.linux.netlink.LoggedPacket;
import io.wayleave.linux.netlink.NetlinkException;
import io.wayleave.linux.netlink.PacketLog;
import io.wayleave.model.Direction;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.status.PacketReport;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.LogPrefix;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The packets that rules log, and those that policy denies when the agent's configuration says so,
 * for {@code netctl policy watch}. The kernel's log is read only while somebody asks: the first
 * question starts the thread {@code wayleave-packets}, which ends when nobody has asked for {@link
 * #PATIENCE}. Any thread may ask.
 */
final class PacketWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PacketWatch.class);

  /** Without a question the kernel's log is let go. */
  static final Duration PATIENCE = Duration.ofSeconds(15);

  /** So many packets are kept for who asks; more are lost, and counted. */
  private static final int KEPT = 2000;

  private static final Duration POLL = Duration.ofMillis(200);

  private final Supplier<Collection<RuleBlock.Id>> blocks;

  // Guarded by this.
  private final Deque<PacketReport.Packet> packets = new ArrayDeque<>();
  private long next = 1;
  private long lost;
  private long lastAsked;
  private boolean reading;
  private boolean closed;
  private Optional<String> error = Optional.empty();

  /**
   * Reads nothing yet.
   *
   * @param blocks the policies and profiles whose rules are in force, to give chains their names
   */
  PacketWatch(Supplier<Collection<RuleBlock.Id>> blocks) {
    this.blocks = requireNonNull(blocks, "blocks is null");
  }

  /** Answers {@code GET /v1/policy/packets?after=NUMBER}. */
  PacketReport answer(Map<String, String> parameters) {
    String after = parameters.getOrDefault("after", "");
    if (!after.matches("[0-9]{0,18}")) {
      throw new InvalidInputException("after", after, "the number of a packet, or none");
    }
    return since(after.isEmpty() ? 0 : Long.parseLong(after));
  }

  private synchronized PacketReport since(long after) {
    lastAsked = System.nanoTime();
    if (!reading && !closed) {
      reading = true;
      Thread.ofPlatform().daemon().name("wayleave-packets").start(this::read);
    }
    List<PacketReport.Packet> newer =
        packets.stream().filter(packet -> packet.number() > after).toList();
    return new PacketReport(next - 1, lost, error, newer);
  }

  private void read() {
    try (PacketLog kernel = PacketLog.open(LogPrefix.GROUP)) {
      told(Optional.empty());
      while (wanted()) {
        List<LoggedPacket> read = kernel.poll(POLL);
        if (!read.isEmpty()) {
          take(read, chainNames(), kernel.lost());
        }
      }
    } catch (NetlinkException e) {
      ended("the kernel's log group " + LogPrefix.GROUP + " cannot be read: " + e.getMessage());
    } catch (IOException | RuntimeException e) {
      ended(e.toString());
    }
  }

  private synchronized void told(Optional<String> why) {
    error = why;
  }

  private synchronized boolean wanted() {
    reading = !closed && System.nanoTime() - lastAsked < PATIENCE.toNanos();
    return reading;
  }

  private synchronized void ended(String why) {
    log.warn("packets that rules log are not read reason=\"{}\"", why);
    reading = false;
    error = Optional.of(why);
  }

  /** Which policy's rules a chain has, and of which direction. */
  private Map<String, String> chainNames() {
    Map<String, String> names = new HashMap<>();
    for (RuleBlock.Id id : blocks.get()) {
      for (Direction direction : Direction.values()) {
        names.put(LogPrefix.chainOf(id, direction), id + ", " + direction);
      }
    }
    return names;
  }

  private synchronized void take(
      List<LoggedPacket> read, Map<String, String> chains, long lostByKernel) {
    lost = lostByKernel;
    for (LoggedPacket packet : read) {
      Optional<String> why = why(packet.prefix(), chains);
      if (why.isEmpty() || packet.tuple().isEmpty()) {
        continue; // somebody else logs to our group, or it is no IP packet
      }
      FlowTuple tuple = packet.tuple().get();
      packets.add(
          new PacketReport.Packet(
              next++,
              packet.time().orElseGet(Instant::now).toString(),
              why.get(),
              tuple.source().toString(),
              tuple.destination().toString(),
              tuple.protocol().toString(),
              detail(tuple)));
      if (packets.size() > KEPT) {
        packets.remove();
      }
    }
  }

  private static Optional<String> why(String prefix, Map<String, String> chains) {
    if (prefix.equals(LogPrefix.DENIED)) {
      return Optional.of("denied");
    }
    return LogPrefix.parse(prefix)
        .map(
            rule ->
                "logged by rule "
                    + (rule.rule() + 1)
                    + " of "
                    + chains.getOrDefault(rule.chain(), "chain " + rule.chain()));
  }

  private static Optional<String> detail(FlowTuple tuple) {
    return switch (tuple.detail()) {
      case FlowTuple.Ports(int source, int destination) ->
          Optional.of("port " + source + " to " + destination);
      case FlowTuple.Icmp(int type, int code, int _) ->
          Optional.of("type " + type + ", code " + code);
      case FlowTuple.Nothing() -> Optional.empty();
    };
  }

  @Override
  public synchronized void close() {
    closed = true;
  }
}

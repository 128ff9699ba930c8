package io.wayleave.test.bench;

import io.wayleave.test.lab.LabException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Every peer of the speaker under test, on one thread: the one that makes it, and it must be in the
 * namespace of the peers.
 *
 * <p>Nothing is measured before every session is up and quiet. A load is over when every receiver
 * has everything; then the tool goes on reading until all is quiet, because senders are told things
 * as well and the speaker's work is not over before.
 */
final class LoadTool implements AutoCloseable {
  /** A speaker that waits before it sends is not quiet: FRR waits for some seconds. */
  private static final Duration QUIET = Duration.ofMillis(400);

  private static final Duration LONGEST_UNQUIET = Duration.ofSeconds(60);
  private static final Duration REDIAL = Duration.ofMillis(100);

  /** BIRD's queue of connections is 8 long; what does not fit in waits for TCP's retries. */
  private static final int AT_ONCE = 8;

  private static final Duration KEEPALIVE = Duration.ofSeconds(Messages.HOLD_SECONDS / 4);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final double NANOS_PER_SECOND = 1e9;
  private static final int READ_SIZE = 256 << 10;

  private final Load load;
  private final Selector selector;
  private final List<LoadPeer> peers = new ArrayList<>();
  private final byte[] buffer = new byte[READ_SIZE];
  private long nextKeepalive = System.nanoTime() + KEEPALIVE.toNanos();
  private long lastUpdate = System.nanoTime();

  LoadTool(Load load, Load.Plan plan, boolean checked) throws IOException {
    this.load = load;
    selector = Selector.open();
    for (int i = 0; i < load.size().peers(); i++) {
      peers.add(new LoadPeer(i, plan, selector, ear(i, checked)));
    }
  }

  private Ear ear(int peer, boolean checked) {
    if (peer < load.size().senders()) {
      return new Ear.Deaf();
    }
    return checked ? new Verifier(load.expected()) : new Ear.Counter(load.expected().routes());
  }

  /**
   * Has the counting of prefixes compiled before it is measured, without a socket: on the tool's
   * own load.
   */
  void warmUp(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    Ear.Counter counter = new Ear.Counter(0);
    byte[] bytes = new byte[load.senders().getFirst().announce().remaining()];
    load.senders().getFirst().announce().duplicate().get(bytes);
    while (System.nanoTime() - end < 0) {
      for (int at = 0; at < bytes.length; ) {
        int length = Ear.unsignedShort(bytes, at + 16);
        counter.update(bytes, at + Messages.HEADER, at + length);
        at += length;
      }
    }
  }

  /**
   * Opens every session and waits until all is quiet.
   *
   * @param alive whether the speaker still runs: no use in waiting otherwise
   */
  void open(Duration limit, BooleanSupplier alive) throws IOException {
    long end = System.nanoTime() + limit.toNanos();
    long nextDial = System.nanoTime();
    Iterator<LoadPeer> redial = Collections.emptyIterator();
    while (!isUp()) {
      if (!alive.getAsBoolean()) {
        throw new LabException("the speaker has ended");
      }
      if (System.nanoTime() - end >= 0) {
        throw new LabException(
            "the sessions are not up after " + limit.toSeconds() + " s: " + firstDown());
      }
      if (System.nanoTime() - nextDial >= 0) {
        nextDial = System.nanoTime() + REDIAL.toNanos();
        redial = peers.stream().filter(LoadPeer::isIdle).iterator();
      }
      long dialling = peers.stream().filter(LoadPeer::isDialling).count();
      for (; dialling < AT_ONCE && redial.hasNext(); dialling++) {
        redial.next().dial();
      }
      turn(REDIAL);
      // FRR at times closes a session that it has just accepted; it is dialled again.
      if (isUp()) {
        awaitQuiet();
      }
    }
  }

  private boolean isUp() {
    return peers.stream().allMatch(LoadPeer::isEstablished);
  }

  private LoadPeer firstDown() {
    return peers.stream().filter(peer -> !peer.isEstablished()).findFirst().orElseThrow();
  }

  private void requireUp() {
    if (!isUp()) {
      throw new LabException("a session went down: " + firstDown());
    }
  }

  /** Sends everything; the seconds until every receiver has it, infinite beyond the limit. */
  double announce(Duration limit) throws IOException {
    peers.forEach(peer -> peer.ear().reset());
    return run(Load.Sender::announce, Ear::hasAll, limit);
  }

  /** Withdraws everything; the seconds until every receiver has nothing, or infinite. */
  double withdraw(Duration limit) throws IOException {
    return run(Load.Sender::withdraw, Ear::hasNone, limit);
  }

  private double run(Function<Load.Sender, ByteBuffer> what, Predicate<Ear> done, Duration limit)
      throws IOException {
    List<Ear> receivers =
        new ArrayList<>(
            peers.subList(load.size().senders(), peers.size()).stream()
                .map(LoadPeer::ear)
                .toList());
    long begin = System.nanoTime();
    for (int i = 0; i < load.size().senders(); i++) {
      peers.get(i).send(what.apply(load.senders().get(i)).duplicate());
    }
    while (!receivers.isEmpty()) {
      if (System.nanoTime() - begin >= limit.toNanos()) {
        return Double.POSITIVE_INFINITY;
      }
      turn(POLL);
      requireUp();
      receivers.removeIf(done);
    }
    return (System.nanoTime() - begin) / NANOS_PER_SECOND;
  }

  /** Reads on until no UPDATE has come for a while. */
  void awaitQuiet() throws IOException {
    long end = System.nanoTime() + LONGEST_UNQUIET.toNanos();
    lastUpdate = System.nanoTime();
    while (System.nanoTime() - lastUpdate < QUIET.toNanos()) {
      if (System.nanoTime() - end >= 0) {
        throw new LabException(
            "UPDATEs still come " + LONGEST_UNQUIET.toSeconds() + " s after the load was over");
      }
      turn(POLL);
    }
  }

  /** Whatever was wrong at a receiver since the load began; only a checked run can tell. */
  List<String> mistakes() {
    List<String> mistakes = new ArrayList<>();
    for (LoadPeer peer : peers) {
      if (peer.ear() instanceof Verifier verifier) {
        verifier.mistakes().forEach(text -> mistakes.add(peer + ": " + text));
      }
    }
    return mistakes;
  }

  /** One look at the sockets, waiting for them not longer than that. */
  private void turn(Duration longest) throws IOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new LabException("interrupted");
    }
    selector.select(this::ready, longest.toMillis());
    if (System.nanoTime() - nextKeepalive >= 0) {
      nextKeepalive = System.nanoTime() + KEEPALIVE.toNanos();
      peers.forEach(LoadPeer::keepalive);
    }
  }

  private void ready(SelectionKey key) {
    if (key.isValid() && ((LoadPeer) key.attachment()).ready(buffer) > 0) {
      lastUpdate = System.nanoTime();
    }
  }

  @Override
  public String toString() {
    return peers.toString();
  }

  @Override
  public void close() throws IOException {
    peers.forEach(LoadPeer::close);
    selector.close();
  }
}

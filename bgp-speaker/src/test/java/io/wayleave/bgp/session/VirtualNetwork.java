package io.wayleave.bgp.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;

/**
 * Hosts that talk TCP to each other inside one thread, in virtual time: nothing happens until a
 * test lets time pass. The twin of {@link NettyTransport}.
 */
final class VirtualNetwork {
  private static final Duration LATENCY = Duration.ofMillis(1);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final int HIGH_WATER_MARK = 16 * 1024;
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private record Task(long at, long sequence, Host host, Runnable work) {}

  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong(Task::at).thenComparingLong(Task::sequence));
  private final Map<ListenAddress, Bound> bound = new HashMap<>();
  private final List<Pipe> pipes = new ArrayList<>();
  private long now;
  private long sequence;
  private int nextPort = 40_000;

  private record Bound(Host host, Transport.Acceptor acceptor, Map<Cidr, String> keys) {}

  Host host(String address) {
    return new Host(IpAddress.parse(address));
  }

  /** Lets time pass. */
  void run(Duration time) {
    long end = now + time.toNanos();
    while (!tasks.isEmpty() && tasks.peek().at() <= end) {
      runNext();
    }
    now = end;
  }

  /** Lets time pass until something is so; false when it is not by then. */
  boolean runUntil(BooleanSupplier condition, Duration most) {
    long end = now + most.toNanos();
    while (!condition.getAsBoolean()) {
      if (tasks.isEmpty() || tasks.peek().at() > end) {
        now = end;
        return false;
      }
      runNext();
    }
    return true;
  }

  private void runNext() {
    Task task = tasks.remove();
    now = Math.max(now, task.at());
    if (task.host().alive) {
      task.work().run();
    }
  }

  private Task queue(Host host, Duration after, Runnable work) {
    Task task = new Task(now + after.toNanos(), sequence++, host, work);
    tasks.add(task);
    return task;
  }

  /** From now on nothing that one says reaches the other, and neither is told. */
  void cut(Host one, Host other) {
    for (Pipe pipe : pipes) {
      if (pipe.joins(one, other)) {
        pipe.cut = true;
      }
    }
  }

  /** How many connections are open between the two. */
  long connections(Host one, Host other) {
    return pipes.stream().filter(pipe -> pipe.joins(one, other)).count();
  }

  /** A machine: a loop and a transport of its own. */
  final class Host implements Loop, Transport {
    private final IpAddress address;

    /** How far away whoever connects here may be. */
    final Map<Family, Integer> ttlHops = new EnumMap<>(Family.class);

    private boolean alive = true;
    private boolean stalled;

    private Host(IpAddress address) {
      this.address = address;
    }

    IpAddress address() {
      return address;
    }

    /** The process dies; the kernel closes its connections. */
    void kill() {
      alive = false;
      bound.values().removeIf(one -> one.host() == this);
      for (Pipe pipe : List.copyOf(pipes)) {
        pipe.endOf(this).ifPresent(end -> end.reset("Connection reset by peer"));
      }
    }

    /** The process does not read any more, and goes on reading when it is false again. */
    void stall(boolean stop) {
      stalled = stop;
      for (Pipe pipe : pipes) {
        pipe.endOf(this).ifPresent(end -> end.peer.flush());
      }
    }

    @Override
    public long nanoTime() {
      return now;
    }

    @Override
    public Instant wallClock() {
      return START.plusNanos(now);
    }

    @Override
    public void execute(Runnable task) {
      queue(this, Duration.ZERO, task);
    }

    @Override
    public boolean inLoop() {
      return true;
    }

    @Override
    public Scheduled schedule(Duration after, Runnable task) {
      Task queued = queue(this, after, task);
      return () -> tasks.remove(queued);
    }

    @Override
    public Listening listen(ListenAddress where, Acceptor acceptor) throws ListenException {
      if (bound.putIfAbsent(where, new Bound(this, acceptor, Map.of())) != null) {
        throw new ListenException(where, new IllegalStateException("Address already in use"));
      }
      return new Listening() {
        @Override
        public void setKeys(Map<Cidr, String> keys) {
          bound.put(where, new Bound(Host.this, acceptor, keys));
        }

        @Override
        public void setTtlHops(Family remote, OptionalInt hops) {
          // There are no routers here; what is wanted is kept to be looked at.
          hops.ifPresentOrElse(most -> ttlHops.put(remote, most), () -> ttlHops.remove(remote));
        }

        @Override
        public void close() {
          bound.remove(where);
        }
      };
    }

    @Override
    public Attempt dial(Target target, Transport.Handler handler) {
      boolean[] cancelled = {false};
      queue(
          this,
          LATENCY,
          () -> {
            if (!cancelled[0]) {
              connect(target, handler);
            }
          });
      return () -> cancelled[0] = true;
    }

    private void connect(Target target, Transport.Handler handler) {
      IpAddress source = target.source().orElse(address);
      IpAddress remote = target.address().address();
      int port = target.port();
      Bound server = bound.get(new ListenAddress(remote, port));
      if (server == null) {
        handler.closed("Connection refused");
        return;
      }
      Optional<String> wantedKey =
          server.keys().entrySet().stream()
              .filter(entry -> entry.getKey().contains(source))
              .max(Comparator.comparingInt(entry -> entry.getKey().prefixLength()))
              .map(Map.Entry::getValue);
      if (!wantedKey.equals(target.security().md5Password())) {
        // As the kernel has it: segments of the other are not seen at all.
        queue(this, CONNECT_TIMEOUT, () -> handler.closed("connection timed out"));
        return;
      }
      Pipe pipe =
          new Pipe(
              this,
              source,
              nextPort++,
              server.host(),
              remote,
              port,
              target.address().interfaceIndex());
      pipes.add(pipe);
      Optional<Transport.Handler> accepted = server.acceptor().accept(pipe.server);
      if (accepted.isPresent()) {
        pipe.server.handler = accepted;
        accepted.get().connected(pipe.server);
      } else {
        pipe.server.close();
      }
      pipe.client.handler = Optional.of(handler);
      handler.connected(pipe.client);
    }
  }

  private final class Pipe {
    private final End client;
    private final End server;
    private boolean cut;

    // Both ends of a link have the same interface index.
    Pipe(
        Host from,
        IpAddress source,
        int sourcePort,
        Host to,
        IpAddress target,
        int port,
        int interfaceIndex) {
      client = new End(this, from, source, new ScopedAddress(target, interfaceIndex), port);
      server = new End(this, to, target, new ScopedAddress(source, interfaceIndex), sourcePort);
      client.peer = server;
      server.peer = client;
    }

    boolean joins(Host one, Host other) {
      return (client.host == one && server.host == other)
          || (client.host == other && server.host == one);
    }

    Optional<End> endOf(Host host) {
      return client.host == host
          ? Optional.of(client)
          : server.host == host ? Optional.of(server) : Optional.empty();
    }
  }

  private final class End implements Transport.Connection {
    private final Pipe pipe;
    private final Host host;
    private final IpAddress local;
    private final ScopedAddress remote;
    private final int remotePort;
    private final ByteBuf outgoing = Unpooled.buffer();
    private End peer;
    private Optional<Transport.Handler> handler = Optional.empty();
    private boolean open = true;

    End(Pipe pipe, Host host, IpAddress local, ScopedAddress remote, int remotePort) {
      this.pipe = pipe;
      this.host = host;
      this.local = local;
      this.remote = remote;
      this.remotePort = remotePort;
    }

    @Override
    public IpAddress localAddress() {
      return local;
    }

    @Override
    public ScopedAddress remoteAddress() {
      return remote;
    }

    @Override
    public void setTtlHops(int hops) {}

    @Override
    public long pending() {
      return outgoing.readableBytes();
    }

    @Override
    public int remotePort() {
      return remotePort;
    }

    @Override
    public void write(ByteBuf bytes) {
      outgoing.writeBytes(bytes);
      bytes.release();
    }

    @Override
    public void flush() {
      if (peer.host.stalled || !outgoing.isReadable()) {
        return;
      }
      boolean wasFull = !isWritable();
      ByteBuf sent = outgoing.copy();
      outgoing.clear();
      queue(peer.host, LATENCY, () -> peer.deliver(sent));
      if (wasFull) {
        queue(host, Duration.ZERO, () -> handler.ifPresent(Transport.Handler::writable));
      }
    }

    private void deliver(ByteBuf bytes) {
      if (open && !pipe.cut) {
        handler.ifPresent(to -> to.received(bytes));
      }
    }

    @Override
    public boolean isWritable() {
      return outgoing.readableBytes() < HIGH_WATER_MARK;
    }

    @Override
    public void close() {
      flush();
      reset("closed by the peer");
    }

    private void reset(String reason) {
      if (!open) {
        return;
      }
      open = false;
      handler = Optional.empty();
      pipes.remove(pipe);
      queue(
          peer.host,
          LATENCY,
          () -> {
            if (peer.open && !pipe.cut) {
              peer.open = false;
              Optional<Transport.Handler> told = peer.handler;
              peer.handler = Optional.empty();
              told.ifPresent(to -> to.closed(reason));
            }
          });
    }
  }
}

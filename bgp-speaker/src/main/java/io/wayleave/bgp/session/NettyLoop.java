package io.wayleave.bgp.session;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * One Netty thread on epoll that does everything of a speaker: sockets, machines and tables. One
 * thread needs no locks and no copies between threads; a host's table is decided in milliseconds.
 * Decoding could move to threads of its own later, behind {@link Transport}.
 */
public final class NettyLoop implements Loop {
  // Peers read our last words before the sockets close for good; see NettyTransport's close.
  private static final Duration QUIET = Duration.ofMillis(250);
  private static final Duration MAX_SHUTDOWN = Duration.ofSeconds(5);

  private final MultiThreadIoEventLoopGroup group;
  private final EventLoop loop;

  public NettyLoop(String threadName) {
    ThreadFactory threads = Thread.ofPlatform().name(threadName).factory();
    group = new MultiThreadIoEventLoopGroup(1, threads, EpollIoHandler.newFactory());
    loop = group.next();
  }

  EventLoop eventLoop() {
    return loop;
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public Instant wallClock() {
    return Instant.now();
  }

  @Override
  public void execute(Runnable task) {
    loop.execute(task);
  }

  @Override
  public boolean inLoop() {
    return loop.inEventLoop();
  }

  @Override
  public Scheduled schedule(Duration after, Runnable task) {
    ScheduledFuture<?> future = loop.schedule(task, after.toNanos(), TimeUnit.NANOSECONDS);
    return () -> future.cancel(false);
  }

  /** Ends the thread, after what is queued; waits for that a few seconds at most. */
  public void close() {
    group
        .shutdownGracefully(QUIET.toMillis(), MAX_SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(MAX_SHUTDOWN.toMillis());
  }
}

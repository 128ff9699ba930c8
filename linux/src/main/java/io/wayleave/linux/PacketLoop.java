package io.wayleave.linux;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread of its own for one owner of packet sockets: it waits for packets, for tasks of other
 * threads and for points in time, and never for a lock. It stays in the network namespace of the
 * thread that starts it.
 */
public final class PacketLoop implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PacketLoop.class);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
  // After a turn that failed, so that a lasting fault does not take a whole core.
  private static final Duration PAUSE = Duration.ofMillis(100);

  /** What the thread does; every method is called on it. */
  public interface Work {
    /** What to wait for now. */
    List<Fd> readable();

    /** When to turn without a packet, by {@link System#nanoTime}; empty for never. */
    OptionalLong wakeAt();

    /** Takes what has come in, then does what is due. */
    void turn() throws IOException;

    /** The last call. */
    void end();
  }

  private final Work work;
  private final Poller poller;
  private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final Thread thread;
  private volatile boolean closing;

  private PacketLoop(String name, Work work, Poller poller) {
    this.work = requireNonNull(work, "work is null");
    this.poller = poller;
    thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this::run);
  }

  public static PacketLoop start(String threadName, Work work) throws IOException {
    PacketLoop loop = new PacketLoop(threadName, work, Poller.open());
    loop.thread.start();
    return loop;
  }

  /** Runs the task on the thread, before the next turn. Thread safe. */
  public void execute(Runnable task) {
    tasks.add(requireNonNull(task, "task is null"));
    poller.wakeUp();
  }

  /** Does the tasks that are there, ends the work and waits for that. Thread safe. */
  @Override
  public void close() {
    closing = true;
    poller.wakeUp();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (!closing) {
        turn();
      }
      runTasks();
    } finally {
      work.end();
      poller.close();
    }
  }

  private void turn() {
    try {
      poller.await(work.readable(), untilNext());
      runTasks();
      work.turn();
    } catch (IOException | RuntimeException e) {
      // One bad turn must not end the work for everybody.
      log.error("turn failed thread={}", thread.getName(), e);
      pause();
    }
  }

  private void runTasks() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }

  private Duration untilNext() {
    OptionalLong next = work.wakeAt();
    if (next.isEmpty()) {
      return LONGEST_WAIT;
    }
    Duration wait = Duration.ofNanos(Math.max(0, next.getAsLong() - System.nanoTime()));
    return wait.compareTo(LONGEST_WAIT) < 0 ? wait : LONGEST_WAIT;
  }

  private void pause() {
    try {
      poller.await(List.of(), PAUSE);
    } catch (IOException e) {
      closing = true;
    }
  }
}

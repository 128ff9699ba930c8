package io.wayleave.route;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NetlinkMonitor;
import io.wayleave.linux.netlink.NetlinkMonitor.Group;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that owns a {@link RouteProgrammer} and its netlink sockets. Updates may come from any
 * thread and are applied in the order in which each thread gave them, many at a time. Stopping
 * leaves every route where it is.
 */
public final class RouteService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RouteService.class);
  private static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(1);
  // Portions of events before routes are written, so that most of what others did is known first.
  private static final int MOST_PORTIONS = 64;

  private final NetlinkSocket socket;
  private final NetlinkMonitor monitor;
  private final RouteProgrammer programmer;
  private final ConcurrentLinkedQueue<Runnable> mailbox = new ConcurrentLinkedQueue<>();
  private final List<Waiter> waiters = new ArrayList<>();
  private final List<Waiter> questions = new ArrayList<>();
  private final Thread thread;
  private long pauseUntil = System.nanoTime();
  private volatile boolean closing;

  /** Somebody who waits until the kernel was told, and how to answer then. */
  private record Waiter(Runnable answer, CompletableFuture<?> result) {}

  private RouteService(NetlinkSocket socket, NetlinkMonitor monitor, RouteProgrammer programmer) {
    this.socket = socket;
    this.monitor = monitor;
    this.programmer = programmer;
    this.thread = Thread.ofPlatform().name("wayleave-routes").daemon(true).unstarted(this::run);
  }

  /** Works in the network namespace of the calling thread. */
  public static RouteService start(RouteSettings settings) throws IOException {
    EnumSet<Group> groups = EnumSet.allOf(Group.class);
    groups.remove(Group.NEIGHBOURS);
    NetlinkMonitor monitor = NetlinkMonitor.open(groups);
    try {
      NetlinkSocket socket = NetlinkSocket.open();
      try {
        monitor.ignore(socket);
        RouteProgrammer programmer =
            new RouteProgrammer(
                new KernelRouteDriver(socket, settings), settings, System::nanoTime);
        RouteService service = new RouteService(socket, monitor, programmer);
        service.thread.start();
        return service;
      } catch (IOException | RuntimeException e) {
        socket.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      monitor.close();
      throw e;
    }
  }

  /** Works in a given network namespace. */
  public static RouteService start(NetworkNamespace namespace, RouteSettings settings)
      throws IOException {
    return namespace.run(() -> start(settings));
  }

  /**
   * Hands over what a source wants.
   *
   * @return completed when the kernel was told: with the state of the destination (empty when
   *     nobody wants it any more, and for {@link Update.InSync}), which says whether it was taken
   *     and else why not; a route that was not is tried again without being asked. Failed with
   *     {@link io.wayleave.model.InvalidInputException} when the update makes no sense.
   */
  public CompletableFuture<Optional<RouteState>> submit(
      RouteSource source, Update<Cidr, RouteTarget> update) {
    requireNonNull(update, "update is null");
    CompletableFuture<Optional<RouteState>> result = new CompletableFuture<>();
    post(
        result,
        () -> {
          try {
            programmer.onUpdate(source, update);
          } catch (RuntimeException e) {
            result.completeExceptionally(e);
            return;
          }
          switch (update) {
            case Update.Put<Cidr, RouteTarget> put -> awaitState(put.key(), result);
            case Update.Delete<Cidr, RouteTarget> delete -> awaitState(delete.key(), result);
            case Update.InSync<Cidr, RouteTarget> sync -> result.complete(Optional.empty());
          }
        });
    return result;
  }

  /**
   * Hands over many updates as one task, for a source that has thousands.
   *
   * @return completed when the kernel was told of all, whether it took them or not; failed when one
   *     of them makes no sense, with those before it taken
   */
  public CompletableFuture<Void> submitAll(
      RouteSource source, List<Update<Cidr, RouteTarget>> updates) {
    List<Update<Cidr, RouteTarget>> copy = List.copyOf(updates);
    CompletableFuture<Void> result = new CompletableFuture<>();
    post(
        result,
        () -> {
          try {
            copy.forEach(update -> programmer.onUpdate(source, update));
            waiters.add(new Waiter(() -> result.complete(null), result));
          } catch (RuntimeException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  /** As it is after the next look at the kernel. */
  public CompletableFuture<RouteStatus> status() {
    return ask(RouteProgrammer::status);
  }

  /** All wanted destinations, in order. */
  public CompletableFuture<List<RouteState>> routes() {
    return ask(RouteProgrammer::states);
  }

  /** Whether routes are looked after: from the start until it is closed or its socket fails. */
  public boolean isRunning() {
    return thread.isAlive() && !closing;
  }

  /** Stops and waits for the thread. Routes stay; unanswered futures fail. */
  @Override
  public void close() {
    endMailbox();
    monitor.wakeUp();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitState(Cidr destination, CompletableFuture<Optional<RouteState>> result) {
    waiters.add(new Waiter(() -> result.complete(programmer.state(destination)), result));
  }

  private <T> CompletableFuture<T> ask(Function<RouteProgrammer, T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    post(
        answer,
        () -> questions.add(new Waiter(() -> answer.complete(question.apply(programmer)), answer)));
    return answer;
  }

  private void post(CompletableFuture<?> result, Runnable task) {
    // Under the lock that ends the mailbox, so that no task is left in it unanswered.
    synchronized (mailbox) {
      if (closing) {
        result.completeExceptionally(new IllegalStateException("the route service is closed"));
        return;
      }
      mailbox.add(task);
    }
    monitor.wakeUp();
  }

  private void run() {
    try (socket;
        monitor) {
      Duration wait = Duration.ZERO;
      while (!closing) {
        wait = turn(wait);
      }
    } catch (ClosedFdException e) {
      log.debug("route service ends: its socket was closed");
    } catch (IOException | RuntimeException e) {
      log.error("route service ends: routes are no longer looked after", e);
    } finally {
      endMailbox();
      drainMailbox();
      failWaiters();
    }
  }

  /** Returns how long the next turn may wait for events. */
  private Duration turn(Duration wait) throws IOException {
    List<NetlinkEvent> events = monitor.poll(wait);
    try {
      for (int portion = 0; !events.isEmpty() && portion < MOST_PORTIONS; portion++) {
        programmer.onEvents(events);
        events = monitor.poll(Duration.ZERO);
      }
      programmer.onEvents(events);
      drainMailbox();
      Duration pause = Duration.ofNanos(pauseUntil - System.nanoTime());
      if (closing || pause.isPositive()) {
        return pause;
      }
      Duration untilNext = programmer.apply();
      answer(waiters);
      return untilNext;
    } catch (ClosedFdException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // A bug in here must not end the care for routes either: a comparison with the kernel puts
      // right whatever was half done.
      log.error("routes could not be written, trying again in {}", PAUSE_AFTER_FAILURE, e);
      programmer.requestResync("failure: " + e.getMessage());
      pauseUntil = System.nanoTime() + PAUSE_AFTER_FAILURE.toNanos();
      return PAUSE_AFTER_FAILURE;
    } finally {
      // Questions are about what is, working or not.
      answer(questions);
    }
  }

  private void drainMailbox() {
    for (Runnable task = mailbox.poll(); task != null; task = mailbox.poll()) {
      task.run();
    }
  }

  private static void answer(List<Waiter> waiting) {
    List<Waiter> answered = List.copyOf(waiting);
    waiting.clear();
    answered.forEach(waiter -> waiter.answer().run());
  }

  private void endMailbox() {
    synchronized (mailbox) {
      closing = true;
    }
  }

  private void failWaiters() {
    List<Waiter> unanswered = new ArrayList<>(waiters);
    unanswered.addAll(questions);
    waiters.clear();
    questions.clear();
    for (Waiter waiter : unanswered) {
      waiter
          .result()
          .completeExceptionally(new IllegalStateException("the route service is closed"));
    }
  }
}

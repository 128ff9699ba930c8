package io.wayleave.route;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NetlinkMonitor;
import io.wayleave.linux.netlink.NetlinkMonitor.Group;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Update;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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

  private final EventSource kernel;
  private final RouteProgrammer programmer;
  private final Duration pauseAfterFailure;
  private final Consumer<Throwable> onDeath;
  private final ConcurrentLinkedQueue<Runnable> mailbox = new ConcurrentLinkedQueue<>();
  private final List<Waiter> waiters = new ArrayList<>();
  private final List<Waiter> questions = new ArrayList<>();
  // Of watched routers; owned by the thread.
  private Consumer<Map<IpAddress, OptionalLong>> routerListener = _ -> {};
  private final Thread thread;
  private long pauseUntil = System.nanoTime();
  private volatile boolean closing;

  /** Somebody who waits until the kernel was told, and how to answer then. */
  private record Waiter(Runnable answer, CompletableFuture<?> result) {}

  /** What the kernel tells, as the thread waits for it. */
  interface EventSource extends AutoCloseable {
    /** As {@link NetlinkMonitor#poll}. */
    List<NetlinkEvent> poll(Duration timeout) throws IOException;

    /** Ends a poll, from any thread. */
    void wakeUp();

    @Override
    void close();
  }

  /** The real one; closing it closes the programmer's socket too. */
  private record KernelEvents(NetlinkMonitor monitor, NetlinkSocket socket) implements EventSource {
    @Override
    public List<NetlinkEvent> poll(Duration timeout) throws IOException {
      return monitor.poll(timeout);
    }

    @Override
    public void wakeUp() {
      monitor.wakeUp();
    }

    @Override
    public void close() {
      monitor.close();
      socket.close();
    }
  }

  private RouteService(
      EventSource kernel,
      RouteProgrammer programmer,
      Duration pauseAfterFailure,
      Consumer<Throwable> onDeath) {
    this.kernel = kernel;
    this.programmer = programmer;
    this.pauseAfterFailure = pauseAfterFailure;
    this.onDeath = requireNonNull(onDeath, "onDeath is null");
    this.thread = Thread.ofPlatform().name("wayleave-routes").daemon(true).unstarted(this::run);
  }

  /** Works in the network namespace of the calling thread. */
  public static RouteService start(RouteSettings settings) throws IOException {
    return start(settings, _ -> {});
  }

  /**
   * Works in the network namespace of the calling thread.
   *
   * @param onDeath called once, on the service's thread and as its last act, if it ends without
   *     being closed; routes are then no longer looked after, so the owner should end the process
   */
  public static RouteService start(RouteSettings settings, Consumer<Throwable> onDeath)
      throws IOException {
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
        return start(new KernelEvents(monitor, socket), programmer, PAUSE_AFTER_FAILURE, onDeath);
      } catch (IOException | RuntimeException e) {
        socket.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      monitor.close();
      throw e;
    }
  }

  /** Takes over the source of events, and closes it when the thread ends. */
  static RouteService start(
      EventSource kernel,
      RouteProgrammer programmer,
      Duration pauseAfterFailure,
      Consumer<Throwable> onDeath) {
    RouteService service = new RouteService(kernel, programmer, pauseAfterFailure, onDeath);
    service.thread.start();
    return service;
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

  /**
   * From now on just these routers are watched: how far each is, by the links and the routes of
   * this host, whether a route leads to it or not. Without effect when the service is closed.
   *
   * @param listener told on the service's thread, so it must not block: of each router that was not
   *     watched before once the kernel was asked, and of each whose distance changes: 0 on a link
   *     of this host, one more than the metric of the route to it beyond, empty when there is no
   *     way
   */
  public void watchRouters(
      Set<IpAddress> routers, Consumer<Map<IpAddress, OptionalLong>> listener) {
    requireNonNull(listener, "listener is null");
    Set<IpAddress> copy = Set.copyOf(routers);
    post(
        new CompletableFuture<>(),
        () -> {
          routerListener = listener;
          programmer.watchRouters(copy);
        });
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
    kernel.wakeUp();
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
    kernel.wakeUp();
  }

  private void run() {
    Optional<Throwable> death = Optional.empty();
    try (kernel) {
      Duration wait = Duration.ZERO;
      while (!closing) {
        wait = turn(mailbox.isEmpty() ? wait : Duration.ZERO);
      }
    } catch (Throwable e) {
      // Whatever it is, also an Error: somebody must hear of it.
      if (!closing) {
        log.error("route service ends: routes are no longer looked after", e);
        death = Optional.of(e);
      }
    } finally {
      endMailbox();
      drainMailbox();
      failWaiters();
    }
    death.ifPresent(onDeath);
  }

  /** Returns how long the next turn may wait for events. */
  private Duration turn(Duration wait) throws ClosedFdException {
    try {
      programmer.onEvents(poll(wait));
      // Who asks has perhaps just changed an interface: the event of that is among those read from
      // here on. Whoever comes later is served in the next turn, for the same reason.
      int asked = mailbox.size();
      List<NetlinkEvent> events = poll(Duration.ZERO);
      for (int portion = 0; !events.isEmpty() && portion < MOST_PORTIONS; portion++) {
        programmer.onEvents(events);
        events = poll(Duration.ZERO);
      }
      programmer.onEvents(events);
      for (; asked > 0; asked--) {
        mailbox.remove().run();
      }
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
      log.error("routes could not be written, trying again in {}", pauseAfterFailure, e);
      programmer.requestResync("failure: " + e.getMessage());
      pauseUntil = System.nanoTime() + pauseAfterFailure.toNanos();
      return pauseAfterFailure;
    } finally {
      tellOfRouters();
      // Questions are about what is, working or not.
      answer(questions);
    }
  }

  /**
   * The next events. When they cannot be read, rests, so that a failure that lasts costs no
   * processor, and has the kernel compared with what is wanted instead.
   */
  private List<NetlinkEvent> poll(Duration wait) throws ClosedFdException {
    try {
      return kernel.poll(wait);
    } catch (ClosedFdException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      log.error("kernel events could not be read, comparing in {}", pauseAfterFailure, e);
      programmer.requestResync("events lost: " + e.getMessage());
      rest();
      return List.of();
    }
  }

  /** Until the pause is over or the service is closed. */
  private void rest() {
    long end = System.nanoTime() + pauseAfterFailure.toNanos();
    synchronized (mailbox) {
      try {
        for (long left = end - System.nanoTime();
            !closing && left > 0;
            left = end - System.nanoTime()) {
          TimeUnit.NANOSECONDS.timedWait(mailbox, left);
        }
      } catch (InterruptedException e) {
        // Only close() ends this thread; the pause is a little shorter.
        log.debug("route service was interrupted in a pause");
      }
    }
  }

  private void tellOfRouters() {
    Map<IpAddress, OptionalLong> news = programmer.takeRouterNews();
    if (news.isEmpty()) {
      return;
    }
    try {
      routerListener.accept(news);
    } catch (RuntimeException e) {
      log.error("the listener for routers failed", e);
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
    for (Waiter waiter : answered) {
      try {
        waiter.answer().run();
      } catch (RuntimeException e) {
        // What is wrong with one question must not end the care for routes.
        log.error("a question about routes could not be answered", e);
        waiter.result().completeExceptionally(e);
      }
    }
  }

  private void endMailbox() {
    synchronized (mailbox) {
      closing = true;
      mailbox.notifyAll();
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

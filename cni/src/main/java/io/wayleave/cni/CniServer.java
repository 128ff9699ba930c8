package io.wayleave.cni;

import io.wayleave.ipam.GarbageCollector;
import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.Fd;
import io.wayleave.linux.Frame;
import io.wayleave.linux.UnixConnection;
import io.wayleave.linux.UnixServer;
import io.wayleave.model.InvalidInputException;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's end of the CNI plugin: takes the requests of launchers on a Unix socket and answers
 * each. Starting it settles what was left by an earlier run; see {@link SpoolSettler}.
 *
 * <p>One platform thread accepts, and each request has one of its own, at most {@value
 * #MAX_REQUESTS} at once; further launchers wait in the socket's backlog. {@link #close} lets the
 * requests that are under way end.
 */
public final class CniServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CniServer.class);

  private static final int MAX_REQUESTS = 64;
  private static final int MAX_DESCRIPTORS = 1;
  private static final Duration ACCEPT_WAIT = Duration.ofMinutes(1);

  /** After a failed accept: what is missing, such as a descriptor, is so for a while. */
  private static final Duration ACCEPT_PAUSE = Duration.ofMillis(200);

  /** What requests that are interrupted have to undo what they made. */
  private static final Duration UNDO_TIME = Duration.ofSeconds(2);

  /** A launcher sends its request at once, and takes the reply at once. */
  private static final Duration TRANSFER_TIME = Duration.ofSeconds(5);

  private final CniOptions options;
  private final SpoolSettler settler;
  private final CniService service;
  private final UnixServer socket;
  private final AttachedContainers containers;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Semaphore places = new Semaphore(MAX_REQUESTS);
  private final Set<Thread> requests = ConcurrentHashMap.newKeySet();
  private final Thread acceptor = Thread.ofPlatform().name("cni-accept").unstarted(this::acceptAll);

  private CniServer(
      CniOptions options,
      SpoolSettler settler,
      CniService service,
      UnixServer socket,
      AttachedContainers containers) {
    this.options = options;
    this.settler = settler;
    this.service = service;
    this.socket = socket;
    this.containers = containers;
  }

  /**
   * Listens, and settles what is left. ADDs wait for that, and for {@code readiness}, until their
   * time is over; everything else is served at once.
   *
   * @throws IOException when the socket or the spool directory cannot be used
   */
  public static CniServer start(
      CniOptions options, EndpointStore store, EndpointDataplane dataplane, Readiness readiness)
      throws IOException {
    return start(options, new VethWiring(), store, dataplane, readiness);
  }

  static CniServer start(
      CniOptions options,
      Wiring wiring,
      EndpointStore store,
      EndpointDataplane dataplane,
      Readiness readiness)
      throws IOException {
    DelSpool spool = DelSpool.open(options.spoolDir());
    AttachmentRecords records = AttachmentRecords.open(options.spoolDir());
    KeyedLock<AttachmentKey> keys = new KeyedLock<>();
    Teardown teardown = new Teardown(options, wiring, dataplane, store, records, spool);
    AddVerb add = new AddVerb(options, wiring, dataplane, store, records, spool, teardown);
    CheckVerb check = new CheckVerb(options, wiring, records);
    SpoolSettler settler = new SpoolSettler(options, records, spool, teardown, keys);
    CniService service =
        new CniService(options, readiness, settler, keys, records, add, check, teardown);
    Path directory = options.socket().toAbsolutePath().getParent();
    Files.createDirectories(directory);
    CniServer server =
        new CniServer(
            options,
            settler,
            service,
            UnixServer.listen(options.socket()),
            new AttachedContainers(wiring, records, spool, keys));
    settler.start();
    server.acceptor.start();
    log.info("cni server started socket={} spool={}", options.socket(), options.spoolDir());
    return server;
  }

  /**
   * Which containers of this host exist; to be asked in the network namespace that the server was
   * started in.
   */
  public GarbageCollector.Containers containers() {
    return containers;
  }

  /** How the next launcher comes, as {@link UnixServer#accept}. */
  @FunctionalInterface
  interface Listener {
    Optional<UnixConnection> accept(Duration timeout) throws IOException;
  }

  /** Something that waits. */
  @FunctionalInterface
  interface Waiting<T> {
    void on(T what) throws InterruptedException;
  }

  /**
   * Takes no more requests, and waits for those under way as long as an ADD may take; those that
   * only wait for the agent to become ready are refused at once. What is under way then is
   * interrupted and has 2 s to undo itself.
   */
  @Override
  public void close() {
    closing.countDown();
    socket.close();
    service.refuseThoseWhoWait();
    boolean interrupted = Thread.interrupted();
    try {
      TimeLimit limit = TimeLimit.of(options.addTimeout());
      boolean ended = acceptor.join(limit.remaining()) && requestsEnd(limit.remaining());
      if (!ended) {
        interrupted |= interruptRequests();
      }
    } catch (InterruptedException e) {
      interrupted = true;
      interrupted |= interruptRequests();
    } finally {
      settler.close();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Waits a little for what they undo; returns whether this thread was interrupted in that. */
  private boolean interruptRequests() {
    log.warn("cni requests are still under way and are interrupted count={}", requests.size());
    acceptor.interrupt();
    requests.forEach(Thread::interrupt);
    try {
      if (!requestsEnd(UNDO_TIME)) {
        log.warn("cni requests do not end, leaving them count={}", requests.size());
      }
      return false;
    } catch (InterruptedException e) {
      return true;
    }
  }

  private boolean requestsEnd(Duration timeout) throws InterruptedException {
    return places.tryAcquire(MAX_REQUESTS, timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void acceptAll() {
    try {
      acceptAll(socket::accept, this::begin, this::pause);
    } catch (InterruptedException e) {
      log.info("cni server stops, a launcher is sent away");
    }
  }

  /** Until the listener is closed. */
  static void acceptAll(
      Listener listener, Waiting<UnixConnection> serve, Waiting<Duration> afterFailure)
      throws InterruptedException {
    while (true) {
      try {
        Optional<UnixConnection> connection = listener.accept(ACCEPT_WAIT);
        if (connection.isPresent()) {
          serve.on(connection.get());
        }
      } catch (ClosedFdException e) {
        return;
      } catch (IOException e) {
        log.error("cni server cannot accept a connection", e);
        // The launcher is still there, so that the next try would fail at once.
        afterFailure.on(ACCEPT_PAUSE);
      }
    }
  }

  /** Waits when all places are taken: the rest stays in the backlog. */
  private void begin(UnixConnection connection) throws InterruptedException {
    try {
      places.acquire();
    } catch (InterruptedException e) {
      connection.close();
      throw e;
    }
    Thread.ofPlatform().name("cni-request").start(() -> serve(connection));
  }

  private void pause(Duration time) throws InterruptedException {
    if (closing.await(time.toNanos(), TimeUnit.NANOSECONDS)) {
      log.debug("cni server stops in a pause");
    }
  }

  private void serve(UnixConnection connection) {
    Thread self = Thread.currentThread();
    requests.add(self);
    try (connection;
        Frame frame = connection.receive(RequestFrame.MAX_BYTES, MAX_DESCRIPTORS, TRANSFER_TIME)) {
      Optional<Fd> descriptor = frame.descriptors().stream().findFirst();
      CniReply reply = service.answer(frame.bytes(), descriptor, () -> isThere(connection));
      // Without a reply the launcher would spool its DEL, or refuse the ADD, all the same.
      connection.send(reply.encode(), List.of(), TRANSFER_TIME);
    } catch (InvalidInputException | IOException e) {
      log.warn("cni request lost peer={} why={}", connection.peer().pid(), e.getMessage());
    } catch (InterruptedException e) {
      log.warn("cni request ended by the stop of the agent peer={}", connection.peer().pid());
    } finally {
      requests.remove(self);
      places.release();
    }
  }

  /** A launcher says nothing after its request, so there is silence, or its end. */
  private static boolean isThere(UnixConnection connection) throws IOException {
    try (Frame _ = connection.receive(0, 0, Duration.ZERO)) {
      return true;
    } catch (SocketTimeoutException e) {
      return true;
    } catch (EOFException e) {
      return false;
    }
  }
}

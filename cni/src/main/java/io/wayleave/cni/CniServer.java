package io.wayleave.cni;

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

  /** A launcher sends its request at once, and takes the reply at once. */
  private static final Duration TRANSFER_TIME = Duration.ofSeconds(5);

  private final CniOptions options;
  private final SpoolSettler settler;
  private final CniService service;
  private final UnixServer socket;
  private final Semaphore places = new Semaphore(MAX_REQUESTS);
  private final Set<Thread> requests = ConcurrentHashMap.newKeySet();
  private final Thread acceptor = Thread.ofPlatform().name("cni-accept").unstarted(this::accept);

  private CniServer(
      CniOptions options, SpoolSettler settler, CniService service, UnixServer socket) {
    this.options = options;
    this.settler = settler;
    this.service = service;
    this.socket = socket;
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
        new CniServer(options, settler, service, UnixServer.listen(options.socket()));
    settler.start();
    server.acceptor.start();
    log.info("cni server started socket={} spool={}", options.socket(), options.spoolDir());
    return server;
  }

  /** Takes no more requests, and waits for those under way as long as an ADD may take. */
  @Override
  public void close() {
    socket.close();
    boolean interrupted = Thread.interrupted();
    try {
      acceptor.join();
      if (!places.tryAcquire(MAX_REQUESTS, options.addTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
        log.warn("cni requests are still under way and are interrupted count={}", requests.size());
        requests.forEach(Thread::interrupt);
      }
    } catch (InterruptedException e) {
      interrupted = true;
      requests.forEach(Thread::interrupt);
    } finally {
      settler.close();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void accept() {
    while (true) {
      try {
        Optional<UnixConnection> connection = socket.accept(ACCEPT_WAIT);
        if (connection.isPresent()) {
          // Waits here when all places are taken: the rest stays in the backlog.
          places.acquireUninterruptibly();
          Thread.ofPlatform().name("cni-request").start(() -> serve(connection.get()));
        }
      } catch (ClosedFdException e) {
        return;
      } catch (IOException e) {
        log.error("cni server cannot accept a connection", e);
      }
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

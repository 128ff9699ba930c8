package io.wayleave.datastore.zookeeper;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.model.InvalidInputException;
import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.zookeeper.server.ContainerManager;
import org.apache.zookeeper.server.DatadirCleanupManager;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.RequestProcessor;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.persistence.FileTxnLog;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ZooKeeper's server inside this process, for one host: {@code embedded:DIR}. It listens on
 * loopback only, keeps everything in its directory, and serves nobody who does not know the secret
 * in a file there that its owner alone can read. Other processes of that user open the same URL and
 * are its clients. {@link EmbeddedDirectory} says what the directory holds.
 */
public final class EmbeddedServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedServer.class);

  /** A process that was told to end may still be about to. */
  private static final Duration PREDECESSOR = Duration.ofSeconds(1);

  private static final int TICK_MILLIS = 1000;
  private static final int MAX_CONNECTIONS = 1000;
  private static final int CONTAINER_CHECK_MILLIS = 60_000;
  private static final int KEPT_SNAPSHOTS = 3;

  /** ZooKeeper's default of 64 MiB is for logs of a disk of their own. */
  private static final long LOG_FILE_BYTES = 4 << 20;

  private final EmbeddedDirectory files;
  private final EmbeddedDirectory.Lock lock;
  private final Server server;
  private final NIOServerCnxnFactory connections;
  private final ContainerManager containers;
  private final DatadirCleanupManager cleaner;

  private EmbeddedServer(
      EmbeddedDirectory files,
      EmbeddedDirectory.Lock lock,
      Server server,
      NIOServerCnxnFactory connections,
      ContainerManager containers,
      DatadirCleanupManager cleaner) {
    this.files = files;
    this.lock = lock;
    this.server = server;
    this.connections = connections;
    this.containers = containers;
    this.cleaner = cleaner;
  }

  /**
   * Gives out the first of the processors, which the removal of empty nodes needs, and tells when
   * it has ended by itself.
   */
  private static final class Server extends ZooKeeperServer {
    private final Consumer<Throwable> onDeath;

    Server(FileTxnSnapLog files, Consumer<Throwable> onDeath) throws IOException {
      super(files, TICK_MILLIS, "");
      this.onDeath = onDeath;
    }

    /** After a failed write of its log it answers nobody any more, and nothing brings it back. */
    @Override
    protected void setState(State state) {
      super.setState(state);
      if (state == State.ERROR) {
        onDeath.accept(
            new IOException(
                "the embedded datastore ended: it could not write, as when the disk is full"));
      }
    }

    RequestProcessor first() {
      return firstProcessor;
    }
  }

  /** Whether there is a datastore in the directory that {@link #start} would go on with. */
  public static boolean exists(Path directory) {
    return Files.isDirectory(new EmbeddedDirectory(directory).data());
  }

  /**
   * Whether a process serves the directory now.
   *
   * @throws DatastoreRefusedException when this user may not see it
   */
  public static boolean isServed(Path directory) {
    EmbeddedDirectory files = new EmbeddedDirectory(directory);
    try {
      return files.isServed();
    } catch (IOException e) {
      throw notAllowed(files, e);
    }
  }

  private static DatastoreRefusedException notAllowed(EmbeddedDirectory files, IOException e) {
    return new DatastoreRefusedException(files + " cannot be opened by this user: " + e, e);
  }

  /**
   * Starts to serve a directory, which is made when it is not there.
   *
   * @param onDeath called when it has ended by itself and for good, as when its log cannot be
   *     written; from a thread of its own, which must not wait
   * @throws DatastoreUnavailableException when another process serves it, or it cannot be written
   * @throws InvalidInputException when others may enter the directory or read its secret
   */
  public static EmbeddedServer start(Path directory, Consumer<Throwable> onDeath) {
    EmbeddedDirectory files = new EmbeddedDirectory(requireNonNull(directory, "directory is null"));
    try {
      files.create();
      EmbeddedDirectory.Lock lock =
          files
              .lock(PREDECESSOR)
              .orElseThrow(
                  () ->
                      new DatastoreUnavailableException(
                          files + " is served by another process already", null));
      try {
        return serve(files, lock, requireNonNull(onDeath, "onDeath is null"));
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    } catch (IOException e) {
      throw new DatastoreUnavailableException(files + " cannot serve: " + e, e);
    }
  }

  private static EmbeddedServer serve(
      EmbeddedDirectory files, EmbeddedDirectory.Lock lock, Consumer<Throwable> onDeath)
      throws IOException {
    SecretAuthentication.accept(files.ownSecret());
    // ZooKeeper's server reads these and no others; a process has one.
    System.setProperty(
        "zookeeper.authProvider." + SecretAuthentication.SCHEME,
        SecretAuthentication.class.getName());
    System.setProperty("zookeeper.enforce.auth.enabled", "true");
    System.setProperty("zookeeper.enforce.auth.schemes", SecretAuthentication.SCHEME);
    FileTxnLog.setPreallocSize(LOG_FILE_BYTES);

    File data = files.data().toFile();
    Server server = new Server(new FileTxnSnapLog(data, data), onDeath);
    files.takePortBack();
    NIOServerCnxnFactory connections = listen(files.oldPort().orElse(0));
    try {
      connections.startup(server, true);
      files.setPort(connections.getLocalPort());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      connections.shutdown();
      throw new DatastoreUnavailableException("start of " + files + " interrupted", e);
    } catch (IOException | RuntimeException e) {
      connections.shutdown();
      throw e;
    }
    ContainerManager containers =
        new ContainerManager(
            server.getZKDatabase(), server.first(), CONTAINER_CHECK_MILLIS, MAX_CONNECTIONS);
    containers.start();
    DatadirCleanupManager cleaner = new DatadirCleanupManager(data, data, KEPT_SNAPSHOTS, 1);
    cleaner.start();
    log.info("embedded datastore serves url={} port={}", files, connections.getLocalPort());
    return new EmbeddedServer(files, lock, server, connections, containers, cleaner);
  }

  private static NIOServerCnxnFactory listen(int port) throws IOException {
    NIOServerCnxnFactory connections = new NIOServerCnxnFactory();
    try {
      connections.configure(
          new InetSocketAddress(EmbeddedAddress.loopback(), port), MAX_CONNECTIONS, -1, false);
    } catch (BindException e) {
      log.warn(
          "port of the embedded datastore is taken, using another port={}: {}",
          port,
          e.getMessage());
      connections = new NIOServerCnxnFactory();
      connections.configure(
          new InetSocketAddress(EmbeddedAddress.loopback(), 0), MAX_CONNECTIONS, -1, false);
    }
    return connections;
  }

  /**
   * A client of the server of a directory; when that restarts and listens elsewhere, it follows.
   *
   * @throws DatastoreUnavailableException when no process serves it now
   * @throws DatastoreRefusedException when this user may not read the secret
   */
  public static ZooKeeperDatastore connect(Path directory, DatastoreOptions options) {
    if (options.user().isPresent()) {
      throw new InvalidInputException(
          "user", options.user().get(), "no user with embedded:, which has a secret of its own");
    }
    EmbeddedDirectory files = new EmbeddedDirectory(directory);
    try {
      if (files.servedPort().isEmpty()) {
        throw new DatastoreUnavailableException(
            files + " is served by no process; the agent of this host does while it runs", null);
      }
      return ZooKeeperDatastore.open(
          new Ensemble(
              files.toString(),
              EmbeddedAddress.loopback().getHostAddress(),
              () -> new EmbeddedAddress(files)),
          DatastoreUrl.DEFAULT_PREFIX,
          new Credentials(SecretAuthentication.SCHEME, Optional.of(files.secret())),
          options.requestTimeout());
    } catch (IOException e) {
      throw notAllowed(files, e);
    }
  }

  static String digest(byte[] secret) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(secret));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JVM has it
    }
  }

  /** Ends the service; the data stays. */
  @Override
  public void close() {
    try {
      files.takePortBack();
    } catch (IOException e) {
      log.warn("port of the embedded datastore not taken back", e);
    }
    cleaner.shutdown();
    containers.stop();
    connections.shutdown();
    server.shutdown();
    try {
      lock.close();
    } catch (IOException e) {
      log.warn("lock of the embedded datastore not closed", e);
    }
  }
}

package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
 * are its clients.
 *
 * <pre>
 * DIR/lock     held by the process that serves
 * DIR/secret   generated at the first start, mode 0600
 * DIR/port     where it listens; the same at the next start when nobody took it
 * DIR/data     ZooKeeper's log and snapshots, of which it keeps three
 * </pre>
 */
public final class EmbeddedServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedServer.class);

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private static final int TICK_MILLIS = 1000;
  private static final int MAX_CONNECTIONS = 1000;
  private static final int CONTAINER_CHECK_MILLIS = 60_000;
  private static final int KEPT_SNAPSHOTS = 3;

  /** ZooKeeper's default of 64 MiB is for logs of a disk of their own. */
  private static final long LOG_FILE_BYTES = 4 << 20;

  private final FileChannel lock;
  private final Server server;
  private final NIOServerCnxnFactory connections;
  private final ContainerManager containers;
  private final DatadirCleanupManager cleaner;

  private EmbeddedServer(
      FileChannel lock,
      Server server,
      NIOServerCnxnFactory connections,
      ContainerManager containers,
      DatadirCleanupManager cleaner) {
    this.lock = lock;
    this.server = server;
    this.connections = connections;
    this.containers = containers;
    this.cleaner = cleaner;
  }

  /** Gives out the first of the processors, which the removal of empty nodes needs. */
  private static final class Server extends ZooKeeperServer {
    Server(FileTxnSnapLog files) throws IOException {
      super(files, TICK_MILLIS, "");
    }

    RequestProcessor first() {
      return firstProcessor;
    }
  }

  /**
   * Starts to serve a directory, which is made when it is not there.
   *
   * @throws DatastoreUnavailableException when another process serves it, or it cannot be written
   */
  public static EmbeddedServer start(Path directory) {
    requireNonNull(directory, "directory is null");
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      FileChannel lock =
          FileChannel.open(
              directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        if (!isLocked(lock)) {
          throw new DatastoreUnavailableException(
              "embedded:" + directory + " is served by another process already", null);
        }
        return serve(directory, lock);
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    } catch (IOException e) {
      throw new DatastoreUnavailableException("embedded:" + directory + " cannot serve: " + e, e);
    }
  }

  private static boolean isLocked(FileChannel file) throws IOException {
    try {
      // Held until the channel is closed.
      FileLock held = file.tryLock();
      return held != null;
    } catch (OverlappingFileLockException e) {
      log.debug("served by this process already", e);
      return false;
    }
  }

  private static EmbeddedServer serve(Path directory, FileChannel lock) throws IOException {
    SecretAuthentication.accept(secret(directory, true));
    // ZooKeeper's server reads these and no others; a process has one.
    System.setProperty(
        "zookeeper.authProvider." + SecretAuthentication.SCHEME,
        SecretAuthentication.class.getName());
    System.setProperty("zookeeper.enforce.auth.enabled", "true");
    System.setProperty("zookeeper.enforce.auth.schemes", SecretAuthentication.SCHEME);
    FileTxnLog.setPreallocSize(LOG_FILE_BYTES);

    Path data = directory.resolve("data");
    Server server = new Server(new FileTxnSnapLog(data.toFile(), data.toFile()));
    NIOServerCnxnFactory connections = listen(port(directory).orElse(0));
    try {
      connections.startup(server, true);
      Path port = directory.resolve("port.new");
      Files.writeString(port, connections.getLocalPort() + "\n", US_ASCII);
      Files.move(port, directory.resolve("port"), StandardCopyOption.ATOMIC_MOVE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      connections.shutdown();
      throw new DatastoreUnavailableException("start of embedded:" + directory + " interrupted", e);
    } catch (IOException | RuntimeException e) {
      connections.shutdown();
      throw e;
    }
    ContainerManager containers =
        new ContainerManager(
            server.getZKDatabase(), server.first(), CONTAINER_CHECK_MILLIS, MAX_CONNECTIONS);
    containers.start();
    DatadirCleanupManager cleaner =
        new DatadirCleanupManager(data.toFile(), data.toFile(), KEPT_SNAPSHOTS, 1);
    cleaner.start();
    log.info(
        "embedded datastore serves directory={} port={}", directory, connections.getLocalPort());
    return new EmbeddedServer(lock, server, connections, containers, cleaner);
  }

  private static NIOServerCnxnFactory listen(int port) throws IOException {
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    NIOServerCnxnFactory connections = new NIOServerCnxnFactory();
    try {
      connections.configure(new InetSocketAddress(loopback, port), MAX_CONNECTIONS, -1, false);
    } catch (BindException e) {
      log.warn("port of the embedded datastore is taken, using another port={}", port, e);
      connections = new NIOServerCnxnFactory();
      connections.configure(new InetSocketAddress(loopback, 0), MAX_CONNECTIONS, -1, false);
    }
    return connections;
  }

  /**
   * A client of the server of a directory.
   *
   * @throws DatastoreUnavailableException when no server has ever run there
   * @throws DatastoreRefusedException when this user may not read the secret
   */
  public static ZooKeeperDatastore connect(Path directory, DatastoreOptions options) {
    if (options.user().isPresent()) {
      throw new InvalidInputException(
          "user", options.user().get(), "no user with embedded:, which has a secret of its own");
    }
    try {
      int port =
          port(directory)
              .orElseThrow(
                  () ->
                      new DatastoreUnavailableException(
                          "embedded:"
                              + directory
                              + " has no port file; the agent of this host serves it once started",
                          null));
      return ZooKeeperDatastore.open(
          new DatastoreUrl(
              DatastoreUrl.Scheme.ZOOKEEPER,
              List.of(new DatastoreUrl.Endpoint("127.0.0.1", port)),
              DatastoreUrl.DEFAULT_PREFIX),
          new Credentials(SecretAuthentication.SCHEME, Optional.of(secret(directory, false))),
          options.requestTimeout());
    } catch (IOException e) {
      throw new DatastoreRefusedException(
          "embedded:" + directory + " cannot be opened by this user: " + e, e);
    }
  }

  private static byte[] secret(Path directory, boolean make) throws IOException {
    Path file = directory.resolve("secret");
    if (make && !Files.exists(file)) {
      byte[] random = new byte[32];
      new SecureRandom().nextBytes(random);
      // Complete before it has its name: a crash must not leave half a secret.
      Path unnamed = directory.resolve("secret.new");
      Files.deleteIfExists(unnamed);
      Files.createFile(unnamed, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
      Files.writeString(unnamed, HexFormat.of().formatHex(random), US_ASCII);
      Files.move(unnamed, file, StandardCopyOption.ATOMIC_MOVE);
    }
    if (make && !Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
      throw new InvalidInputException(
          file.toString(),
          PosixFilePermissions.toString(Files.getPosixFilePermissions(file)),
          "rw-------, since whoever reads it owns the datastore");
    }
    byte[] secret = Files.readAllBytes(file);
    if (secret.length != 64) {
      throw new InvalidInputException(
          file.toString(), secret.length + " bytes", "the 64 that were generated");
    }
    return secret;
  }

  private static Optional<Integer> port(Path directory) throws IOException {
    Path file = directory.resolve("port");
    try {
      String text = Files.readString(file, US_ASCII).strip();
      if (!text.matches("[1-9][0-9]{0,4}")) {
        throw new InvalidInputException(file.toString(), text, "a TCP port");
      }
      return Optional.of(Integer.parseInt(text));
    } catch (NoSuchFileException e) {
      log.debug("no port file yet", e);
      return Optional.empty();
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

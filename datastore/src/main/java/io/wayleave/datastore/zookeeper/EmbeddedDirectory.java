package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * The files by which an embedded server and its clients find and know each other.
 *
 * <pre>
 * DIR/lock     held by the process that serves
 * DIR/secret   generated at the first start, mode 0600
 * DIR/port     where it listens
 * DIR/port.old where the one before did, and the next will when nobody took that port
 * DIR/data     ZooKeeper's log and snapshots
 * </pre>
 *
 * <p>A client shows the secret to whoever listens, so it must not go to a port that somebody else
 * took while no server ran: {@link #servedPort} has a port only while the lock is held, and a
 * server takes the port back before it ends the connections of its clients, or, after a crash of
 * its predecessor, before it listens. Thread safe.
 */
final class EmbeddedDirectory {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private static final Duration LOCK_PAUSE = Duration.ofMillis(50);

  /**
   * The directories that this process serves. The kernel drops a process's lock as soon as any of
   * its descriptors of that file is closed, so nobody may look at the lock of a directory that is
   * served here. Guarded by itself.
   */
  private static final Set<Path> SERVED_HERE = new HashSet<>();

  private final Path path;

  EmbeddedDirectory(Path path) {
    this.path = path;
  }

  /** As URLs name it. */
  @Override
  public String toString() {
    return "embedded:" + path;
  }

  Path data() {
    return path.resolve("data");
  }

  /**
   * Makes it, for its owner alone, unless it is there.
   *
   * @throws InvalidInputException when others may enter it: they could read the data
   */
  void create() throws IOException {
    Files.createDirectories(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    if (!permissions.endsWith("------")) {
      throw new InvalidInputException(
          path.toString(), permissions, "rwx------, since whoever may enter it reads the data");
    }
  }

  /** What the process that serves holds. */
  static final class Lock implements AutoCloseable {
    private final Path real;
    private final FileChannel channel;

    private Lock(Path real, FileChannel channel) {
      this.real = real;
      this.channel = channel;
    }

    @Override
    public void close() throws IOException {
      synchronized (SERVED_HERE) {
        SERVED_HERE.remove(real);
        channel.close();
      }
    }
  }

  /**
   * Becomes the one who serves; empty when another does.
   *
   * @param patience how long to wait for one that is about to end, or only looks at the lock
   */
  Optional<Lock> lock(Duration patience) throws IOException {
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      Optional<Lock> lock = tryLock();
      if (lock.isPresent() || System.nanoTime() - end >= 0) {
        return lock;
      }
      LockSupport.parkNanos(LOCK_PAUSE.toNanos());
    }
  }

  private Optional<Lock> tryLock() throws IOException {
    synchronized (SERVED_HERE) {
      Path real = path.toRealPath();
      if (SERVED_HERE.contains(real)) {
        return Optional.empty();
      }
      FileChannel channel =
          FileChannel.open(
              path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      boolean held = false;
      try {
        FileLock lock = channel.tryLock();
        held = lock != null;
      } finally {
        if (!held) {
          channel.close();
        }
      }
      if (!held) {
        return Optional.empty();
      }
      SERVED_HERE.add(real);
      return Optional.of(new Lock(real, channel));
    }
  }

  /** Whether a process holds the lock. */
  boolean isServed() throws IOException {
    synchronized (SERVED_HERE) {
      try {
        if (SERVED_HERE.contains(path.toRealPath())) {
          return true;
        }
        try (FileChannel channel =
                FileChannel.open(path.resolve("lock"), StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock()) {
          return lock == null;
        }
      } catch (NoSuchFileException e) {
        return false;
      }
    }
  }

  /** Where the server listens; empty while there is none, or it does not listen yet. */
  Optional<Integer> servedPort() throws IOException {
    return isServed() ? port("port") : Optional.empty();
  }

  /** Where the last server listened. */
  Optional<Integer> oldPort() throws IOException {
    return port("port.old");
  }

  private Optional<Integer> port(String name) throws IOException {
    Path file = path.resolve(name);
    String text;
    try {
      text = Files.readString(file, US_ASCII).strip();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    if (text.isEmpty()) {
      return Optional.empty(); // what a power failure left
    }
    if (!text.matches("[1-9][0-9]{0,4}")) {
      throw new InvalidInputException(file.toString(), text, "a TCP port");
    }
    return Optional.of(Integer.parseInt(text));
  }

  /** By the one who serves, before it listens and before it ends. */
  void takePortBack() throws IOException {
    try {
      Files.move(path.resolve("port"), path.resolve("port.old"), StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException e) {
      return; // as it shall be
    }
  }

  /** By the one who serves, once it listens. */
  void setPort(int port) throws IOException {
    Path unnamed = path.resolve("port.new");
    Files.writeString(unnamed, port + "\n", US_ASCII);
    Files.move(unnamed, path.resolve("port"), StandardCopyOption.ATOMIC_MOVE);
  }

  /** The secret, for a client. */
  byte[] secret() throws IOException {
    Path file = path.resolve("secret");
    byte[] secret = Files.readAllBytes(file);
    if (secret.length != 64) {
      throw new InvalidInputException(
          file.toString(), secret.length + " bytes", "the 64 that were generated");
    }
    return secret;
  }

  /**
   * The secret, for the one who serves; made when there is none.
   *
   * @throws InvalidInputException when others than its owner can read it
   */
  byte[] ownSecret() throws IOException {
    Path file = path.resolve("secret");
    if (!Files.exists(file)) {
      byte[] random = new byte[32];
      new SecureRandom().nextBytes(random);
      // Complete before it has its name: a crash must not leave half a secret.
      Path unnamed = path.resolve("secret.new");
      Files.deleteIfExists(unnamed);
      Files.createFile(unnamed, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
      Files.writeString(
          unnamed,
          HexFormat.of().formatHex(random),
          US_ASCII,
          StandardOpenOption.WRITE,
          StandardOpenOption.SYNC);
      Files.move(unnamed, file, StandardCopyOption.ATOMIC_MOVE);
      // The data is for who knows it, so it must not be lost while the data is not.
      try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
        directory.force(true);
      }
    }
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
    if (!permissions.equals(OWNER_ONLY)) {
      throw new InvalidInputException(
          file.toString(),
          PosixFilePermissions.toString(permissions),
          "rw-------, since whoever reads it owns the datastore");
    }
    return secret();
  }
}

package io.wayleave.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * A listening Unix stream socket that only its owner's user may connect to (mode 0600). Safe from
 * any thread; {@link #close} wakes a thread in {@link #accept}. Use platform threads.
 */
public final class UnixServer implements AutoCloseable {
  private static final int MODE = 0600;
  private static final int BACKLOG = 128;
  private static final int MAX_PATH_BYTES = 107;

  private final Path path;
  private final Fd fd;
  private final Object fileKey;

  private UnixServer(Path path, Fd fd, Object fileKey) {
    this.path = path;
    this.fd = fd;
    this.fileKey = fileKey;
  }

  /**
   * Listens on a path. A socket there that nobody listens on any more is replaced.
   *
   * @throws IOException also when somebody does listen there, or something else than a socket is
   *     there
   */
  public static UnixServer listen(Path path) throws IOException {
    removeStale(path);
    Fd fd = openSocket();
    try (Arena arena = Arena.ofConfined()) {
      // The mode of the unbound socket becomes that of the file (less the umask), so there is no
      // moment in which others could connect.
      check(Libc.fchmod(fd.number(), MODE), "restrict " + path + " to mode 0600");
      check(Libc.bind(fd.number(), address(arena, path)), "bind " + path);
      check(Libc.listen(fd.number(), BACKLOG), "listen on " + path);
      return new UnixServer(path, fd, fileKey(path));
    } catch (IOException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /**
   * The next client, empty when none came in time.
   *
   * @throws ClosedFdException when this is closed
   */
  public Optional<UnixConnection> accept(Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    int number = fd.acquire();
    try {
      while (true) {
        if (!deadline.await(number, Libc.POLLIN)) {
          return Optional.empty();
        }
        if (fd.isClosed()) {
          throw new ClosedFdException();
        }
        int accepted = Libc.accept4(number, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK);
        if (accepted >= 0) {
          return Optional.of(UnixConnection.of(Fd.ofSocket(accepted)));
        }
        switch (Errno.of(-accepted)) {
          // Another thread took it, or the client left before we came.
          case EAGAIN, ECONNABORTED, EINTR -> {}
          default -> {
            if (fd.isClosed()) {
              throw new ClosedFdException();
            }
            throw new SystemCallException("accept on " + path, -accepted);
          }
        }
      }
    } finally {
      fd.release();
    }
  }

  public Path path() {
    return path;
  }

  /** Stops listening and removes the file, unless another server has replaced it. */
  @Override
  public void close() {
    if (fd.isClosed()) {
      return;
    }
    fd.close();
    try {
      if (Objects.equals(fileKey(path), fileKey)) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      // It is gone already: a client gets the same refusal.
    }
  }

  static Fd openSocket() throws SystemCallException {
    int socket =
        Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0);
    if (socket < 0) {
      throw new SystemCallException("open a Unix socket", -socket);
    }
    return Fd.ofSocket(socket);
  }

  static MemorySegment address(Arena arena, Path path) {
    byte[] bytes = path.toString().getBytes(UTF_8);
    if (bytes.length == 0 || bytes.length > MAX_PATH_BYTES) {
      throw new InvalidInputException(
          "socket", path.toString(), "a path of 1 to " + MAX_PATH_BYTES + " bytes");
    }
    MemorySegment address = arena.allocate(2L + bytes.length + 1, 2);
    address.set(ValueLayout.JAVA_SHORT, 0, (short) Libc.AF_UNIX);
    MemorySegment.copy(bytes, 0, address, ValueLayout.JAVA_BYTE, 2, bytes.length);
    return address;
  }

  private static void removeStale(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    if (!Files.readAttributes(path, BasicFileAttributes.class).isOther()) {
      throw new IOException(path + " is there and is not a socket");
    }
    try (UnixConnection living = UnixConnection.connect(path, Duration.ofSeconds(1))) {
      throw new IOException(
          "process " + living.peer().pid() + " is listening on " + path + " already");
    } catch (SystemCallException e) {
      if (e.errno() != Errno.ECONNREFUSED && e.errno() != Errno.ENOENT) {
        throw e;
      }
      Files.deleteIfExists(path);
    }
  }

  private static Object fileKey(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }

  private static void check(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
  }
}

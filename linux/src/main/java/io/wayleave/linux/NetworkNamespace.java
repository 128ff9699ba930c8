package io.wayleave.linux;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.regex.Pattern;

/**
 * A network namespace, held by a descriptor: it stays alive while this is open, also when its last
 * process and its name are gone. {@link #close} lets go of it and deletes nothing.
 *
 * <p>Safe from any thread. Work inside it runs on a platform thread of its own ({@link #run}),
 * because {@code setns} acts on one OS thread and a virtual thread has none.
 */
public final class NetworkNamespace implements AutoCloseable {
  /** Where names live, as with {@code ip netns}. */
  public static final Path NAMES = Path.of("/run/netns");

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
  private static final int NS_GET_NSTYPE = 0xb703;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_INO = 0x100;
  private static final long STATX_SIZE = 256;
  private static final long STX_INO_OFFSET = 0x20;
  private static final long STX_DEV_MAJOR_OFFSET = 0x88;
  private static final long STX_DEV_MINOR_OFFSET = 0x8c;

  private final Fd fd;
  private final Identity identity;

  /**
   * What tells two namespaces apart: equal exactly while both are the same living namespace. An
   * inode number is used again after its namespace died, so do not store it.
   */
  public record Identity(int deviceMajor, int deviceMinor, long inode) {
    /** As {@code readlink /proc/PID/ns/net} writes it. */
    @Override
    public String toString() {
      return "net:[" + inode + "]";
    }
  }

  private NetworkNamespace(Fd fd, Identity identity) {
    this.fd = fd;
    this.identity = identity;
  }

  /** That of the calling thread. */
  public static NetworkNamespace current() throws IOException {
    return ofPath(Path.of("/proc/thread-self/ns/net"));
  }

  /**
   * The namespace that a path leads to.
   *
   * @throws IOException also when the path is there but is no network namespace, as a name whose
   *     mount is missing
   */
  public static NetworkNamespace ofPath(Path path) throws IOException {
    return ofDescriptor(Fd.open(path.toString()), path.toString());
  }

  /** That of a process, or of a thread by its thread id. */
  public static NetworkNamespace ofPid(long pid) throws IOException {
    return ofPath(Path.of("/proc/" + pid + "/ns/net"));
  }

  /** By its name in {@link #NAMES}. */
  public static NetworkNamespace ofName(String name) throws IOException {
    return ofPath(NAMES.resolve(checkedName(name)));
  }

  /**
   * Takes over a descriptor, for example one that a client handed over; it is closed when it is no
   * network namespace.
   */
  public static NetworkNamespace ofDescriptor(Fd fd) throws IOException {
    return ofDescriptor(fd, fd.toString());
  }

  private static NetworkNamespace ofDescriptor(Fd fd, String what) throws IOException {
    try {
      Identity identity = identify(fd, what);
      int type = Libc.ioctl(fd.number(), NS_GET_NSTYPE);
      if (type != Libc.CLONE_NEWNET) {
        throw new IOException(what + " is not a network namespace");
      }
      return new NetworkNamespace(fd, identity);
    } catch (IOException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /**
   * Makes a namespace with a name in {@link #NAMES}. Its loopback interface is down, as the kernel
   * makes it.
   *
   * @throws FileAlreadyExistsException when the name is taken
   */
  public static NetworkNamespace create(String name) throws IOException {
    Path path = NAMES.resolve(checkedName(name));
    Files.createDirectories(NAMES);
    shareNames();
    Files.createFile(path);
    try {
      onThread(
          "netns-create-" + name,
          () -> {
            check(Libc.unshare(Libc.CLONE_NEWNET), "make a network namespace");
            check(
                Libc.mount("/proc/thread-self/ns/net", path.toString(), Libc.MS_BIND),
                "mount the network namespace at " + path);
            return null;
          });
      return ofPath(path);
    } catch (IOException | RuntimeException e) {
      delete(name);
      throw e;
    }
  }

  /**
   * Removes the name, and with it the namespace once no process and no descriptor holds it. A name
   * that is not there is not an error.
   */
  public static void delete(String name) throws IOException {
    Path path = NAMES.resolve(checkedName(name));
    int result = Libc.umount2(path.toString(), Libc.MNT_DETACH);
    Errno errno = result < 0 ? Errno.of(-result) : Errno.UNKNOWN;
    // EINVAL: a file without a mount, as a crash between the two steps of create leaves it.
    if (result < 0 && errno != Errno.ENOENT && errno != Errno.EINVAL) {
      throw new SystemCallException("unmount " + path, -result);
    }
    Files.deleteIfExists(path);
  }

  public Identity identity() {
    return identity;
  }

  /** The descriptor, still owned by this. */
  public Fd fd() {
    return fd;
  }

  /**
   * Runs work inside the namespace, on a new platform thread that ends with it and so never does
   * anything elsewhere by mistake. Waits for the end; an interrupt of the caller is passed on to
   * the work.
   *
   * <p>A thread that the work starts is inside as well: start no pools in it.
   *
   * @throws IOException from entering or from the work; another checked exception of the work
   *     arrives as its cause
   */
  public <T> T run(Callable<T> work) throws IOException {
    return onThread(
        "netns-" + identity.inode(),
        () -> {
          enter();
          return work.call();
        });
  }

  /** The same in the namespace of a path; without one in that of the calling thread. */
  public static <T> T runIn(Optional<Path> path, Callable<T> work) throws IOException {
    try (NetworkNamespace there = path.isPresent() ? ofPath(path.get()) : current()) {
      return there.run(work);
    }
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return identity.toString();
  }

  private void enter() throws IOException {
    int number = fd.acquire();
    try {
      check(Libc.setns(number, Libc.CLONE_NEWNET), "enter network namespace " + identity);
    } finally {
      fd.release();
    }
  }

  private static <T> T onThread(String name, Callable<T> work) throws IOException {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = Thread.ofPlatform().name(name).daemon(true).unstarted(task);
    thread.start();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
          thread.interrupt();
        } catch (ExecutionException e) {
          throw asIoException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static IOException asIoException(Throwable cause) {
    return switch (cause) {
      case RuntimeException unchecked -> throw unchecked;
      case Error error -> throw error;
      case IOException io -> io;
      default -> new IOException(cause.getMessage(), cause);
    };
  }

  /** Mounts of names must reach other mount namespaces, as {@code ip netns add} makes them do. */
  private static synchronized void shareNames() throws IOException {
    String names = NAMES.toString();
    long shared = Libc.MS_SHARED | Libc.MS_REC;
    int result = Libc.mount("", names, shared);
    if (result == -Errno.EINVAL.number()) {
      check(Libc.mount(names, names, Libc.MS_BIND | Libc.MS_REC), "make a mount of " + names);
      result = Libc.mount("", names, shared);
    }
    check(result, "share the mount " + names);
  }

  private static Identity identify(Fd fd, String what) throws IOException {
    int number = fd.acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stat = arena.allocate(STATX_SIZE, 8);
      check(Libc.statx(number, "", AT_EMPTY_PATH, STATX_INO, stat), "identify " + what);
      return new Identity(
          stat.get(ValueLayout.JAVA_INT, STX_DEV_MAJOR_OFFSET),
          stat.get(ValueLayout.JAVA_INT, STX_DEV_MINOR_OFFSET),
          stat.get(ValueLayout.JAVA_LONG, STX_INO_OFFSET));
    } finally {
      fd.release();
    }
  }

  private static String checkedName(String name) {
    if (!NAME.matcher(requireNonNull(name, "name is null")).matches()) {
      throw new InvalidInputException(
          "namespace", name, "1 to 64 letters, digits, '-', '_' and '.', the first no '-' or '.'");
    }
    return name;
  }

  private static void check(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
  }
}

package io.wayleave.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * The C library calls of this module, one method each. A method returns the result, or the negated
 * error number where C returns -1, so that no caller can forget to look at errno. It is public for
 * the netlink package and for modules with sockets of their own; everything else has a better door.
 *
 * <p>Safe from any thread: the error number is captured by the linker into memory of the calling
 * thread. A blocking call pins the carrier of a virtual thread, so use platform threads.
 */
public final class Libc {
  public static final int AF_UNIX = 1;
  public static final int AF_INET = 2;
  public static final int AF_INET6 = 10;
  public static final int AF_NETLINK = 16;

  public static final int SOCK_STREAM = 1;
  public static final int SOCK_RAW = 3;
  public static final int SOCK_NONBLOCK = 0x800;
  public static final int SOCK_CLOEXEC = 0x80000;

  public static final int SOL_SOCKET = 1;
  public static final int SO_PEERCRED = 17;
  public static final int SO_RCVBUF = 8;
  public static final int SO_RCVTIMEO = 20;
  public static final int SO_ATTACH_FILTER = 26;
  public static final int SO_SNDBUFFORCE = 32;
  public static final int SO_RCVBUFFORCE = 33;

  public static final int SCM_RIGHTS = 1;
  public static final int SHUT_RDWR = 2;

  public static final int MSG_CTRUNC = 0x8;
  public static final int MSG_TRUNC = 0x20;
  public static final int MSG_DONTWAIT = 0x40;
  public static final int MSG_NOSIGNAL = 0x4000;
  public static final int MSG_CMSG_CLOEXEC = 0x40000000;

  public static final int O_RDONLY = 0;
  public static final int O_CLOEXEC = 0x80000;
  public static final int F_DUPFD_CLOEXEC = 1030;

  public static final int POLLIN = 0x1;
  public static final int POLLOUT = 0x4;

  public static final int CLONE_NEWNET = 0x40000000;
  public static final int MS_BIND = 0x1000;
  public static final int MS_REC = 0x4000;
  public static final int MS_SHARED = 1 << 20;
  public static final int MNT_DETACH = 2;

  public static final int CLOCK_BOOTTIME = 7;
  public static final int EFD_FLAGS = 0x800 | 0x80000;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final ThreadLocal<MemorySegment> STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURED));

  private static final MethodHandle SOCKET = ints("socket", 3);
  private static final MethodHandle BIND = withPointer("bind");
  private static final MethodHandle CONNECT = withPointer("connect");
  private static final MethodHandle LISTEN = ints("listen", 2);
  private static final MethodHandle ACCEPT4 =
      link("accept4", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
  private static final MethodHandle SHUTDOWN = ints("shutdown", 2);
  private static final MethodHandle SETSOCKOPT =
      link(
          "setsockopt",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle GETSOCKOPT =
      link(
          "getsockopt",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  private static final MethodHandle GETSOCKNAME =
      link("getsockname", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  private static final MethodHandle SEND =
      link("send", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle RECV =
      link("recv", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle SENDMSG =
      link("sendmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle RECVMSG =
      link("recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle POLL =
      link("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle CLOSE = ints("close", 1);
  private static final MethodHandle OPEN =
      link(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle FCNTL =
      link(
          "fcntl",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle IOCTL =
      link(
          "ioctl",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle FCHMOD = ints("fchmod", 2);
  private static final MethodHandle FSYNC = ints("fsync", 1);
  private static final MethodHandle SETNS = ints("setns", 2);
  private static final MethodHandle UNSHARE = ints("unshare", 1);
  private static final MethodHandle MOUNT =
      link("mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  private static final MethodHandle UMOUNT2 =
      link("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle STATX =
      link(
          "statx", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle EVENTFD = ints("eventfd", 2);
  private static final MethodHandle READ =
      link("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle WRITE =
      link("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle CLOCK_GETTIME =
      link("clock_gettime", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));

  private Libc() {}

  public static int socket(int domain, int type, int protocol) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) SOCKET.invokeExact(state, domain, type, protocol), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int bind(int fd, MemorySegment address) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) BIND.invokeExact(state, fd, address, (int) address.byteSize()), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int connect(int fd, MemorySegment address) {
    MemorySegment state = STATE.get();
    try {
      return checked(
          (int) CONNECT.invokeExact(state, fd, address, (int) address.byteSize()), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int listen(int fd, int backlog) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) LISTEN.invokeExact(state, fd, backlog), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Without the peer's address. */
  public static int accept4(int fd, int flags) {
    MemorySegment state = STATE.get();
    try {
      return checked(
          (int) ACCEPT4.invokeExact(state, fd, MemorySegment.NULL, MemorySegment.NULL, flags),
          state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int shutdown(int fd, int how) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) SHUTDOWN.invokeExact(state, fd, how), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int setsockopt(int fd, int level, int option, MemorySegment value) {
    MemorySegment state = STATE.get();
    try {
      return checked(
          (int) SETSOCKOPT.invokeExact(state, fd, level, option, value, (int) value.byteSize()),
          state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** An option whose value is an int. */
  public static int setsockopt(int fd, int level, int option, int value) {
    try (Arena arena = Arena.ofConfined()) {
      return setsockopt(fd, level, option, arena.allocateFrom(JAVA_INT, value));
    }
  }

  /** Fills {@code value}; the length that the kernel wrote is its whole size for our options. */
  public static int getsockopt(int fd, int level, int option, MemorySegment value) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment length = arena.allocateFrom(JAVA_INT, (int) value.byteSize());
      return checked((int) GETSOCKOPT.invokeExact(state, fd, level, option, value, length), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int getsockname(int fd, MemorySegment address) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment length = arena.allocateFrom(JAVA_INT, (int) address.byteSize());
      return checked((int) GETSOCKNAME.invokeExact(state, fd, address, length), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static long send(int fd, MemorySegment bytes, int flags) {
    MemorySegment state = STATE.get();
    try {
      return checked((long) SEND.invokeExact(state, fd, bytes, bytes.byteSize(), flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static long recv(int fd, MemorySegment into, int flags) {
    MemorySegment state = STATE.get();
    try {
      return checked((long) RECV.invokeExact(state, fd, into, into.byteSize(), flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static long sendmsg(int fd, MemorySegment header, int flags) {
    MemorySegment state = STATE.get();
    try {
      return checked((long) SENDMSG.invokeExact(state, fd, header, flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static long recvmsg(int fd, MemorySegment header, int flags) {
    MemorySegment state = STATE.get();
    try {
      return checked((long) RECVMSG.invokeExact(state, fd, header, flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Waits until one of the descriptors has one of the events, or an error.
   *
   * @param events one for each descriptor, POLLIN or POLLOUT
   * @param milliseconds longest wait, -1 without end
   * @return a bit for each descriptor that is ready, 0 at the end of the wait, or the negated error
   *     number
   */
  public static int poll(int[] fds, short[] events, int milliseconds) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment entries = arena.allocate(8L * fds.length, 4);
      for (int i = 0; i < fds.length; i++) {
        entries.set(JAVA_INT, 8L * i, fds[i]);
        entries.set(JAVA_INT, 8L * i + 4, events[i]);
      }
      int ready =
          checked((int) POLL.invokeExact(state, entries, (long) fds.length, milliseconds), state);
      int bits = 0;
      for (int i = 0; ready > 0 && i < fds.length; i++) {
        // The upper half of the second word is "revents" on both (little-endian) architectures.
        if (entries.get(JAVA_INT, 8L * i + 4) >>> 16 != 0) {
          bits |= 1 << i;
        }
      }
      return ready < 0 ? ready : bits;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int close(int fd) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) CLOSE.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int open(String path, int flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return checked((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int fcntl(int fd, int command, int argument) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) FCNTL.invokeExact(state, fd, command, argument), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** A request without an argument. */
  public static int ioctl(int fd, long request) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) IOCTL.invokeExact(state, fd, request), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int fchmod(int fd, int mode) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) FCHMOD.invokeExact(state, fd, mode), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int fsync(int fd) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) FSYNC.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int setns(int fd, int type) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) SETNS.invokeExact(state, fd, type), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int unshare(int flags) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) UNSHARE.invokeExact(state, flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Without file system data; the kernel ignores the type of a bind mount. */
  public static int mount(String source, String target, long flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment type = arena.allocateFrom("none");
      return checked(
          (int)
              MOUNT.invokeExact(
                  state,
                  arena.allocateFrom(source),
                  arena.allocateFrom(target),
                  type,
                  flags,
                  MemorySegment.NULL),
          state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int umount2(String target, int flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return checked((int) UMOUNT2.invokeExact(state, arena.allocateFrom(target), flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Fills 256 bytes of {@code struct statx}, whose layout is the same on every architecture. */
  public static int statx(int fd, String path, int flags, int mask, MemorySegment into) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return checked(
          (int) STATX.invokeExact(state, fd, arena.allocateFrom(path), flags, mask, into), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static int eventfd(int initial, int flags) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) EVENTFD.invokeExact(state, initial, flags), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static long read(int fd, MemorySegment into) {
    MemorySegment state = STATE.get();
    try {
      return checked((long) READ.invokeExact(state, fd, into, into.byteSize()), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static long write(int fd, MemorySegment bytes) {
    MemorySegment state = STATE.get();
    try {
      return checked((long) WRITE.invokeExact(state, fd, bytes, bytes.byteSize()), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Fills 16 bytes: seconds and nanoseconds, each as a long. */
  public static int clockGettime(int clock, MemorySegment into) {
    MemorySegment state = STATE.get();
    try {
      return checked((int) CLOCK_GETTIME.invokeExact(state, clock, into), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private static int checked(int result, MemorySegment state) {
    return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
  }

  private static long checked(long result, MemorySegment state) {
    return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
  }

  private static MethodHandle ints(String name, int count) {
    MemoryLayout[] arguments = new MemoryLayout[count];
    Arrays.fill(arguments, JAVA_INT);
    return link(name, FunctionDescriptor.of(JAVA_INT, arguments));
  }

  private static MethodHandle withPointer(String name) {
    return link(name, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  }

  private static MethodHandle link(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker.Option[] all = Arrays.copyOf(options, options.length + 1);
    all[options.length] = Linker.Option.captureCallState("errno");
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, all);
  }

  /** A downcall throws only when the Java side of it is wrong: a bug, or a closed segment. */
  private static RuntimeException impossible(Throwable e) {
    if (e instanceof RuntimeException unchecked) {
      return unchecked;
    }
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("a downcall failed", e);
  }
}

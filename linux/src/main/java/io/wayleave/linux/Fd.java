package io.wayleave.linux;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Owner of one file descriptor. {@link #close} may be called from any thread, at any time and more
 * than once: the number is given back to the kernel only when no call is using it, so that a late
 * user never hits a stranger's file. A socket is shut down at once, which wakes those that wait.
 */
public final class Fd implements AutoCloseable {
  private static final int CLOSED = 1 << 30;

  private final int number;
  private final boolean socket;
  // Count of users, plus CLOSED once the owner gave it up. Whoever takes it to exactly CLOSED
  // closes the number.
  private final AtomicInteger state = new AtomicInteger();

  private Fd(int number, boolean socket) {
    this.number = number;
    this.socket = socket;
  }

  /** Takes over an open descriptor. */
  public static Fd of(int number) {
    return new Fd(number, false);
  }

  /** Takes over an open socket: closing shuts it down first. */
  public static Fd ofSocket(int number) {
    return new Fd(number, true);
  }

  /**
   * Takes over the result of a call of {@link Libc}.
   *
   * @param asked what was asked, for the error
   */
  public static Fd ofResult(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
    return of(result);
  }

  /** Opens a file for reading, closed on exec. */
  public static Fd open(String path) throws SystemCallException {
    return ofResult(Libc.open(path, Libc.O_RDONLY | Libc.O_CLOEXEC), "open " + path);
  }

  /**
   * The number, for calls that the caller knows to end before anyone closes this; {@link #acquire}
   * where another thread may close it.
   *
   * @throws ClosedFdException when it is closed
   */
  public int number() throws ClosedFdException {
    if ((state.get() & CLOSED) != 0) {
      throw new ClosedFdException();
    }
    return number;
  }

  /**
   * Another descriptor of the same open file, closed on exec. Closing a copy of a socket does not
   * shut the connection down for the others.
   */
  public Fd duplicate() throws IOException {
    int taken = acquire();
    try {
      int copy = Libc.fcntl(taken, Libc.F_DUPFD_CLOEXEC, 0);
      if (copy < 0) {
        throw new SystemCallException("duplicate descriptor " + taken, -copy);
      }
      return of(copy);
    } finally {
      release();
    }
  }

  public boolean isClosed() {
    return (state.get() & CLOSED) != 0;
  }

  /** Pins the number until {@link #release}. */
  public int acquire() throws ClosedFdException {
    while (true) {
      int current = state.get();
      if ((current & CLOSED) != 0) {
        throw new ClosedFdException();
      }
      if (state.compareAndSet(current, current + 1)) {
        return number;
      }
    }
  }

  public void release() {
    if (state.decrementAndGet() == CLOSED) {
      Libc.close(number);
    }
  }

  @Override
  public void close() {
    while (true) {
      int current = state.get();
      if ((current & CLOSED) != 0) {
        return;
      }
      // The closer counts as a user while it shuts the socket down.
      if (state.compareAndSet(current, (current + 1) | CLOSED)) {
        if (socket) {
          Libc.shutdown(number, Libc.SHUT_RDWR);
        }
        release();
        return;
      }
    }
  }

  @Override
  public String toString() {
    return "fd " + number + (isClosed() ? " (closed)" : "");
  }
}

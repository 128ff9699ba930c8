package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("real")
class FdTest {
  @Test
  void theNumberIsGivenBackOnlyWhenNobodyUsesIt() throws IOException {
    Fd fd = Fd.open("/dev/null");
    int number = fd.acquire();

    fd.close();

    assertThat(fd.isClosed()).isTrue();
    assertThat(Libc.fcntl(number, F_GETFD, 0)).isNotNegative();
    assertThatThrownBy(fd::acquire).isInstanceOf(ClosedFdException.class);
    assertThatThrownBy(fd::number).isInstanceOf(ClosedFdException.class);

    fd.release();

    assertThat(Libc.fcntl(number, F_GETFD, 0)).isEqualTo(-Errno.EBADF.number());
  }

  @Test
  void closingTwiceClosesOnce() throws IOException {
    Fd fd = Fd.open("/dev/null");
    int number = fd.number();
    fd.close();
    try (Fd next = Fd.open("/dev/zero")) {
      fd.close();

      // The kernel gives the lowest free number, so this is the one that was closed.
      assertThat(next.number()).isEqualTo(number);
      assertThat(Libc.fcntl(number, F_GETFD, 0)).isNotNegative();
    }
  }

  @Test
  void aDuplicateLivesItsOwnLifeAndDoesNotReachChildren() throws IOException {
    Fd fd = Fd.open("/dev/null");
    try (Fd copy = fd.duplicate()) {
      fd.close();

      assertThat(Libc.fcntl(copy.number(), F_GETFD, 0)).isEqualTo(FD_CLOEXEC);
    }
  }

  @Test
  void closingACopyOfASocketLeavesTheConnection(@TempDir Path directory) throws IOException {
    Duration timeout = Duration.ofSeconds(10);
    try (UnixServer server = UnixServer.listen(directory.resolve("s"));
        Fd socket = Fd.ofSocket(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM, 0));
        Arena arena = Arena.ofConfined()) {
      assertThat(Libc.connect(socket.number(), UnixServer.address(arena, server.path()))).isZero();
      try (UnixConnection here = server.accept(timeout).orElseThrow()) {
        socket.duplicate().close();
        here.send(new byte[] {'x'}, List.of(), timeout);

        MemorySegment bytes = arena.allocate(5);
        assertThat(Libc.recv(socket.number(), bytes, 0)).isEqualTo(5);
      }
    }
  }

  @Test
  void errorsNameWhatWasAsked() {
    assertThatThrownBy(() -> Fd.open("/nowhere/at/all"))
        .isInstanceOfSatisfying(
            SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
        .hasMessage("open /nowhere/at/all: ENOENT (No such file or directory)");
  }

  private static final int F_GETFD = 1;
  private static final int FD_CLOEXEC = 1;
}

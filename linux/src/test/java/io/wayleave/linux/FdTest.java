package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

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
  void errorsNameWhatWasAsked() {
    assertThatThrownBy(() -> Fd.open("/nowhere/at/all"))
        .isInstanceOfSatisfying(
            SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
        .hasMessage("open /nowhere/at/all: ENOENT (No such file or directory)");
  }

  private static final int F_GETFD = 1;
  private static final int FD_CLOEXEC = 1;
}

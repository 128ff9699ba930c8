package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ErrnoTest {
  @Test
  void numbersHaveTheNamesOfTheKernelsHeader() {
    assertThat(Errno.of(1)).isEqualTo(Errno.EPERM);
    assertThat(Errno.of(2)).isEqualTo(Errno.ENOENT);
    assertThat(Errno.of(11)).isEqualTo(Errno.EAGAIN);
    assertThat(Errno.of(17)).isEqualTo(Errno.EEXIST);
    assertThat(Errno.of(19)).isEqualTo(Errno.ENODEV);
    assertThat(Errno.of(95)).isEqualTo(Errno.EOPNOTSUPP);
    assertThat(Errno.of(101)).isEqualTo(Errno.ENETUNREACH);
    assertThat(Errno.of(105)).isEqualTo(Errno.ENOBUFS);
    assertThat(Errno.of(113)).isEqualTo(Errno.EHOSTUNREACH);
    assertThat(Errno.EEXIST.text()).isEqualTo("File exists");
  }

  @Test
  void eachNumberHasOneName() {
    Set<Integer> numbers = new HashSet<>();
    for (Errno errno : Errno.values()) {
      assertThat(numbers.add(errno.number())).as(errno.name()).isTrue();
      assertThat(Errno.of(errno.number())).isEqualTo(errno);
    }
  }

  @Test
  void anUnknownNumberIsShownAsANumber() {
    assertThat(Errno.of(200)).isEqualTo(Errno.UNKNOWN);
    assertThat(Errno.of(100_000)).isEqualTo(Errno.UNKNOWN);
    assertThat(new SystemCallException("do it", 200))
        .hasMessage("do it: errno 200 (Unknown error)");
    assertThat(new SystemCallException("do it", 2))
        .hasMessage("do it: ENOENT (No such file or directory)");
  }
}

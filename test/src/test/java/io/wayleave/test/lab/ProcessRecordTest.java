package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProcessRecordTest {
  private Process process;

  @BeforeEach
  void startSomething() throws IOException {
    process = new ProcessBuilder("sleep", "600").start();
  }

  @AfterEach
  void endIt() {
    process.destroyForcibly();
  }

  @Test
  void aRunningProcessIsAliveUntilItIsKilled() {
    ProcessRecord record = ProcessRecord.of("sleep", process.pid());
    assertThat(record.isAlive()).isTrue();

    record.kill();

    assertThat(record.isAlive()).isFalse();
  }

  @Test
  void terminateSaysWhetherItEnded() {
    assertThat(ProcessRecord.of("sleep", process.pid()).terminate(Duration.ofSeconds(10))).isTrue();
  }

  @Test
  void aLaterProcessWithTheSameNumberIsLeftAlone() {
    ProcessRecord now = ProcessRecord.of("sleep", process.pid());
    ProcessRecord earlier = new ProcessRecord("sleep", now.pid(), now.startTicks() - 1);

    assertThat(earlier.isAlive()).isFalse();
    earlier.kill();

    assertThat(process.isAlive()).isTrue();
  }
}

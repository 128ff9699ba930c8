package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("real")
class HostTest {
  @Test
  void knowsItsNameAndBoot() throws IOException {
    assertThat(Host.hostname())
        .isEqualTo(Files.readString(Path.of("/proc/sys/kernel/hostname")).strip())
        .isNotEmpty();
    assertThat(Host.bootId()).isEqualTo(Host.bootId());
  }

  @Test
  void timeSinceBootIsThatOfTheKernel() throws IOException {
    String text = Files.readString(Path.of("/proc/uptime"));
    String uptime = text.substring(0, text.indexOf(' '));
    Duration kernel = Duration.ofMillis((long) (Double.parseDouble(uptime) * 1000));

    assertThat(Host.sinceBoot().minus(kernel)).isBetween(Duration.ZERO, Duration.ofSeconds(10));
  }

  @Test
  void syncsADirectoryAndSaysWhenThereIsNone(@TempDir Path directory) throws IOException {
    Host.syncDirectory(directory);
    assertThatThrownBy(() -> Host.syncDirectory(directory.resolve("nope")))
        .hasMessage("open " + directory.resolve("nope") + ": ENOENT (No such file or directory)");
  }
}

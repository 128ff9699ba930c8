package io.wayleave.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

/** Small facts about this machine, and the one file operation that Java has no word for. */
public final class Host {
  private Host() {}

  /** As {@code uname -n} says, in the UTS namespace of this process. */
  public static String hostname() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
  }

  /** Another one after each boot of the kernel. */
  public static UUID bootId() throws IOException {
    return UUID.fromString(Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip());
  }

  /** Time since the kernel booted, time asleep included (CLOCK_BOOTTIME). */
  public static Duration sinceBoot() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(16, 8);
      int result = Libc.clockGettime(Libc.CLOCK_BOOTTIME, time);
      if (result < 0) {
        throw new IllegalStateException("clock_gettime: " + Errno.of(-result));
      }
      return Duration.ofSeconds(
          time.get(ValueLayout.JAVA_LONG, 0), time.get(ValueLayout.JAVA_LONG, 8));
    }
  }

  /** Makes creations, renames and removals in the directory survive a power cut. */
  public static void syncDirectory(Path directory) throws IOException {
    try (Fd fd = Fd.open(directory.toString())) {
      int result = Libc.fsync(fd.number());
      if (result < 0) {
        throw new SystemCallException("fsync " + directory, -result);
      }
    }
  }
}

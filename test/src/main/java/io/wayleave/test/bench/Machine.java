package io.wayleave.test.bench;

import io.wayleave.test.lab.LabException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** What the kernel counts of processes and of the machine. */
public final class Machine {
  private static final double TICKS_PER_SECOND = 100;

  private Machine() {}

  /** Of the last minute. */
  public static String loadAverage() {
    try {
      return Files.readString(Path.of("/proc/loadavg")).split(" ", -1)[0];
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The kernel's release. */
  public static String kernel() {
    return System.getProperty("os.version");
  }

  /** Model and number of the processors. */
  public static String processor() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      String model =
          lines
              .filter(line -> line.startsWith("model name"))
              .map(line -> line.substring(line.indexOf(':') + 1).strip())
              .findFirst()
              .orElse("an unnamed processor");
      return Runtime.getRuntime().availableProcessors() + " of " + model;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** User and system time of all processes, in seconds. */
  static double cpuSeconds() {
    try {
      String line = Files.readAllLines(Path.of("/proc/stat")).getFirst();
      return Arrays.stream(line.split(" +", -1)).skip(1).limit(3).mapToLong(Long::parseLong).sum()
          / TICKS_PER_SECOND;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** CPU time of a process so far, in seconds. */
  public static double cpuSeconds(long pid) {
    String text = read(pid, "stat");
    // The command name, field 2, is in brackets and may itself hold spaces.
    String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
  }

  /** The most memory that a process has had resident since it started, in MiB. */
  public static double peakMebibytes(long pid) {
    return read(pid, "status")
        .lines()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
        .sum();
  }

  private static String read(long pid, String file) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), file));
    } catch (IOException e) {
      throw new LabException("process " + pid + " has ended", e);
    }
  }
}

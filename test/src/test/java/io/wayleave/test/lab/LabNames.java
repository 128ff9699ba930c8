package io.wayleave.test.lab;

import java.util.concurrent.atomic.AtomicInteger;

/** Names for the labs of tests: no two runs on one machine have the same. */
final class LabNames {
  private static final AtomicInteger COUNTER = new AtomicInteger();

  private LabNames() {}

  static String next() {
    return "wlt" + ProcessHandle.current().pid() + "n" + COUNTER.incrementAndGet();
  }
}

package io.wayleave.ctl;

import java.time.Duration;

/** The rest between two looks of a command that goes on looking. */
final class Pause {
  private Pause() {}

  /**
   * Rests.
   *
   * @return whether to look again; false when this thread was interrupted, which it stays
   */
  static boolean of(Duration rest) {
    try {
      Thread.sleep(rest);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}

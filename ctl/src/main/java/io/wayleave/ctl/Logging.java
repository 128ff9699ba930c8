package io.wayleave.ctl;

import java.util.logging.ConsoleHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What the datastore's libraries log is of use to somebody who debugs netctl; to everybody else a
 * failure is told in one line, so they are silent unless asked. Either way nothing reaches standard
 * output.
 */
final class Logging {
  // java.util.logging forgets the level of a logger that nobody holds.
  private static final Logger ROOT = Logger.getLogger("");
  private static final Logger OURS = Logger.getLogger("io.wayleave");

  private Logging() {}

  /** Sets up the logging of this process. */
  static void install(boolean debug) {
    for (Handler handler : ROOT.getHandlers()) {
      ROOT.removeHandler(handler);
    }
    ROOT.setLevel(debug ? Level.INFO : Level.OFF);
    OURS.setLevel(debug ? Level.FINE : Level.OFF);
    if (debug) {
      Handler handler = new ConsoleHandler(); // standard error
      handler.setLevel(Level.ALL);
      ROOT.addHandler(handler);
    }
  }
}

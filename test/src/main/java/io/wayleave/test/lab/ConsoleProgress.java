package io.wayleave.test.lab;

import java.io.PrintStream;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Progress on a terminal or in a log. Both get a line with a tick or a cross and the time when a
 * step ends; a terminal also has a line at the bottom with the steps that are under way.
 */
final class ConsoleProgress implements Progress {
  private static final int WIDTH = 100;

  private final PrintStream out;
  private final boolean live;
  private final Set<String> active = new LinkedHashSet<>();

  /**
   * @param live whether the output understands cursor movements
   */
  ConsoleProgress(PrintStream out, boolean live) {
    this.out = out;
    this.live = live;
  }

  /** On the process's output, live when that is a terminal. */
  static ConsoleProgress standard() {
    return new ConsoleProgress(Terminal.OUTPUT, Terminal.isOutput());
  }

  @Override
  public <T> T step(String what, Supplier<T> work) {
    long begin = System.nanoTime();
    begun(what);
    boolean succeeded = false;
    try {
      T result = work.get();
      succeeded = true;
      return result;
    } finally {
      ended(what, succeeded, (System.nanoTime() - begin) / 1e9);
    }
  }

  private synchronized void begun(String what) {
    active.add(what);
    redraw();
  }

  private synchronized void ended(String what, boolean succeeded, double seconds) {
    active.remove(what);
    clear();
    out.println(String.format(Locale.ROOT, "%s %5.1f s  %s", succeeded ? "✓" : "✗", seconds, what));
    redraw();
  }

  private void redraw() {
    if (live && !active.isEmpty()) {
      clear();
      String line = "… " + String.join(", ", active);
      out.print(line.length() > WIDTH ? line.substring(0, WIDTH - 1) + "…" : line);
    }
    out.flush();
  }

  /** Empties the bottom line. */
  private void clear() {
    if (live) {
      out.print("\r\u001b[K");
    }
  }
}

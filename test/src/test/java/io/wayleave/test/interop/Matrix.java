package io.wayleave.test.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the cells showed: a file for each in the module's {@code target/interop}, so that a run of
 * some cells leaves what others showed before. Safe from any thread.
 */
final class Matrix {
  /** One place in the table. */
  record Place(DaemonKind daemon, Feature feature) {
    @Override
    public String toString() {
      return daemon.title() + ", " + feature.title();
    }
  }

  private static final Path FOLDER = Path.of("target", "interop");
  private static final AtomicBoolean RAN = new AtomicBoolean();

  private Matrix() {}

  private static Path file(Place place) {
    return FOLDER.resolve(place.daemon().name() + "." + place.feature().name());
  }

  /** A cell begins: what it showed before counts no longer. */
  static void begin(Place place) {
    RAN.set(true);
    try {
      Files.deleteIfExists(file(place));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void record(Place place, Verdict verdict) {
    try {
      Files.createDirectories(FOLDER);
      Files.writeString(file(place), verdict.support().name() + "\n" + verdict.note());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Optional<Verdict> verdict(Place place) {
    if (!Files.exists(file(place))) {
      return Optional.empty();
    }
    try {
      String[] lines = Files.readString(file(place)).split("\n", 2);
      return Optional.of(new Verdict(Verdict.Support.valueOf(lines[0]), lines[1]));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a cell ran in this process. */
  static boolean ran() {
    return RAN.get();
  }

  /** The page {@code docs/interop.md}. */
  static String markdown() {
    StringBuilder text =
        new StringBuilder(
            """
            # Interoperation

            Each cell is a test against the real daemon (`InteropTest`): the daemon is asked by its own command
            line, and Wayleave's speaker, `bin/wayleave-bgp`, by `netctl bgp`; the cell passes only if the two
            agree on state, capabilities, routes with attributes, and reasons. In the cells about graceful restart
            the speaker runs in a program of the test's with the same file, which also writes down what the owner
            of its routes is told, as an agent would. *Unsupported* cells are tests too: they show how the daemon refuses. `./dev test` runs a cell
            of each row, `./dev test --full` all. This page is written from what the tests say; when they say
            something else, `InteropTableTest` fails and leaves the page as it must be in `test/target/interop.md`.

            |\
            """);
    for (DaemonKind daemon : DaemonKind.values()) {
      text.append(" | ").append(daemon.title()).append(' ').append(daemon.version());
    }
    text.append(" |\n| ---");
    text.append(" | ---".repeat(DaemonKind.values().length)).append(" |\n");
    StringBuilder notes = new StringBuilder();
    int count = 0;
    for (Feature feature : Feature.values()) {
      text.append("| ").append(feature.title()).append(" (").append(feature.source()).append(")");
      for (DaemonKind daemon : DaemonKind.values()) {
        Optional<Verdict> verdict = verdict(new Place(daemon, feature));
        text.append(" | ").append(verdict.map(v -> v.support().text()).orElse("failed"));
        String note = verdict.map(Verdict::note).orElse("");
        if (!note.isEmpty()) {
          count++;
          text.append(" [").append(count).append(']');
          notes.append(count).append(". ").append(daemon.title()).append(", ");
          notes.append(feature.title()).append(": ").append(note).append('\n');
        }
      }
      text.append(" |\n");
    }
    return text.append("\n## Notes\n\n").append(notes).toString();
  }
}

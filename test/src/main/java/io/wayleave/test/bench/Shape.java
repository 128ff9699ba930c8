package io.wayleave.test.bench;

import io.wayleave.model.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How many peers send how much to how many. Everything is exported to every peer; a sender is told
 * what the others send, too.
 */
enum Shape {
  /** A table to many peers: the cost of fan-out. */
  A(1, 50, 100_000, 2_000),
  /** Many peers with some routes each: every one of them is told 100,000 routes. */
  B(200, 2, 500, 1),
  /** A rack's worth of hosts and a fabric that hears them. */
  C(100, 100, 100, 1),
  /** A full table from one peer to another: the cost of a route. */
  D(1, 1, 1_000_000, 20_000);

  private final int senders;
  private final int receivers;
  private final int prefixes;
  private final int attributeSets;

  /**
   * @param prefixes of each sender
   * @param attributeSets of each sender; its prefixes are divided among them
   */
  Shape(int senders, int receivers, int prefixes, int attributeSets) {
    this.senders = senders;
    this.receivers = receivers;
    this.prefixes = prefixes;
    this.attributeSets = attributeSets;
  }

  /**
   * How much of it, at a scale of 1 or less: with one sender, of fewer prefixes; else with fewer
   * peers.
   */
  Size size(double scale) {
    if (!(scale > 0 && scale <= 1)) {
      throw new InvalidInputException("--scale", Double.toString(scale), "above 0 and up to 1");
    }
    if (senders == 1) {
      return new Size(1, receivers, scaled(prefixes, scale), scaled(attributeSets, scale));
    }
    return new Size(
        Math.max(2, scaled(senders, scale)),
        receivers < 10 ? receivers : Math.max(2, scaled(receivers, scale)),
        prefixes,
        attributeSets);
  }

  private static int scaled(int number, double scale) {
    return Math.max(1, (int) Math.round(number * scale));
  }

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Shape parse(String text) {
    return Arrays.stream(values())
        .filter(shape -> shape.label().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "--shape",
                    text,
                    Arrays.stream(values()).map(Shape::label).collect(Collectors.joining(", "))));
  }

  /**
   * @param prefixes of each sender
   * @param attributeSets of each sender
   */
  record Size(int senders, int receivers, int prefixes, int attributeSets) {
    int peers() {
      return senders + receivers;
    }

    int routes() {
      return senders * prefixes;
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%,d → %,d, %,d prefixes%s, %,d attribute sets%s",
          senders,
          receivers,
          prefixes,
          senders == 1 ? "" : " each",
          attributeSets,
          senders == 1 ? "" : " each");
    }
  }
}

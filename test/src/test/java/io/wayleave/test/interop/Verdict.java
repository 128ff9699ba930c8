package io.wayleave.test.interop;

/**
 * What a cell showed.
 *
 * @param support what goes into the table
 * @param note the setting that it takes, what is missing, or the daemon's own words of refusal; may
 *     be empty
 */
record Verdict(Support support, String note) {
  /** How much of a feature there is between the two. */
  enum Support {
    YES("yes"),
    PARTLY("partly"),
    UNSUPPORTED("unsupported");

    private final String text;

    Support(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  static final Verdict YES = new Verdict(Support.YES, "");

  static Verdict yes(String note) {
    return new Verdict(Support.YES, note);
  }

  static Verdict partly(String note) {
    return new Verdict(Support.PARTLY, note);
  }

  static Verdict unsupported(String refusal) {
    return new Verdict(Support.UNSUPPORTED, refusal);
  }
}

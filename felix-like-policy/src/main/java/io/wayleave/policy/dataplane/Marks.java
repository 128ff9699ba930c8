package io.wayleave.policy.dataplane;

/**
 * The three bits of the packet mark and the one of the connection mark that our rules use, as
 * {@code value/mask}. Nobody else may use them: what a packet comes with is cleared before it is
 * read.
 */
final class Marks {
  /** Policy of the endpoint at hand allows the packet. */
  static final String ALLOWED = "0x10000/0x10000";

  /** The rest of the tier at hand is not asked. */
  static final String PASSED = "0x20000/0x20000";

  static final String NOT_PASSED = "0x0/0x20000";
  static final String UNDECIDED = "0x0/0x30000";

  /** One list of the rule at hand has the packet; the rules below look for it in the other. */
  static final String LISTED = "0x40000/0x40000";

  static final String NOT_LISTED = "0x0/0x40000";

  /**
   * The bit of the connection mark of an established flow that policy forbids now. It is none of
   * those above: a program that saves the packet mark in the connection mark must not end flows.
   */
  static final int FORBIDDEN = 0x8000000;

  private Marks() {}

  /** The target that gives a packet these bits. */
  static String set(String mark) {
    return "-j MARK --set-xmark " + mark;
  }

  /** The match of packets of flows that are {@link #FORBIDDEN}, in both directions. */
  static String ofForbiddenFlow() {
    return "-m connmark --mark 0x%1$x/0x%1$x".formatted(FORBIDDEN);
  }

  /** The match of packets with these bits. */
  static String has(String mark) {
    return "-m mark --mark " + mark;
  }
}

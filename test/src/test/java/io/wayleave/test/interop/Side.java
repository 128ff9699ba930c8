package io.wayleave.test.interop;

/** The two ends of a {@link Link}, and where each is. */
enum Side {
  OURS("10.77.0.1", "fd77::1"),
  THEIRS("10.77.0.2", "fd77::2");

  private final String ipv4;
  private final String ipv6;

  Side(String ipv4, String ipv6) {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
  }

  String ipv4() {
    return ipv4;
  }

  String ipv6() {
    return ipv6;
  }

  Side other() {
    return this == OURS ? THEIRS : OURS;
  }
}

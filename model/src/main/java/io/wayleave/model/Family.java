package io.wayleave.model;

/** An IP address family. */
public enum Family {
  IPV4("IPv4", 32),
  IPV6("IPv6", 128);

  private final String title;
  private final int bits;

  Family(String title, int bits) {
    this.title = title;
    this.bits = bits;
  }

  /** As people write it, such as {@code IPv4}. */
  public String title() {
    return title;
  }

  /** Length of an address in bits. */
  public int bits() {
    return bits;
  }

  /** Length of an address in bytes. */
  public int bytes() {
    return bits / 8;
  }
}

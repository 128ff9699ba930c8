package io.wayleave.bgp.wire;

/** An extended community of RFC 4360: 64 bits, not interpreted here beyond its text. */
public record ExtendedCommunity(long bits) {
  /** Type and subtype of the two that people write: route target and route origin. */
  @Override
  public String toString() {
    int type = (int) (bits >>> 56) & 0xff;
    int subtype = (int) (bits >>> 48) & 0xff;
    String kind =
        switch (subtype) {
          case 2 -> "rt:";
          case 3 -> "ro:";
          default -> "";
        };
    if (!kind.isEmpty() && type == 0) {
      return kind + (bits >>> 32 & 0xffff) + ":" + (bits & 0xffff_ffffL);
    }
    if (!kind.isEmpty() && type == 2) {
      return kind + (bits >>> 16 & 0xffff_ffffL) + ":" + (bits & 0xffff);
    }
    return String.format("0x%016x", bits);
  }
}

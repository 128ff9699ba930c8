package io.wayleave.bgp.wire;

/** A large community of RFC 8092: three unsigned 32-bit numbers. */
public record LargeCommunity(long globalAdministrator, long localData1, long localData2) {
  public LargeCommunity {
    check(globalAdministrator);
    check(localData1);
    check(localData2);
  }

  private static void check(long part) {
    if (part < 0 || part > 0xffff_ffffL) {
      throw new IllegalArgumentException(
          "part " + part + " of a large community is out of range: 0 to 4294967295");
    }
  }

  @Override
  public String toString() {
    return globalAdministrator + ":" + localData1 + ":" + localData2;
  }
}

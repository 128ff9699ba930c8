package io.wayleave.test.interop;

/** What daemons say of a setting that they do not have, in their own words. */
final class Refusals {
  private Refusals() {}

  private static Setup setup() {
    return Setup.of(Side.THEIRS, false, 65002, 65001);
  }

  /** With a line more in the neighbour's section. */
  static Verdict openbgpd(OpenBgpd openbgpd, String line) {
    String file =
        openbgpd.configuration(setup()).replace(" remote-as", " " + line + "\n remote-as");
    return cite(openbgpd.check(file), "syntax error", line);
  }

  /** With a statement more in the neighbour's section. */
  static Verdict exabgp(ExaBgp exabgp, String statement) {
    String file = exabgp.configuration(setup()).replace("peer-as", statement + "\npeer-as");
    return cite(exabgp.check(file), "invalid keyword", statement);
  }

  /** With another neighbour. */
  static Verdict exabgpNeighbor(ExaBgp exabgp, String neighbor) {
    String file =
        exabgp
            .configuration(setup())
            .replaceFirst("neighbor [0-9.]+ ", "neighbor " + neighbor + " ");
    return cite(exabgp.check(file), "is an invalid IP address", "neighbor " + neighbor);
  }

  /** With a key more in the neighbour. */
  static Verdict gobgp(GoBgp gobgp, String key) {
    String file =
        GoBgp.configuration(setup())
            .replace("    afi-safis:\n", "    " + key + "\n    afi-safis:\n");
    return cite(gobgp.check(file), "has invalid keys", key);
  }

  private static Verdict cite(String answer, String expected, String setting) {
    return Verdict.unsupported(
        "of `"
            + setting
            + "` it says `"
            + answer
                .lines()
                .filter(line -> line.contains(expected))
                .findFirst()
                .map(line -> line.substring(line.indexOf(expected)).replaceAll("\".*", ""))
                .orElseThrow(() -> new AssertionError("no refusal: " + answer))
            + "`");
  }
}

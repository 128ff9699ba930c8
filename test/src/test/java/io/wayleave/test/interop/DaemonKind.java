package io.wayleave.test.interop;

import io.wayleave.test.lab.Command;
import java.util.List;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The daemons of the matrix. */
// Method references, and a list that nobody changes.
@SuppressWarnings("ImmutableEnumChecker")
enum DaemonKind {
  BIRD("BIRD", Bird::new, List.of("bird", "--version")),
  FRR("FRR", Frr::new, List.of("/usr/lib/frr/bgpd", "--version")),
  GOBGP("GoBGP", GoBgp::new, List.of("gobgpd", "--version")),
  EXABGP("ExaBGP", ExaBgp::new, List.of("exabgp", "--version")),
  OPENBGPD("OpenBGPD", OpenBgpd::new, List.of("bgpd", "-V"));

  private static final Pattern VERSION = Pattern.compile("\\d+\\.\\d+(\\.\\d+)?");

  private final String title;
  private final BiFunction<Link, Side, Speaker> maker;
  private final List<String> version;

  DaemonKind(String title, BiFunction<Link, Side, Speaker> maker, List<String> version) {
    this.title = title;
    this.maker = maker;
    this.version = version;
  }

  String title() {
    return title;
  }

  Speaker make(Link link) {
    return maker.apply(link, Side.THEIRS);
  }

  /** The version that is installed here. */
  String version() {
    String text = Command.of(version).run().text();
    Matcher number = VERSION.matcher(text);
    if (!number.find()) {
      throw new AssertionError(title + " names no version: " + text);
    }
    return number.group();
  }
}

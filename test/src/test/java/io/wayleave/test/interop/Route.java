package io.wayleave.test.interop;

import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;

/**
 * A route with its attributes, in words that all speakers share. As a fact of a speaker's own CLI
 * it has what the CLI tells.
 *
 * @param asPath AS numbers with blanks between
 * @param origin {@code igp}, {@code egp}, {@code incomplete}
 * @param med absent where there is none, and where it is 0: some speakers show 0 for none
 * @param communities {@code 65001:100}
 * @param extended {@code rt:65001:7}
 * @param large {@code 65001:1:2}
 * @param clusters cluster ids with blanks between
 */
record Route(
    String prefix,
    String nextHop,
    String asPath,
    String origin,
    Optional<Long> med,
    Optional<Long> localPref,
    NavigableSet<String> communities,
    NavigableSet<String> extended,
    NavigableSet<String> large,
    Optional<String> originator,
    String clusters)
    implements Comparable<Route> {
  Route {
    med = med.filter(value -> value != 0);
    communities = new TreeSet<>(communities);
    extended = new TreeSet<>(extended);
    large = new TreeSet<>(large);
    clusters = clusters.strip();
    asPath = asPath.strip();
  }

  /** Without an attribute beyond the mandatory ones. */
  static Route to(String prefix) {
    return new Route(
        prefix,
        "",
        "",
        "igp",
        Optional.empty(),
        Optional.empty(),
        new TreeSet<>(),
        new TreeSet<>(),
        new TreeSet<>(),
        Optional.empty(),
        "");
  }

  boolean ipv6() {
    return prefix.contains(":");
  }

  Route nextHop(String value) {
    return new Route(
        prefix,
        value,
        asPath,
        origin,
        med,
        localPref,
        communities,
        extended,
        large,
        originator,
        clusters);
  }

  Route asPath(String value) {
    return new Route(
        prefix,
        nextHop,
        value,
        origin,
        med,
        localPref,
        communities,
        extended,
        large,
        originator,
        clusters);
  }

  Route origin(String value) {
    return new Route(
        prefix,
        nextHop,
        asPath,
        value,
        med,
        localPref,
        communities,
        extended,
        large,
        originator,
        clusters);
  }

  Route med(long value) {
    return new Route(
        prefix,
        nextHop,
        asPath,
        origin,
        Optional.of(value),
        localPref,
        communities,
        extended,
        large,
        originator,
        clusters);
  }

  Route localPref(Optional<Long> value) {
    return new Route(
        prefix,
        nextHop,
        asPath,
        origin,
        med,
        value,
        communities,
        extended,
        large,
        originator,
        clusters);
  }

  Route community(String value) {
    return new Route(
        prefix,
        nextHop,
        asPath,
        origin,
        med,
        localPref,
        plus(communities, value),
        extended,
        large,
        originator,
        clusters);
  }

  Route extended(String value) {
    return new Route(
        prefix,
        nextHop,
        asPath,
        origin,
        med,
        localPref,
        communities,
        plus(extended, value),
        large,
        originator,
        clusters);
  }

  Route large(String value) {
    return new Route(
        prefix,
        nextHop,
        asPath,
        origin,
        med,
        localPref,
        communities,
        extended,
        plus(large, value),
        originator,
        clusters);
  }

  Route reflected(String from, String by) {
    return new Route(
        prefix,
        nextHop,
        asPath,
        origin,
        med,
        localPref,
        communities,
        extended,
        large,
        from.isEmpty() ? Optional.empty() : Optional.of(from),
        by);
  }

  private static NavigableSet<String> plus(NavigableSet<String> values, String value) {
    NavigableSet<String> more = new TreeSet<>(values);
    more.add(value);
    return more;
  }

  /**
   * What the speaker that announces it is sure to show: some show the route as it is in their
   * table, before next hop, AS path and local preference are set for the peer.
   */
  Route payload() {
    return nextHop("").asPath("").origin("").localPref(Optional.empty()).reflected("", "");
  }

  /** LOCAL_PREF is not sent to an eBGP peer (RFC 4271 section 5.1.5); speakers show a default. */
  Route external() {
    return localPref(Optional.empty());
  }

  @Override
  public int compareTo(Route other) {
    return toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(prefix);
    add(text, "via", nextHop);
    add(text, "path", asPath);
    add(text, "origin", origin);
    med.ifPresent(value -> add(text, "med", value.toString()));
    localPref.ifPresent(value -> add(text, "pref", value.toString()));
    add(text, "communities", String.join(" ", communities));
    add(text, "extended", String.join(" ", extended));
    add(text, "large", String.join(" ", large));
    originator.ifPresent(value -> add(text, "originator", value));
    add(text, "clusters", clusters);
    return text.toString();
  }

  private static void add(StringBuilder text, String name, String value) {
    if (!value.isEmpty()) {
      text.append(' ').append(name).append('=').append(value.replace(' ', ','));
    }
  }
}

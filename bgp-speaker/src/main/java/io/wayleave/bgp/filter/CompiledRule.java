package io.wayleave.bgp.filter;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.RoutePolicy.Subject;
import io.wayleave.bgp.RoutePolicy.Verdict;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.LargeCommunity;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.BgpCommunity;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** One rule, made ready for being asked of every route. */
final class CompiledRule {
  private final String name;
  private final List<Condition> conditions;
  private final boolean accept;
  private final List<BgpFilter.Operation> operations;
  private final Verdict.Reject rejection;

  /** The last outcome: the routes of one UPDATE have one attributes object and come in a row. */
  private record Memo(PathAttributes attributes, Verdict.Accept outcome) {}

  // An immutable object, so whatever thread sees it sees it whole; seeing an old one costs time
  // only.
  private Memo memo;

  private CompiledRule(
      String name,
      List<Condition> conditions,
      boolean accept,
      List<BgpFilter.Operation> operations) {
    this.name = requireNonNull(name, "name is null");
    this.conditions = List.copyOf(conditions);
    this.accept = accept;
    this.operations = List.copyOf(operations);
    rejection = new Verdict.Reject(name);
  }

  /**
   * @param interfaceName interface that the peer is configured by, if it is
   */
  static CompiledRule of(String name, BgpFilter.Rule rule, Optional<String> interfaceName) {
    return new CompiledRule(
        name,
        conditions(rule, interfaceName),
        switch (rule.action()) {
          case Accept -> true;
          case Reject -> false;
        },
        rule.operations());
  }

  private static List<Condition> conditions(BgpFilter.Rule rule, Optional<String> interfaceName) {
    List<Condition> conditions = new ArrayList<>();
    // What is cheap and rules out most comes first.
    rule.interfaceName()
        .ifPresent(
            pattern -> {
              String name =
                  interfaceName.orElseThrow(
                      () ->
                          new InvalidInputException(
                              "interface", pattern, "nothing for a peer that is found by address"));
              conditions.add(new Condition.Always(glob(pattern).matcher(name).matches()));
            });
    rule.peerType()
        .ifPresent(
            type ->
                conditions.add(
                    switch (type) {
                      case eBGP -> new Condition.Session(false);
                      case iBGP -> new Condition.Session(true);
                    }));
    rule.source()
        .ifPresent(
            source ->
                conditions.add(
                    switch (source) {
                      case RemotePeers -> new Condition.FromPeers();
                    }));
    prefixCondition(rule).ifPresent(conditions::add);
    if (!rule.nextHops().isEmpty()) {
      conditions.add(new Condition.NextHopIn(rule.nextHops().stream().map(Network::of).toList()));
    }
    rule.communities()
        .ifPresent(
            wanted -> {
              Set<Community> standard = new HashSet<>();
              Set<LargeCommunity> large = new HashSet<>();
              wanted.values().forEach(value -> sort(value, standard, large));
              conditions.add(new Condition.AnyCommunity(standard, large));
            });
    if (!rule.asPathPrefix().isEmpty()) {
      conditions.add(new Condition.AsPathStart(rule.asPathPrefix()));
    }
    if (!rule.asPathContains().isEmpty()) {
      conditions.add(new Condition.AsPathContains(rule.asPathContains()));
    }
    return conditions;
  }

  private static Optional<Condition> prefixCondition(BgpFilter.Rule rule) {
    Optional<BgpFilter.PrefixLength> lengths = rule.prefixLength();
    int max = lengths.flatMap(BgpFilter.PrefixLength::max).orElse(Family.IPV6.bits());
    Optional<Integer> min = lengths.flatMap(BgpFilter.PrefixLength::min);
    if (rule.cidr().isEmpty()) {
      return lengths.map(_ -> new Condition.LengthIn(min.orElse(0), max));
    }
    Cidr cidr = rule.cidr().get();
    int from = min.orElse(cidr.prefixLength());
    return Optional.of(
        switch (rule.matchOperator().orElseThrow()) {
          case Equal -> new Condition.PrefixEqual(cidr, from, max, false);
          case NotEqual -> new Condition.PrefixEqual(cidr, from, max, true);
          case In -> new Condition.PrefixIn(Network.of(cidr), from, max, false);
          case NotIn -> new Condition.PrefixIn(Network.of(cidr), from, max, true);
        });
  }

  private static Pattern glob(String pattern) {
    StringBuilder expression = new StringBuilder();
    for (String literal : pattern.split("\\*", -1)) {
      expression.append(expression.isEmpty() ? "" : ".*").append(Pattern.quote(literal));
    }
    return Pattern.compile(expression.toString());
  }

  boolean matches(Subject subject) {
    for (int i = 0; i < conditions.size(); i++) {
      if (!conditions.get(i).holds(subject)) {
        return false;
      }
    }
    return true;
  }

  Verdict outcome(PathAttributes attributes) {
    if (!accept) {
      return rejection;
    }
    Memo last = memo;
    if (last == null || !last.attributes().equals(attributes)) {
      last = new Memo(attributes, Changes.apply(operations, attributes));
      memo = last;
    }
    return last.outcome();
  }

  private static void sort(
      BgpCommunity community, Set<Community> standard, Set<LargeCommunity> large) {
    if (community.isLarge()) {
      large.add(Changes.large(community));
    } else {
      standard.add(Changes.standard(community));
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CompiledRule that
        && name.equals(that.name)
        && conditions.equals(that.conditions)
        && accept == that.accept
        && operations.equals(that.operations);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + conditions.hashCode();
  }

  @Override
  public String toString() {
    return name + " " + conditions + (accept ? " accept " + operations : " reject");
  }
}

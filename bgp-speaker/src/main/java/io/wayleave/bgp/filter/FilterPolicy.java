package io.wayleave.bgp.filter;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.RoutePolicy;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * The rules of a peer's filters for one direction, one filter after the other: the first rule that
 * matches decides, and a route that none matches is accepted unchanged. Immutable; two that judge
 * alike by the same rules are equal.
 */
public final class FilterPolicy implements RoutePolicy {
  private final List<CompiledRule> ipv4;
  private final List<CompiledRule> ipv6;

  private FilterPolicy(List<CompiledRule> ipv4, List<CompiledRule> ipv6) {
    this.ipv4 = List.copyOf(ipv4);
    this.ipv6 = List.copyOf(ipv6);
  }

  /** A filter under the name that verdicts give. */
  public record Named(String name, BgpFilter.Spec spec) {
    public Named {
      requireNonNull(name, "name is null");
      requireNonNull(spec, "spec is null");
    }
  }

  /**
   * What the filters say of routes that come in; empty when they say nothing of them.
   *
   * @param interfaceName interface that the peer is configured by, if it is
   * @throws InvalidInputException when a rule asks for what is not known of this peer
   */
  public static Optional<RoutePolicy> ofImport(
      List<Named> filters, Optional<String> interfaceName) {
    return of(
        rules(filters, "importV4", BgpFilter.Spec::importV4, interfaceName),
        rules(filters, "importV6", BgpFilter.Spec::importV6, interfaceName));
  }

  /** What the filters say of routes that go out; empty when they say nothing of them. */
  public static Optional<RoutePolicy> ofExport(List<Named> filters) {
    return of(
        rules(filters, "exportV4", BgpFilter.Spec::exportV4, Optional.empty()),
        rules(filters, "exportV6", BgpFilter.Spec::exportV6, Optional.empty()));
  }

  private static Optional<RoutePolicy> of(List<CompiledRule> ipv4, List<CompiledRule> ipv6) {
    return ipv4.isEmpty() && ipv6.isEmpty()
        ? Optional.empty()
        : Optional.of(new FilterPolicy(ipv4, ipv6));
  }

  private static List<CompiledRule> rules(
      List<Named> filters,
      String field,
      Function<BgpFilter.Spec, List<BgpFilter.Rule>> direction,
      Optional<String> interfaceName) {
    List<CompiledRule> compiled = new ArrayList<>();
    for (Named filter : filters) {
      List<BgpFilter.Rule> rules = direction.apply(filter.spec());
      for (int i = 0; i < rules.size(); i++) {
        String rule = field + "[" + i + "]";
        try {
          compiled.add(
              CompiledRule.of(
                  "filter \"" + filter.name() + "\", " + rule, rules.get(i), interfaceName));
        } catch (InvalidInputException e) {
          throw e.within(rule).within("filter " + filter.name());
        }
      }
    }
    return compiled;
  }

  @Override
  public Verdict judge(Subject subject) {
    List<CompiledRule> rules =
        switch (subject.prefix().family()) {
          case IPV4 -> ipv4;
          case IPV6 -> ipv6;
        };
    for (CompiledRule rule : rules) {
      if (rule.matches(subject)) {
        return rule.outcome(subject.attributes());
      }
    }
    return new Verdict.Accept(subject.attributes(), OptionalInt.empty());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FilterPolicy that && ipv4.equals(that.ipv4) && ipv6.equals(that.ipv6);
  }

  @Override
  public int hashCode() {
    return 31 * ipv4.hashCode() + ipv6.hashCode();
  }

  @Override
  public String toString() {
    return "FilterPolicy[" + ipv4 + ", " + ipv6 + "]";
  }
}

package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.status.CounterReport;
import io.wayleave.model.status.CounterReport.Count;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.CountedTable.Rule;
import io.wayleave.policy.dataplane.PolicyRenderer.Rendering;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which packets the kernel counts for which rule of which policy. A rule of the kernel is known by
 * its chain and its place in it, so the chain must be as it was written; one that has another
 * number of rules, or rules that do something else, is reported and not counted.
 *
 * <p>It is a picture of the rules at one moment: {@link #read} may be called on any thread, and its
 * answer is true if an equal picture can be taken afterwards.
 */
public final class RuleCounters {
  /** The chains that deny the packets of flows that policy forbids since they are established. */
  private static final Set<String> FORBIDDEN_FLOWS_END =
      Set.of(ChainNames.FORWARD, ChainNames.WORKLOAD_TO_HOST, ChainNames.HOST_TO_WORKLOAD);

  private static final String ESTABLISHED_FLOW = "established flow";

  private final CommandRunner runner;
  private final IptablesBackend backend;
  private final Set<Family> families;
  private final List<CountedChain> chains;
  private final Map<RuleBlock.Id, String> tiers;

  RuleCounters(
      CommandRunner runner,
      IptablesBackend backend,
      Set<Family> families,
      List<CountedChain> chains,
      Map<RuleBlock.Id, String> tiers) {
    this.runner = requireNonNull(runner, "runner is null");
    this.backend = requireNonNull(backend, "backend is null");
    this.families = EnumSet.copyOf(families);
    this.chains =
        chains.stream()
            .sorted(
                Comparator.comparing((CountedChain chain) -> chain.block().id().kind())
                    .thenComparing(chain -> chain.block().id().id())
                    .thenComparing(CountedChain::direction)
                    .thenComparing(CountedChain::family))
            .toList();
    this.tiers = Map.copyOf(tiers);
  }

  /** A block in one direction. */
  private record Direct(RuleBlock block, Direction direction) {}

  /** What is decided without a rule of a policy. */
  private record Reason(boolean host, String direction, String why, String action) {}

  /**
   * Asks the kernel. Blocks.
   *
   * @param node whose name the report has
   * @throws DataplaneException when a table cannot be read
   */
  public CounterReport read(String node) {
    Map<Family, CountedTable> tables = new EnumMap<>(Family.class);
    families.forEach(
        family ->
            tables.put(
                family,
                CountedTable.parse(runner.output(backend.saveWithCountersCommand(family)))));
    return report(node, tables);
  }

  /** The same of what was read. */
  CounterReport report(String node, Map<Family, CountedTable> tables) {
    List<String> problems = new ArrayList<>();
    Map<Direct, Map<Family, Map<Integer, Count>>> counts = new HashMap<>();
    for (CountedChain chain : chains) {
      Map<Family, Map<Integer, Count>> byFamily =
          counts.computeIfAbsent(
              new Direct(chain.block(), chain.direction()), _ -> new EnumMap<>(Family.class));
      count(chain, tables.get(chain.family()), problems)
          .ifPresent(byRule -> byFamily.put(chain.family(), byRule));
    }
    List<CounterReport.Policy> policies =
        chains.stream()
            .map(chain -> new Direct(chain.block(), chain.direction()))
            .distinct()
            .map(direct -> policy(direct, counts.get(direct)))
            .toList();
    return new CounterReport(node, policies, others(tables), problems);
  }

  private static CounterReport.Policy policy(
      Direct direct, Map<Family, Map<Integer, Count>> counts) {
    String direction = direct.direction().name();
    List<PolicyRule> written = direct.block().rules(direct.direction());
    List<CounterReport.Rule> rules = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      rules.add(
          new CounterReport.Rule(
              i + 1,
              "spec."
                  + (direct.direction() == Direction.Ingress ? "ingress[" : "egress[")
                  + i
                  + "]",
              written.get(i).action().name(),
              of(counts, Family.IPV4, i),
              of(counts, Family.IPV6, i)));
    }
    return new CounterReport.Policy(direct.block().id().toString(), direction, rules);
  }

  private static <K> Optional<Count> of(Map<Family, Map<K, Count>> counts, Family family, K what) {
    return Optional.ofNullable(counts.getOrDefault(family, Map.of()).get(what));
  }

  /** The packets of each of the block's rules that can have some; empty when that is not known. */
  private static Optional<Map<Integer, Count>> count(
      CountedChain chain, CountedTable table, List<String> problems) {
    String subject =
        chain.block().id() + ", " + chain.direction() + ", " + chain.family().title() + ": ";
    List<Rule> rules = table.chains().getOrDefault(chain.name(), List.of());
    if (chain.closed().isPresent()) {
      Count denied = rules.stream().map(Rule::count).reduce(Count.NONE, Count::plus);
      problems.add(
          subject
              + "it is closed and denied "
              + denied.packets()
              + " packets of "
              + denied.bytes()
              + " bytes: "
              + chain.closed().get());
      return Optional.empty();
    }
    if (!isAsWritten(chain, rules)) {
      problems.add(
          subject
              + "the kernel's chain "
              + chain.name()
              + " is not as it was written; the agent repairs it, try again");
      return Optional.empty();
    }
    Map<Integer, Count> byRule = new HashMap<>();
    for (int i = 0; i < rules.size(); i++) {
      int rule = chain.actsFor().get(i);
      if (rule != Rendering.HELPER) {
        byRule.merge(rule, rules.get(i).count(), Count::plus);
      }
    }
    return Optional.of(byRule);
  }

  private static boolean isAsWritten(CountedChain chain, List<Rule> rules) {
    if (rules.size() != chain.actsFor().size()) {
      return false;
    }
    List<PolicyRule> written = chain.block().rules(chain.direction());
    for (int i = 0; i < rules.size(); i++) {
      int rule = chain.actsFor().get(i);
      String target =
          rule == Rendering.HELPER ? "-j MARK" : PolicyRenderer.target(written.get(rule).action());
      if (!(" " + rules.get(i).text() + " ").contains(" " + target + " ")) {
        return false;
      }
    }
    return true;
  }

  /**
   * What the chains of endpoints decide by themselves. Endpoints that the same policies govern
   * share such a chain, and which of them a packet was for, nobody counts.
   */
  private List<CounterReport.Other> others(Map<Family, CountedTable> tables) {
    Map<String, RuleBlock.Id> blocks = new HashMap<>();
    chains.forEach(chain -> blocks.put(chain.name(), chain.block().id()));
    Map<Family, Map<Reason, Count>> counts = new EnumMap<>(Family.class);
    Map<String, Reason> reasons = new TreeMap<>();
    tables.forEach(
        (family, table) ->
            table
                .chains()
                .forEach(
                    (name, rules) ->
                        ChainNames.decides(name)
                            .map(decides -> othersOf(decides, rules, blocks))
                            .orElseGet(() -> elsewhere(name, rules))
                            .forEach(
                                (reason, count) -> {
                                  reasons.put(reason.toString(), reason);
                                  counts
                                      .computeIfAbsent(family, _ -> new HashMap<>())
                                      .merge(reason, count, Count::plus);
                                })));
    return reasons.values().stream()
        .map(
            reason ->
                new CounterReport.Other(
                    reason.host() ? "host" : "workload",
                    reason.direction(),
                    reason.why(),
                    reason.action(),
                    of(counts, Family.IPV4, reason),
                    of(counts, Family.IPV6, reason)))
        .toList();
  }

  /** See {@link FrameRenderer} for what such a chain has. */
  private Map<Reason, Count> othersOf(
      ChainNames.Decides decides, List<Rule> rules, Map<String, RuleBlock.Id> blocks) {
    Map<Reason, Count> counts = new HashMap<>();
    String deny = "-g " + ChainNames.DENY;
    String tier = "";
    for (Rule rule : rules) {
      String text = rule.text();
      String target = text.substring(text.lastIndexOf(' ') + 1);
      RuleBlock.Id asked = blocks.get(target);
      if (asked != null && asked.kind() != Kind.PROFILE) {
        tier = tiers.getOrDefault(asked, PolicyCalculator.UNREADABLE);
      } else if (isOfEstablished(text)) {
        merge(counts, decides, ESTABLISHED_FLOW, "Allow", rule);
      } else if (text.contains("--ctstate") && text.contains("INVALID")) {
        merge(counts, decides, "invalid to connection tracking", "Deny", rule);
      } else if (text.equals(deny)) {
        merge(counts, decides, "no profile allows it", "Deny", rule);
      } else if (text.endsWith(" " + deny)) {
        merge(counts, decides, "default action of tier " + tier, "Deny", rule);
      } else if (text.startsWith(Marks.has(Marks.PASSED))) {
        merge(counts, decides, "no policy decides, and there is no profile", "Allow", rule);
      }
    }
    return counts;
  }

  private static boolean isOfEstablished(String rule) {
    return rule.contains("--ctstate") && rule.contains("ESTABLISHED");
  }

  /**
   * What is decided in front of the chains that all packets of containers pass, or in the trees:
   * {@link FrameRenderer}. Of most established flows it is all.
   */
  private static Map<Reason, Count> elsewhere(String chain, List<Rule> rules) {
    Map<Reason, Count> counts = new HashMap<>();
    for (Rule rule : rules) {
      if (FORBIDDEN_FLOWS_END.contains(chain) && rule.text().startsWith(Marks.ofForbiddenFlow())) {
        counts.merge(
            new Reason(false, "both", "established flow that is forbidden now", "Deny"),
            rule.count(),
            Count::plus);
      } else if (isOfEstablished(rule.text())) {
        passedBy(chain, rule.text())
            .forEach(
                direction ->
                    counts.merge(
                        new Reason(false, direction.name(), ESTABLISHED_FLOW, "Allow"),
                        rule.count(),
                        Count::plus));
      }
    }
    return counts;
  }

  /** The directions in which a rule of one of these chains lets established flows pass. */
  private static Set<Direction> passedBy(String chain, String rule) {
    if (chain.startsWith(ChainNames.FROM_TREE)) {
      return EnumSet.of(Direction.Egress);
    }
    if (chain.startsWith(ChainNames.TO_TREE)) {
      return EnumSet.of(Direction.Ingress);
    }
    Set<Direction> passed = EnumSet.noneOf(Direction.class);
    if (chain.equals(ChainNames.FORWARD) || chain.equals(ChainNames.WORKLOAD_TO_HOST)) {
      for (Direction direction : Direction.values()) {
        if (FrameRenderer.passesEstablished(rule, direction)) {
          passed.add(direction);
        }
      }
    }
    return passed;
  }

  private static void merge(
      Map<Reason, Count> counts, ChainNames.Decides decides, String why, String action, Rule rule) {
    counts.merge(
        new Reason(decides.host(), decides.direction().name(), why, action),
        rule.count(),
        Count::plus);
  }

  /** Equal when the same rules are asked for in the same way. */
  @Override
  public boolean equals(Object other) {
    return other instanceof RuleCounters that
        && runner.equals(that.runner)
        && backend == that.backend
        && families.equals(that.families)
        && chains.equals(that.chains)
        && tiers.equals(that.tiers);
  }

  @Override
  public int hashCode() {
    return chains.hashCode();
  }
}

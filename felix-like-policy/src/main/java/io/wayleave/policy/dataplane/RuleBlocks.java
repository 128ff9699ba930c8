package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.PolicyRenderer.Rendering;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The chains of the blocks of rules, and the sets of the networks that they list. A block with a
 * set that the kernel refuses is closed: it denies everything that it is asked, as one does whose
 * rules the kernel refuses ({@link TableDriver}).
 *
 * <p>NOT thread safe.
 */
final class RuleBlocks {
  private static final List<String> DENY_ALL = List.of("-j DROP");

  /** A rendering, and the table that it goes to. */
  private record Placed(
      RuleBlock block, Direction direction, TableDriver table, Rendering rendering) {
    Optional<String> refused(Map<String, String> refusedSets) {
      return rendering.sets().stream()
          .filter(refusedSets::containsKey)
          .sorted()
          .findFirst()
          .map(set -> "set " + set + ": " + refusedSets.get(set));
    }
  }

  private final Map<Family, TableDriver> tables;
  private final IpsetDriver ipsets;
  private final Map<RuleBlock.Id, List<Placed>> placed = new HashMap<>();

  /** How many renderings need each set of listed networks. */
  private final Map<String, Integer> listUsers = new HashMap<>();

  private Map<String, String> refusedSets = Map.of();

  RuleBlocks(Map<Family, TableDriver> tables, IpsetDriver ipsets) {
    this.tables = tables;
    this.ipsets = ipsets;
  }

  void put(RuleBlock block) {
    List<Placed> now = new ArrayList<>();
    for (Direction direction : block.types()) {
      tables.forEach(
          (family, table) ->
              now.add(
                  new Placed(
                      block, direction, table, PolicyRenderer.render(block, direction, family))));
    }
    // What the old and the new rules share must not go in between.
    now.forEach(this::useLists);
    Optional.ofNullable(placed.put(block.id(), now)).ifPresent(before -> leave(before, now));
    now.forEach(this::write);
  }

  void remove(RuleBlock.Id id) {
    Optional.ofNullable(placed.remove(id)).ifPresent(before -> leave(before, List.of()));
  }

  /**
   * Closes the blocks that refer to one of these sets, and opens those again that were closed for
   * another.
   *
   * @param refused why, by set
   */
  void closeFor(Map<String, String> refused) {
    if (!closedFor(refused)) {
      refusedSets = Map.copyOf(refused);
      placed.values().forEach(all -> all.forEach(this::write));
    }
  }

  /** Whether these sets are those that {@link #closeFor} knows. */
  boolean closedFor(Map<String, String> refused) {
    return refused.equals(refusedSets);
  }

  /** Adds the blocks that the kernel refuses, and takes their chains from what is told by chain. */
  void tellFailing(Map<TableDriver, Map<String, String>> byChain, Map<RuleBlock.Id, String> into) {
    if (refusedSets.isEmpty() && byChain.values().stream().allMatch(Map::isEmpty)) {
      return;
    }
    placed.forEach(
        (id, all) -> {
          for (Placed each : all) {
            Map<String, String> failing = byChain.get(each.table());
            Optional.ofNullable(failing.remove(each.rendering().chain().name()))
                .or(() -> each.refused(refusedSets))
                .ifPresent(why -> into.putIfAbsent(id, why));
          }
        });
  }

  /** Which rules of which chains are to be counted for which rules of blocks, in no order. */
  List<CountedChain> counted() {
    List<CountedChain> counted = new ArrayList<>();
    Map<TableDriver, Map<String, String>> failing = new HashMap<>();
    tables.values().forEach(table -> failing.put(table, table.failing()));
    for (List<Placed> all : placed.values()) {
      for (Placed each : all) {
        Chain chain = each.rendering().chain();
        counted.add(
            new CountedChain(
                each.block(),
                each.direction(),
                each.table().family(),
                chain.name(),
                each.rendering().actsFor(),
                Optional.ofNullable(failing.get(each.table()).get(chain.name()))
                    .or(() -> each.refused(refusedSets))));
      }
    }
    return counted;
  }

  private void write(Placed each) {
    Chain chain = each.rendering().chain();
    each.table()
        .put(each.refused(refusedSets).isPresent() ? Chain.policy(chain.name(), DENY_ALL) : chain);
  }

  private void useLists(Placed each) {
    each.rendering()
        .lists()
        .forEach(
            (set, nets) -> {
              if (listUsers.merge(set, 1, Integer::sum) == 1) {
                ipsets.putSet(set, IpsetType.NET, nets.getFirst().family());
                for (Cidr net : nets) {
                  ipsets.addMember(set, net);
                }
              }
            });
  }

  private void leave(List<Placed> before, List<Placed> now) {
    Set<String> kept = new HashSet<>();
    now.forEach(each -> kept.add(each.rendering().chain().name()));
    for (Placed each : before) {
      String chain = each.rendering().chain().name();
      if (!kept.contains(chain)) {
        each.table().remove(chain);
      }
      for (String set : each.rendering().lists().keySet()) {
        if (listUsers.computeIfPresent(set, (_, users) -> users == 1 ? null : users - 1) == null) {
          ipsets.removeSet(set);
        }
      }
    }
  }
}

package io.wayleave.policy.dataplane;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * From an interface to the rules of its endpoint in few steps whatever their number: a tree of
 * chains over the letters of the names, with no chain where they do not differ: the kernel follows
 * at most 16 from its own (NFT_JUMP_STACK_SIZE). What is of no endpoint is dropped. A change costs
 * the chains on the way to it.
 *
 * <p>NOT thread safe.
 */
final class DispatchTree {
  /** More interfaces than this in one chain are split by the next letter of the name. */
  private static final int WIDTH = 16;

  private static final String ROOT = ChainNames.INTERFACE_PREFIX;

  /** A chain, and the longer prefixes that have chains of their own. */
  private record Node(Chain chain, Set<String> branches) {}

  private final String rootChain;
  private final String option;
  private final NavigableMap<String, List<String>> rules = new TreeMap<>();
  private final NavigableSet<String> changed = new TreeSet<>();
  private final Map<String, Node> nodes = new HashMap<>();

  /**
   * With no interface.
   *
   * @param rootChain the chain that packets enter
   * @param option {@code -i} or {@code -o}
   */
  DispatchTree(String rootChain, String option) {
    this.rootChain = rootChain;
    this.option = option;
    changed.add(ROOT);
  }

  /**
   * Asks packets of this interface these rules, each as after {@code -i NAME}; what they do not
   * take is dropped.
   */
  void put(String interfaceName, List<String> itsRules) {
    if (!itsRules.equals(rules.put(interfaceName, itsRules))) {
      changed.add(interfaceName);
    }
  }

  void remove(String interfaceName) {
    if (rules.remove(interfaceName) != null) {
      changed.add(interfaceName);
    }
  }

  /** Tells which chains are new or have changed, and which are no longer wanted. */
  void flush(Consumer<Chain> put, Consumer<String> remove) {
    if (!changed.isEmpty()) {
      refresh(ROOT, put, remove);
      changed.clear();
    }
  }

  private void refresh(String prefix, Consumer<Chain> put, Consumer<String> remove) {
    Node now = render(prefix);
    Node before = nodes.put(prefix, now);
    if (before == null || !before.chain().equals(now.chain())) {
      put.accept(now.chain());
    }
    if (before != null) {
      before.branches().stream()
          .filter(branch -> !now.branches().contains(branch))
          .forEach(branch -> drop(branch, remove));
    }
    for (String branch : now.branches()) {
      if (!nodes.containsKey(branch) || hasChanged(branch)) {
        refresh(branch, put, remove);
      }
    }
  }

  private boolean hasChanged(String prefix) {
    String first = changed.ceiling(prefix);
    return first != null && first.startsWith(prefix);
  }

  private void drop(String prefix, Consumer<String> remove) {
    Node gone = nodes.remove(prefix);
    remove.accept(gone.chain().name());
    gone.branches().forEach(branch -> drop(branch, remove));
  }

  private Node render(String prefix) {
    SortedMap<String, List<String>> below = rules.subMap(prefix, prefix + Character.MAX_VALUE);
    List<String> chain = new ArrayList<>();
    Set<String> branches = new HashSet<>();
    if (below.size() <= WIDTH) {
      below.forEach(
          (name, its) -> its.forEach(rule -> chain.add(option + " " + name + " " + rule)));
    } else {
      SortedMap<String, List<String>> byNextLetter = new TreeMap<>();
      for (String name : below.keySet()) {
        String longer = name.substring(0, Math.min(name.length(), prefix.length() + 1));
        byNextLetter.computeIfAbsent(longer, _ -> new ArrayList<>()).add(name);
      }
      byNextLetter.forEach(
          (_, names) -> {
            if (names.size() > 1) {
              // In order, so what the first and the last share is what all share.
              String longer = commonPrefix(names.getFirst(), names.getLast());
              branches.add(longer);
              chain.add(option + " " + longer + "+ -g " + chainOf(longer));
            } else {
              String name = names.getFirst();
              below.get(name).forEach(rule -> chain.add(option + " " + name + " " + rule));
            }
          });
    }
    chain.add("-j DROP");
    return new Node(Chain.structure(chainOf(prefix), chain), branches);
  }

  private static String commonPrefix(String one, String other) {
    int length = 0;
    while (length < one.length()
        && length < other.length()
        && one.charAt(length) == other.charAt(length)) {
      length++;
    }
    return one.substring(0, length);
  }

  private String chainOf(String prefix) {
    return prefix.equals(ROOT) ? rootChain : rootChain + "-" + prefix.substring(ROOT.length());
  }
}

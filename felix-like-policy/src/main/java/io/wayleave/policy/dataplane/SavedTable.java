package io.wayleave.policy.dataplane;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The filter table as iptables-save prints it.
 *
 * @param chains rules by chain, each as after {@code -A CHAIN}, chains without rules included
 */
record SavedTable(Map<String, List<String>> chains) {
  private static final Pattern HASH =
      Pattern.compile("--comment \"?wl:([A-Za-z0-9_-]+)\"?|" + IptablesBackend.CARRYING_MARK);

  static SavedTable parse(String text) {
    Map<String, List<String>> chains = new LinkedHashMap<>();
    for (String line : (Iterable<String>) text.lines()::iterator) {
      if (line.startsWith(":")) {
        chains.put(line.substring(1, line.indexOf(' ')), new ArrayList<>());
      } else if (line.startsWith("-A ")) {
        int end = line.indexOf(' ', 3);
        String chain = end < 0 ? line.substring(3) : line.substring(3, end);
        String rule = end < 0 ? "" : line.substring(end + 1);
        chains.computeIfAbsent(chain, _ -> new ArrayList<>()).add(rule);
      }
    }
    return new SavedTable(chains);
  }

  /**
   * What our chains' rules carry of their hashes ({@link IptablesBackend#carried}); a rule without
   * it, which others inserted, has "".
   */
  Map<String, List<String>> ourChains() {
    Map<String, List<String>> ours = new LinkedHashMap<>();
    chains.forEach(
        (name, rules) -> {
          if (ChainNames.isOurs(name)) {
            ours.put(name, rules.stream().map(SavedTable::hashOf).toList());
          }
        });
    return ours;
  }

  List<String> rules(String chain) {
    return chains.getOrDefault(chain, List.of());
  }

  int ruleCount() {
    return chains.values().stream().mapToInt(List::size).sum();
  }

  private static String hashOf(String rule) {
    Matcher matcher = HASH.matcher(rule);
    if (!matcher.find()) {
      return "";
    }
    return matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
  }
}

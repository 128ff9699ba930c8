package io.wayleave.policy.dataplane;

import io.wayleave.model.status.CounterReport.Count;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Our chains of the filter table as iptables-save prints them with counters.
 *
 * @param chains rules by chain, chains without rules included
 */
record CountedTable(Map<String, List<Rule>> chains) {
  private static final Pattern RULE = Pattern.compile("\\[([0-9]+):([0-9]+)] -A (\\S+) ?(.*)");
  private static final Pattern HASH =
      Pattern.compile(
          "-m comment --comment (\"([^\"\\\\]|\\\\.)*\"|\\S+) ?|" + IptablesBackend.CARRYING_MARK);

  /**
   * One rule.
   *
   * @param text as the kernel has it, as after {@code -A CHAIN}, without what carries its hash
   */
  record Rule(Count count, String text) {}

  static CountedTable parse(String saved) {
    Map<String, List<Rule>> chains = new LinkedHashMap<>();
    saved
        .lines()
        .forEach(
            line -> {
              Matcher rule = RULE.matcher(line);
              if (rule.matches() && ChainNames.isOurs(rule.group(3))) {
                chains
                    .computeIfAbsent(rule.group(3), _ -> new ArrayList<>())
                    .add(
                        new Rule(
                            new Count(
                                Long.parseUnsignedLong(rule.group(1)),
                                Long.parseUnsignedLong(rule.group(2))),
                            HASH.matcher(rule.group(4)).replaceAll("").strip()));
              } else if (line.startsWith(":" + ChainNames.PREFIX)) {
                chains.computeIfAbsent(
                    line.substring(1, line.indexOf(' ')), _ -> new ArrayList<>());
              }
            });
    return new CountedTable(chains);
  }
}

package io.wayleave.ctl;

import io.wayleave.model.Kind;
import io.wayleave.model.status.CounterReport;
import io.wayleave.model.status.CounterReport.Count;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How many packets the rules of policies took, for people. */
final class PolicyCounters {
  /** What has rules in the kernel. */
  private static final List<Kind> KINDS =
      List.of(Kind.GLOBAL_NETWORK_POLICY, Kind.NETWORK_POLICY, Kind.PROFILE);

  private static final int MAX_NAMES = 8;

  private PolicyCounters() {}

  /**
   * What the report says of the policies and profiles of a name. Those that are stored and not in
   * force on the node are a problem of the report.
   *
   * @param typed as a person calls it, with its namespace or without
   * @throws CommandFailedException when there is none, naming those that there are
   */
  static CounterReport only(String typed, CounterReport report, Resources resources) {
    List<String> names =
        KINDS.stream().map(kind -> kind.title() + " " + Names.id(kind, typed)).toList();
    List<CounterReport.Policy> found =
        report.policies().stream().filter(policy -> names.contains(policy.policy())).toList();
    List<String> problems =
        new ArrayList<>(
            report.problems().stream()
                .filter(why -> names.stream().anyMatch(name -> why.startsWith(name + ",")))
                .toList());
    if (found.isEmpty()) {
      List<String> inactive =
          KINDS.stream()
              .filter(kind -> resources.exists(kind, Names.id(kind, typed)))
              .map(kind -> kind.title() + " " + Names.id(kind, typed))
              .toList();
      if (inactive.isEmpty()) {
        throw absent(typed, resources);
      }
      inactive.forEach(
          policy ->
              problems.add(
                  policy
                      + " governs no endpoint of node "
                      + report.node()
                      + ", so its kernel has no rules of it"));
    }
    return new CounterReport(report.node(), found, List.of(), problems);
  }

  private static CommandFailedException absent(String typed, Resources resources) {
    List<String> there =
        KINDS.stream()
            .flatMap(kind -> resources.list(kind.type()).stream())
            .map(resource -> resource.kind().title() + " " + resource.id())
            .toList();
    return new CommandFailedException(
        "no policy or profile is called \""
            + typed
            + "\"; "
            + (there.isEmpty() ? "there is none" : "there are " + Names.some(there, MAX_NAMES)));
  }

  /** Tables of the rules and of what was decided without one, then what could not be counted. */
  static String text(CounterReport report) {
    StringBuilder text = new StringBuilder();
    if (!report.policies().isEmpty()) {
      Table rules =
          new Table(
              "POLICY",
              "DIRECTION",
              "RULE",
              "ACTION",
              "IPV4-PACKETS",
              "IPV4-BYTES",
              "IPV6-PACKETS",
              "IPV6-BYTES");
      for (CounterReport.Policy policy : report.policies()) {
        for (CounterReport.Rule rule : policy.rules()) {
          row(
              rules,
              List.of(
                  policy.policy(),
                  policy.direction(),
                  Integer.toString(rule.rule()),
                  rule.action()),
              rule.ipv4(),
              rule.ipv6());
        }
        if (policy.rules().isEmpty()) {
          row(
              rules,
              List.of(policy.policy(), policy.direction(), "none", ""),
              Optional.empty(),
              Optional.empty());
        }
      }
      text.append(rules.text());
    }
    if (!report.others().isEmpty()) {
      Table others =
          new Table(
              "WITHOUT A RULE",
              "ENDPOINTS",
              "DIRECTION",
              "ACTION",
              "IPV4-PACKETS",
              "IPV4-BYTES",
              "IPV6-PACKETS",
              "IPV6-BYTES");
      for (CounterReport.Other other : report.others()) {
        row(
            others,
            List.of(other.why(), other.endpoints(), other.direction(), other.action()),
            other.ipv4(),
            other.ipv6());
      }
      text.append(text.isEmpty() ? "" : "\n").append(others.text());
    }
    if (report.policies().isEmpty() && report.problems().isEmpty()) {
      text.append(text.isEmpty() ? "" : "\n")
          .append("no policy governs an endpoint of node ")
          .append(report.node())
          .append('\n');
    }
    if (!report.problems().isEmpty()) {
      text.append(text.isEmpty() ? "" : "\n");
      report.problems().forEach(why -> text.append(Table.clean(why)).append('\n'));
    }
    if (!report.policies().isEmpty()) {
      text.append("\n(on node ")
          .append(report.node())
          .append(", since each rule was written to the kernel)\n");
    }
    return text.toString();
  }

  private static void row(
      Table table, List<String> cells, Optional<Count> ipv4, Optional<Count> ipv6) {
    List<String> row = new ArrayList<>(cells);
    for (Optional<Count> count : List.of(ipv4, ipv6)) {
      row.add(count.map(each -> Long.toString(each.packets())).orElse(""));
      row.add(count.map(each -> Long.toString(each.bytes())).orElse(""));
    }
    table.row(row.toArray(String[]::new));
  }
}

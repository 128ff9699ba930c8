package io.wayleave.test.policy;

import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.PortRange;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * In how many rules each field occurs. Each action, each negation and each way to write a port
 * counts as a field. NOT thread safe.
 */
final class RuleFields {
  private final Map<String, Integer> counts = new TreeMap<>();

  RuleFields() {
    for (Action action : Action.values()) {
      counts.put("action " + action, 0);
    }
    for (String field :
        List.of(
            "ipVersion 4",
            "ipVersion 6",
            "protocol by name",
            "protocol by number",
            "protocol SCTP",
            "notProtocol",
            "icmp type",
            "icmp code",
            "notICMP type",
            "notICMP code")) {
      counts.put(field, 0);
    }
    for (String side : List.of("source", "destination")) {
      for (String field :
          List.of("nets", "notNets", "selector", "notSelector", "namespaceSelector")) {
        counts.put(side + "." + field, 0);
      }
      for (String form : List.of("number", "range", "name")) {
        counts.put(side + ".ports " + form, 0);
        counts.put(side + ".notPorts " + form, 0);
      }
    }
  }

  void add(Collection<PolicyRule> rules) {
    for (PolicyRule rule : rules) {
      fields(rule).forEach(field -> counts.merge(field, 1, Integer::sum));
    }
  }

  /** All fields that there are, each with the number of rules that have it. */
  Map<String, Integer> counts() {
    return counts;
  }

  /** Fields of fewer rules than this. */
  Map<String, Integer> rarerThan(int count) {
    Map<String, Integer> rare = new TreeMap<>(counts);
    rare.values().removeIf(found -> found >= count);
    return rare;
  }

  private static Set<String> fields(PolicyRule rule) {
    Set<String> fields = new TreeSet<>();
    fields.add("action " + rule.action());
    rule.ipVersion().ifPresent(version -> fields.add("ipVersion " + version));
    rule.protocol()
        .ifPresent(
            protocol -> {
              boolean named = !Character.isDigit(protocol.toString().charAt(0));
              fields.add(named ? "protocol by name" : "protocol by number");
              if (protocol.number() == Flow.SCTP) {
                fields.add("protocol SCTP");
              }
            });
    rule.notProtocol().ifPresent(_ -> fields.add("notProtocol"));
    rule.icmp()
        .ifPresent(icmp -> fields.add("icmp " + (icmp.code().isPresent() ? "code" : "type")));
    rule.notIcmp()
        .ifPresent(icmp -> fields.add("notICMP " + (icmp.code().isPresent() ? "code" : "type")));
    rule.source().ifPresent(entity -> add(fields, "source", entity));
    rule.destination().ifPresent(entity -> add(fields, "destination", entity));
    return fields;
  }

  private static void add(Set<String> fields, String side, Entity entity) {
    if (!entity.nets().isEmpty()) {
      fields.add(side + ".nets");
    }
    if (!entity.notNets().isEmpty()) {
      fields.add(side + ".notNets");
    }
    entity.selector().ifPresent(_ -> fields.add(side + ".selector"));
    entity.notSelector().ifPresent(_ -> fields.add(side + ".notSelector"));
    entity.namespaceSelector().ifPresent(_ -> fields.add(side + ".namespaceSelector"));
    entity.ports().forEach(port -> fields.add(side + ".ports " + form(port)));
    entity.notPorts().forEach(port -> fields.add(side + ".notPorts " + form(port)));
  }

  private static String form(Port port) {
    return switch (port) {
      case PortName _ -> "name";
      case PortRange(int first, int last) -> first == last ? "number" : "range";
    };
  }
}

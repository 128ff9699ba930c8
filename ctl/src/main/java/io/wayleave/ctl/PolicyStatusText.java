package io.wayleave.ctl;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.ctl.PolicyRollout.NodeState;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.status.PolicyReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Where policies are in force, for people and for programs. */
final class PolicyStatusText {
  private static final int MAX_NODES = 8;

  private PolicyStatusText() {}

  /**
   * Two tables: policies, and nodes.
   *
   * @param policies kind and id of each that is stored
   */
  static String text(List<String> policies, Map<String, NodeState> nodes) {
    Table table = new Table("POLICY", "ENDPOINTS", "NODES", "FAILING");
    for (String policy : policies) {
      List<String> active = new ArrayList<>();
      List<String> failing = new ArrayList<>();
      int endpoints = 0;
      for (Map.Entry<String, NodeState> node : nodes.entrySet()) {
        Optional<PolicyReport.InForce> here = on(node.getValue(), policy);
        if (here.isPresent()) {
          active.add(node.getKey());
          endpoints += here.get().endpoints();
          here.get().failing().ifPresent(why -> failing.add(node.getKey() + ": " + why));
        }
      }
      table.row(
          policy,
          Integer.toString(endpoints),
          active.isEmpty() ? "-" : Names.some(active, MAX_NODES),
          failing.isEmpty() ? "-" : Names.some(failing, MAX_NODES));
    }
    Table states = new Table("NODE", "VERSION", "STATE", "PROBLEMS");
    nodes.forEach(
        (node, state) ->
            states.row(
                node,
                state.report().map(PolicyReport::version).orElse("-"),
                word(state.state()),
                state
                    .report()
                    .filter(report -> !report.problems().isEmpty())
                    .map(report -> String.join("; ", report.problems()))
                    .orElse("-")));
    return table.text() + "\n" + states.text();
  }

  static ObjectNode tree(List<String> policies, Map<String, NodeState> nodes) {
    ObjectNode tree = ResourceCodec.jsonMapper().createObjectNode();
    ArrayNode list = tree.putArray("policies");
    for (String policy : policies) {
      ObjectNode item = list.addObject().put("policy", policy);
      ArrayNode places = item.putArray("nodes");
      nodes.forEach(
          (node, state) ->
              on(state, policy)
                  .ifPresent(
                      here -> {
                        ObjectNode place =
                            places.addObject().put("node", node).put("endpoints", here.endpoints());
                        here.failing().ifPresent(why -> place.put("failing", why));
                      }));
    }
    ArrayNode states = tree.putArray("nodes");
    nodes.forEach(
        (node, state) -> {
          ObjectNode item = states.addObject().put("node", node).put("state", word(state.state()));
          state
              .report()
              .ifPresent(
                  report -> {
                    item.put("version", report.version());
                    report.problems().forEach(item.putArray("problems")::add);
                  });
        });
    return tree;
  }

  private static Optional<PolicyReport.InForce> on(NodeState state, String policy) {
    return state.report().map(report -> report.policies().get(policy));
  }

  private static String word(PolicyRollout.State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }
}

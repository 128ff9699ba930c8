package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.DeserializationFeature;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.PolicyDigest;
import io.wayleave.model.status.PolicyReport;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Where the policy that is stored is in force: what agents report, against what is stored. Nodes
 * without a living agent are not counted: what they had stays in force there. NOT thread safe.
 */
final class PolicyRollout {
  private static final Duration LOOK_AGAIN = Duration.ofMillis(100);
  private static final int MAX_NODES_IN_MESSAGE = 5;

  private final Datastore datastore;
  private final Resources resources;

  PolicyRollout(Datastore datastore, Resources resources) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.resources = requireNonNull(resources, "resources is null");
  }

  /** How far a node is. */
  enum State {
    /** What is stored is in force, as far as the kernel took it. */
    CURRENT,
    /** It has another state than what is stored: an older one, or one that it cannot read. */
    BEHIND,
    /** Its agent lives and has not reported. */
    SILENT
  }

  /** What a node with a living agent reports. */
  record NodeState(State state, Optional<PolicyReport> report) {}

  /** The digest of what is stored now. */
  String stored() {
    PolicyDigest digest = new PolicyDigest();
    PolicyDigest.KINDS.forEach(kind -> resources.list(kind.type()).forEach(digest::put));
    return digest.toString();
  }

  /** Each node that has a living agent, compared with what is stored. */
  Map<String, NodeState> nodes() {
    return nodes(Set.of(stored()));
  }

  /** What living agents say of their hosts, by node; those of older versions say nothing. */
  Map<String, HostSettings> hosts() {
    Map<String, HostSettings> hosts = new TreeMap<>();
    reports()
        .forEach((node, report) -> report.host().ifPresent(settings -> hosts.put(node, settings)));
    return hosts;
  }

  private Map<String, PolicyReport> reports() {
    Map<String, PolicyReport> reports = new TreeMap<>();
    for (Entry entry : datastore.listAll(Keys.POLICY_STATUS, datastore.deadline()).entries()) {
      read(entry).ifPresent(report -> reports.put(Keys.lastSegment(entry.key()), report));
    }
    return reports;
  }

  private Map<String, NodeState> nodes(Set<String> current) {
    Map<String, PolicyReport> reports = reports();
    Map<String, NodeState> nodes = new TreeMap<>();
    for (String node : Presences.of(datastore).keySet()) {
      Optional<PolicyReport> report = Optional.ofNullable(reports.get(node));
      State state =
          report
              .map(told -> current.contains(told.digest()) ? State.CURRENT : State.BEHIND)
              .orElse(State.SILENT);
      nodes.put(node, new NodeState(state, report));
    }
    return nodes;
  }

  /**
   * Waits until what is stored now, or something that was stored later, is in force on every node
   * that has a living agent.
   *
   * @return how many nodes there are
   * @throws CommandFailedException naming the nodes where it is not, or where the kernel refused it
   */
  int await(Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    Set<String> current = new HashSet<>();
    while (true) {
      // What others write meanwhile comes after what this command wrote.
      current.add(stored());
      Map<String, NodeState> nodes = nodes(current);
      List<String> behind = new ArrayList<>();
      List<String> failing = new ArrayList<>();
      nodes.forEach(
          (node, state) -> {
            if (state.state() != State.CURRENT) {
              behind.add(node + (state.state() == State.SILENT ? " (no report)" : ""));
            } else {
              state
                  .report()
                  .ifPresent(
                      report ->
                          report
                              .policies()
                              .forEach(
                                  (policy, inForce) ->
                                      inForce
                                          .failing()
                                          .ifPresent(
                                              why ->
                                                  failing.add(
                                                      policy + " on " + node + ": " + why))));
            }
          });
      if (behind.isEmpty()) {
        if (!failing.isEmpty()) {
          throw new CommandFailedException(
              "written, but refused by the kernel, so that the endpoints under it are closed: "
                  + Names.some(failing, MAX_NODES_IN_MESSAGE));
        }
        return nodes.size();
      }
      if (System.nanoTime() - end >= 0) {
        throw new CommandFailedException(
            "written, but not in force within "
                + GlobalOptions.text(limit)
                + " on "
                + Names.count(behind.size(), "node", "nodes")
                + ": "
                + Names.some(behind, MAX_NODES_IN_MESSAGE)
                + "; netctl policy status says more");
      }
      if (!Pause.of(LOOK_AGAIN)) {
        throw new CommandFailedException("interrupted while waiting for agents");
      }
    }
  }

  /** An agent of another version may say more; what cannot be read at all is no report. */
  private static Optional<PolicyReport> read(Entry entry) {
    try {
      return Optional.of(
          ResourceCodec.jsonMapper()
              .readerFor(PolicyReport.class)
              .without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
              .readValue(entry.value()));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}

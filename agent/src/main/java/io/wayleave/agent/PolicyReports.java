package io.wayleave.agent;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.PresenceKeeper;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.status.PolicyReport;
import io.wayleave.model.status.PolicyReport.InForce;
import io.wayleave.policy.PolicyStatus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Says in the datastore which policies are in force on this node, each time when that has changed.
 *
 * <p>NOT thread safe; owned by the policy thread.
 */
final class PolicyReports implements Consumer<PolicyStatus> {
  private final String node;
  private final String version;
  private final HostSettings host;
  private final PresenceKeeper presence;
  private Optional<PolicyReport> told = Optional.empty();

  PolicyReports(String node, String version, HostSettings host, PresenceKeeper presence) {
    this.node = node;
    this.version = version;
    this.host = host;
    this.presence = presence;
  }

  @Override
  public void accept(PolicyStatus status) {
    if (status.digest().isEmpty()) {
      return;
    }
    Optional<PolicyReport> report = Optional.of(report(version, host, status));
    if (!report.equals(told)) {
      told = report;
      presence.put(Keys.policyStatus(node), json(report.get()));
    }
  }

  /** The status as others see it. */
  static PolicyReport report(String version, HostSettings host, PolicyStatus status) {
    Map<String, InForce> policies = new HashMap<>();
    Map<String, String> others = new HashMap<>(status.failing());
    status
        .rules()
        .forEach(
            (id, rules) -> {
              policies.put(id.toString(), new InForce(rules.endpoints(), rules.failing()));
              others.remove(id.toString());
            });
    List<String> problems = new ArrayList<>();
    status
        .missingTiers()
        .forEach(
            name -> problems.add("Tier " + name + " does not exist: it is the last, and denies"));
    status
        .missingProfiles()
        .forEach(name -> problems.add("Profile " + name + " does not exist: it allows nothing"));
    status.unreadable().forEach((what, why) -> problems.add(what + " cannot be read: " + why));
    others.forEach((what, why) -> problems.add(what + ": " + why));
    status.lastError().ifPresent(problems::add);
    problems.sort(null);
    return new PolicyReport(version, status.digest(), policies, problems, Optional.of(host));
  }

  private static byte[] json(PolicyReport report) {
    try {
      return ResourceCodec.jsonMapper().writeValueAsBytes(report);
    } catch (IOException e) {
      throw new IllegalStateException("a record of texts and numbers can always be written", e);
    }
  }
}

package io.wayleave.policy;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A policy engine in a process of its own, which can be killed: it changes policies and endpoints
 * without end. In every state of it containers may send to port 10 and take in what is for port 10,
 * and nothing that is for port 9. A line {@code add N} on standard input adds a container.
 */
final class ChangingAgent {
  /** Different ways to say the same. */
  private static final List<GlobalNetworkPolicy> WAYS =
      List.of(
          Fixtures.policy(
              "deny-one",
              """
              selector: all()
              types: [Ingress, Egress]
              ingress: [{action: Deny, protocol: UDP, destination: {ports: [9]}}, {action: Allow}]
              egress: [{action: Deny, protocol: UDP, destination: {ports: ["9:9"]}}, {action: Allow}]
              """),
          Fixtures.policy(
              "allow-one",
              """
              order: 5
              types: [Ingress, Egress]
              ingress: [{action: Allow, protocol: UDP, destination: {ports: [10]}}]
              egress: [{action: Allow, protocol: UDP, destination: {ports: [10]}}]
              """),
          Fixtures.policy(
              "deny-by-net",
              """
              selector: has(role)
              types: [Ingress, Egress]
              ingress:
              - {action: Deny, protocol: UDP, source: {nets: [192.0.2.0/24, 198.51.100.0/24, "2001:db8::/64"]}, destination: {ports: ["1:9"]}}
              - {action: Allow}
              egress:
              - {action: Deny, protocol: UDP, destination: {notNets: [203.0.113.0/24, "fd99::/64"], ports: ["1:9"]}}
              - {action: Allow}
              """),
          Fixtures.policy(
              "deny-by-labels",
              """
              order: 1
              types: [Ingress, Egress]
              ingress:
              - {action: Allow, protocol: UDP, source: {notSelector: churn == 'yes'}, destination: {ports: [10]}}
              egress:
              - {action: Deny, protocol: UDP, source: {selector: has(role)}, destination: {ports: [9]}}
              - {action: Allow, source: {selector: has(role)}}
              """));

  private ChangingAgent() {}

  /** Arguments: namespace, back end, numbers of the containers that are there, with commas. */
  public static void main(String[] arguments) throws Exception {
    PolicyConfig config =
        PolicyConfig.of("n1")
            .withNamespace(Path.of(arguments[0]))
            .withBackend(IptablesBackend.valueOf(arguments[1]));
    Random random = new Random(ProcessHandle.current().pid());
    RunningEngine engine = RunningEngine.beforeInSync(config);
    GlobalNetworkPolicy way = WAYS.get(random.nextInt(WAYS.size()));
    engine.tell(way);
    for (String number : arguments[2].split(",", -1)) {
      engine.tell(container(Integer.parseInt(number), 0));
    }
    engine.becomeInSync();
    say("in force");
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (int change = 1; true; change++) {
      if (orders.ready()) {
        int number = Integer.parseInt(orders.readLine().substring("add ".length()));
        engine.program(container(number, 0));
        say("added " + number);
      }
      GlobalNetworkPolicy next = WAYS.get(random.nextInt(WAYS.size()));
      engine.put(next);
      if (!next.name().equals(way.name())) {
        engine.deletePolicy(way.name());
      }
      way = next;
      // Others come, and the container gets other labels.
      engine.tell(
          Fixtures.endpoint(
              "n1",
              "other" + change % 7,
              "wl%011x".formatted(0x900 + change % 7),
              Map.of("churn", change % 2 == 0 ? "yes" : "no"),
              "10.99.0." + (1 + change % 50)));
      engine.put(container(1, change));
      say("changed " + change);
    }
  }

  private static WorkloadEndpoint container(int number, int change) {
    return Fixtures.endpoint(
        "n1",
        "c" + number,
        PacketLab.interfaceOf(number),
        Map.of("role", "r" + change % 3),
        PacketLab.v4(number),
        PacketLab.v6(number));
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}

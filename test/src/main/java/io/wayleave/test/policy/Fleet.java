package io.wayleave.test.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.util.List;
import java.util.Map;

/** The endpoints and policies that are measured. */
final class Fleet {
  static final String NODE = "n1";

  private static final int RULES = 10;

  private Fleet() {}

  /** One of this node, with an address of each family, that {@link #ownPolicy} governs. */
  static WorkloadEndpoint local(int number) {
    return local(
        number,
        Map.of("name", "e" + number),
        List.of(
            IpAddress.ofIpv4(0x0a4d_0000 + number).toCidr(),
            IpAddress.ofIpv6(0xfd77_0000_0000_0000L, number).toCidr()));
  }

  static WorkloadEndpoint local(int number, Map<String, String> labels, List<Cidr> addresses) {
    return endpoint(NODE, number, labels, addresses);
  }

  /** One of another node, with one address. */
  static WorkloadEndpoint remote(int number, Map<String, String> labels) {
    return endpoint("n2", number, labels, List.of(IpAddress.ofIpv4(0x0b00_0000 + number).toCidr()));
  }

  static String interfaceName(int number) {
    // Spread as the hashes that real names are made of.
    return "wl%011x".formatted((number * 0x9E37_79B9_7F4A_7C15L) >>> 20);
  }

  /** The policy of the local endpoint with the number: ten rules, each in both families. */
  static GlobalNetworkPolicy ownPolicy(int number) {
    StringBuilder rules = new StringBuilder();
    for (int i = 0; i < RULES; i++) {
      if (i == RULES / 2) {
        rules.append("egress:\n");
      }
      rules
          .append("- {action: Allow, protocol: TCP, destination: {ports: [")
          .append(1000 + i)
          .append("]}}\n");
    }
    return policy("own-" + number, "selector: name == 'e" + number + "'\ningress:\n" + rules);
  }

  /** One whose only rule lets in what has the label. */
  static GlobalNetworkPolicy admits(String name, String selector, String label) {
    return policy(
        name,
        "selector: "
            + selector
            + "\ningress:\n- {action: Allow, source: {selector: has("
            + label
            + ")}}\n");
  }

  static GlobalNetworkPolicy policy(String name, String spec) {
    String manifest =
        "apiVersion: wayleave.io/v1\nkind: GlobalNetworkPolicy\nmetadata: {name: "
            + name
            + "}\nspec:\n"
            + spec.indent(2);
    return (GlobalNetworkPolicy) ResourceCodec.fromManifest(manifest).getFirst();
  }

  private static WorkloadEndpoint endpoint(
      String node, int number, Map<String, String> labels, List<Cidr> addresses) {
    String id = "c" + number;
    return new WorkloadEndpoint(
        Metadata.of(WorkloadEndpoint.nameOf(node, id, "eth0"), labels),
        new WorkloadEndpoint.Spec(
            node,
            id,
            "eth0",
            interfaceName(number),
            MacAddress.parse("02:00:00:00:00:01"),
            addresses,
            "net",
            "g1"));
  }
}

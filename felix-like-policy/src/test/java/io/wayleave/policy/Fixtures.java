package io.wayleave.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.RuleBlock;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Short ways to write endpoints and policies. */
public final class Fixtures {
  private Fixtures() {}

  /** A policy from the YAML of its spec. */
  public static GlobalNetworkPolicy policy(String name, String spec) {
    String manifest =
        "apiVersion: wayleave.io/v1\nkind: GlobalNetworkPolicy\nmetadata: {name: "
            + name
            + "}\nspec:\n"
            + spec.indent(2);
    return (GlobalNetworkPolicy) ResourceCodec.fromManifest(manifest).getFirst();
  }

  /** Its rules as the calculation tells them. */
  public static RuleBlock rules(String name, String spec) {
    return RuleBlock.of(policy(name, spec));
  }

  public static WorkloadEndpoint endpoint(
      String node, String id, String interfaceName, Map<String, String> labels, String... hosts) {
    return endpoint(node, id, interfaceName, "g1", labels, hosts);
  }

  public static WorkloadEndpoint endpoint(
      String node,
      String id,
      String interfaceName,
      String generation,
      Map<String, String> labels,
      String... hosts) {
    List<Cidr> networks = Stream.of(hosts).map(Cidr::parse).toList();
    return new WorkloadEndpoint(
        Metadata.of(WorkloadEndpoint.nameOf(node, id, "eth0"), labels),
        new WorkloadEndpoint.Spec(
            node,
            id,
            "eth0",
            interfaceName,
            MacAddress.parse("02:00:00:00:00:01"),
            networks,
            "net",
            generation));
  }
}

package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.PolicyDigest;
import java.nio.file.Path;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicyCommandTest {
  private static final String FLEET =
      """
      apiVersion: wayleave.io/v1
      kind: Node
      metadata: {name: r1h1}
      spec: {bgp: {ipv4Address: 10.90.1.11/24}}
      ---
      apiVersion: wayleave.io/v1
      kind: WorkloadEndpoint
      metadata: {name: r1h1.aaaa1111.eth0, namespace: shop, labels: {app: web}}
      spec:
        node: r1h1
        containerID: aaaa1111
        endpoint: eth0
        interfaceName: wl00000000001
        mac: 02:00:00:00:00:01
        ipNetworks: [10.244.0.1/32, "fd00:10::1/128"]
        ports: [{name: http, protocol: TCP, port: 8080}]
      ---
      apiVersion: wayleave.io/v1
      kind: WorkloadEndpoint
      metadata: {name: r1h2.bbbb2222.eth0, namespace: shop, labels: {app: client}}
      spec:
        node: r1h2
        containerID: bbbb2222
        endpoint: eth0
        interfaceName: wl00000000002
        mac: 02:00:00:00:00:02
        ipNetworks: [10.244.1.1/32]
      ---
      apiVersion: wayleave.io/v1
      kind: Tier
      metadata: {name: platform}
      spec: {order: 100, defaultAction: Pass}
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: no-scans}
      spec:
        tier: platform
        ingress: [{action: Deny, source: {nets: [192.0.2.0/24]}}]
      ---
      apiVersion: wayleave.io/v1
      kind: NetworkPolicy
      metadata: {name: web, namespace: shop}
      spec:
        selector: app == "web"
        ingress:
          - {action: Allow, protocol: TCP, source: {selector: app == "client"}, destination: {ports: [http]}}
      ---
      apiVersion: wayleave.io/v1
      kind: StagedNetworkPolicy
      metadata: {name: web, namespace: shop}
      spec: {stagedAction: Delete, selector: app == "web"}
      """;

  private final NetctlRun netctl = new NetctlRun();

  @BeforeEach
  void fleet() {
    netctl.put(FLEET);
  }

  private String explain(String... arguments) {
    String[] all = new String[arguments.length + 2];
    all[0] = "policy";
    all[1] = "explain";
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    NetctlRun.Result result = netctl.run(all);
    assertThat(result.err()).isEmpty();
    assertThat(result.code()).isZero();
    return result.out();
  }

  @Test
  void saysWhichRuleAllows() {
    assertThat(explain("--from", "bbbb", "--to", "aaaa", "--proto", "tcp", "--port", "8080"))
        .contains("from    10.244.1.1, endpoint r1h2.bbbb2222.eth0 on r1h2")
        .contains("verdict: ALLOW")
        .contains("Ingress of r1h1.aaaa1111.eth0: ALLOW, by rule 1 of NetworkPolicy \"shop/web\"");
  }

  @Test
  void saysWhyNoRuleAllowsAndWhatTheStagedPolicyWouldChange() {
    String text = explain("--from", "192.0.3.7", "--to", "r1h1.aaaa1111.eth0", "--port", "81");
    assertThat(text)
        .contains("from    192.0.3.7, outside")
        .contains("tier platform")
        .contains("no rule matches: Pass")
        .contains("rule 1, Allow: no, source.selector: ")
        .contains("destination.ports: ")
        .contains("DENY: by the default action of tier default")
        .contains("StagedNetworkPolicy \"shop/web\" would delete its policy: the verdict would")
        .contains("become ALLOW");
    assertThat(explain("--from", "192.0.2.7", "--to", "aaaa"))
        .contains("DENY: by rule 1 of GlobalNetworkPolicy \"no-scans\"")
        .contains("the verdict would stay DENY");
  }

  @Test
  void saysItToProgramsToo() {
    assertThat(explain("--from", "bbbb", "--to", "aaaa", "--port", "8080", "-o", "json"))
        .contains("\"verdict\": \"ALLOW\"")
        .contains("\"decidedBy\": \"by rule 1 of NetworkPolicy \\\"shop/web\\\"\"")
        .contains("\"verdictWithAllStaged\": \"ALLOW\"");
  }

  @Test
  void takesNodesAddressesAndOtherProtocols() {
    assertThat(explain("--from", "r1h1", "--to", "aaaa"))
        .contains("host r1h1")
        .contains("a host may always reach its own containers");
    assertThat(explain("--from", "fd00:10::9", "--to", "aaaa", "--proto", "icmpv6"))
        .contains("type 128, code 0");
    assertThat(explain("--from", "10.0.0.1", "--to", "aaaa", "--proto", "132", "--port", "5"))
        .contains("SCTP from port 49152 to port 5");
  }

  private static final String HOST_ENDPOINTS =
      """
      ---
      apiVersion: wayleave.io/v1
      kind: HostEndpoint
      metadata: {name: uplink}
      spec: {node: r1h1, interfaceName: eth0}
      ---
      apiVersion: wayleave.io/v1
      kind: HostEndpoint
      metadata: {name: r1h1}
      spec: {node: r1h1, interfaceName: eth1, expectedIPs: [10.90.9.9]}
      """;

  @Test
  void findsHostEndpointsByName() {
    netctl.put(HOST_ENDPOINTS);
    // It has no addresses of its own: those of its node are used.
    assertThat(explain("--from", "192.0.3.7", "--to", "uplink"))
        .contains("to      10.90.1.11, host r1h1, host endpoint uplink")
        .contains("Ingress of uplink: DENY, no policy decides, and a host endpoint without");
    assertThat(explain("--from", "192.0.3.7", "--to", "r1h1"))
        .contains("to      10.90.9.9, host r1h1, host endpoint r1h1");
    assertThat(explain("--from", "192.0.3.7", "--to", "10.90.1.11"))
        .contains("verdict: ALLOW")
        .contains("another host endpoint may govern that: ask with the name of the host endpoint")
        .doesNotContain("so it is open");
  }

  @Test
  void takesWhatAgentsSayOfTheirHosts() {
    netctl.put(HOST_ENDPOINTS);
    String usual = "no agent says what failsafe ports the host has";
    assertThat(explain("--from", "192.0.3.7", "--to", "uplink", "--port", "22"))
        .contains("verdict: ALLOW")
        .contains(usual);
    // Of an agent that does not tell it yet.
    agent("r1h1", "{\"version\": \"1.0\", \"digest\": \"00\"}");
    assertThat(explain("--from", "192.0.3.7", "--to", "uplink", "--port", "22")).contains(usual);
    assertThat(explain("--from", "aaaa", "--to", "10.90.1.11"))
        .contains("verdict: ALLOW")
        .contains("the agent's workloadToHostAction and the host's own rules decide");
    agent(
        "r1h1",
        "{\"version\": \"1.0\", \"digest\": \"00\", \"host\": {\"workloadToHostAction\": \"Drop\","
            + " \"failsafeInbound\": [\"tcp:2222\"], \"failsafeOutbound\": [\"udp:53\"]}}");
    assertThat(explain("--from", "192.0.3.7", "--to", "uplink", "--port", "2222"))
        .contains("ALLOW, by the failsafe port TCP 2222")
        .doesNotContain(usual);
    assertThat(explain("--from", "192.0.3.7", "--to", "uplink", "--port", "22"))
        .contains("verdict: DENY");
    assertThat(explain("--from", "uplink", "--to", "192.0.3.7", "--proto", "udp", "--port", "53"))
        .contains("ALLOW, by the failsafe port UDP 53");
    assertThat(explain("--from", "aaaa", "--to", "10.90.1.11"))
        .contains("verdict: DENY")
        .contains("a container opens no flow to its own host (workloadToHostAction: Drop)");
  }

  @Test
  void refusesWhatCannotBeAsked() {
    refused("--from nobody --to aaaa", "--from: \"nobody\" is not allowed; allowed: an address");
    refused("--from bbbb --to fd00:10::1", "--from bbbb has [10.244.1.1] and --to fd00:10::1");
    refused("--from bbbb --to aaaa --port 70000", "--port: \"70000\" is not allowed");
    refused("--from bbbb --to aaaa --proto icmp --port 80", "--port: \"80\" is not allowed");
    refused("--from bbbb --to aaaa --proto nonsense", "--proto");
    refused("--from bbbb --to aaaa --icmp-type 8", "--icmp-type");
    refused("--from bbbb --to aaaa --proto icmp --icmp-code 8", "--icmp-code: \"8\"");
    refused("--from bbbb --to aaaa --ip-version 5", "--ip-version: \"5\" is not allowed");
    refused("--from bbbb", "--to");
    netctl.put(FLEET.replace("aaaa1111.eth0", "aaaa1111.eth1"));
    refused("--from bbbb --to aaaa", "--to aaaa is several endpoints: r1h1.aaaa1111.eth0, r1h1");
  }

  private static String digest(String manifest) {
    PolicyDigest digest = new PolicyDigest();
    ResourceCodec.fromManifest(manifest).forEach(digest::put);
    return digest.toString();
  }

  private void agent(String node, String report) {
    netctl
        .datastore()
        .commit(
            Transaction.builder()
                .put(Keys.presence(node), "{\"version\":\"1.0\",\"since\":\"now\"}")
                .put(Keys.policyStatus(node), report)
                .build(),
            netctl.datastore().deadline());
  }

  @Test
  void saysWherePoliciesAreInForceAndWhereTheyFail() {
    agent(
        "r1h1",
        """
        {"version": "1.0", "digest": "%s", "later": 1, "policies": {
          "NetworkPolicy shop/web": {"endpoints": 1},
          "GlobalNetworkPolicy no-scans": {"endpoints": 3, "failing": "no such match"}},
         "problems": ["tier own is not stored"]}
        """
            .formatted(digest(FLEET)));
    agent("r1h2", "{\"version\": \"0.9\", \"digest\": \"00\", \"policies\": {}, \"problems\": []}");
    agent("r2h1", "not a report");
    assertThat(netctl.run("policy", "status").out())
        .isEqualTo(
            """
            POLICY                        ENDPOINTS  NODES  FAILING
            GlobalNetworkPolicy no-scans  3          r1h1   r1h1: no such match
            NetworkPolicy shop/web        1          r1h1   -

            NODE  VERSION  STATE    PROBLEMS
            r1h1  1.0      current  tier own is not stored
            r1h2  0.9      behind   -
            r2h1  -        silent   -
            """);
    assertThat(netctl.run("policy", "status", "-o", "json").out())
        .contains("\"state\": \"behind\"")
        .contains("\"failing\": \"no such match\"");
  }

  @Test
  void applyWaitsUntilAgentsReportWhatIsStored() {
    String policy =
        "{apiVersion: wayleave.io/v1, kind: GlobalNetworkPolicy, metadata: {name: late}, spec: {}}";
    agent("r1h1", "{\"version\": \"1\", \"digest\": \"00\"}");
    NetctlRun.Result early = netctl.in(policy).run("apply", "-f", "-", "--wait", "300ms");
    assertThat(early.code()).isOne();
    assertThat(early.out()).isEqualTo("GlobalNetworkPolicy late created\n");
    assertThat(early.err())
        .contains("written, but not in force within 300ms on 1 node: r1h1; netctl policy status");
    String current = digest(FLEET + "---\n" + policy);
    agent("r1h1", "{\"version\": \"1\", \"digest\": \"" + current + "\"}");
    assertThat(netctl.in(policy).run("apply", "-f", "-", "--wait", "30s").out())
        .isEqualTo("GlobalNetworkPolicy late unchanged\npolicy is in force on 1 node\n");
    agent(
        "r1h1",
        "{\"version\": \"1\", \"digest\": \""
            + current
            + "\", \"policies\": {\"GlobalNetworkPolicy late\": {\"endpoints\": 1, \"failing\":"
            + " \"why\"}}}");
    assertThat(netctl.in(policy).run("apply", "-f", "-", "--wait", "30s").err())
        .contains("refused by the kernel")
        .contains("GlobalNetworkPolicy late on r1h1: why");
    assertThat(netctl.run("delete", "globalnetworkpolicy", "late", "--wait", "300ms").err())
        .contains("not in force within 300ms");
  }

  @Test
  void watchShowsWhatIsLoggedWithTheNamesOfEndpoints(@TempDir Path directory) {
    Path socket = directory.resolve("admin.sock");
    String packet =
        "{\"number\": %d, \"time\": \"2026-01-01T00:00:00Z\", \"why\": \"denied\", \"source\":"
            + " \"10.244.1.1\", \"destination\": \"%s\", \"protocol\": \"TCP\", \"detail\": \"port"
            + " 1 to 80\", \"later\": 1}";
    Function<String, String> answer =
        request ->
            AdminServer.response(
                "200 OK",
                request.contains("after=7 ")
                    ? "{\"last\": 9, \"lost\": 3, \"packets\": ["
                        + packet.formatted(8, "10.244.0.1")
                        + ", "
                        + packet.formatted(9, "192.0.2.1")
                        + "]}"
                    : "{\"last\": 7, \"lost\": 1, \"packets\": []}");
    try (AdminServer _ = new AdminServer(socket, answer)) {
      netctl.variable("WAYLEAVE_ADMIN_SOCKET", socket.toString());
      assertThat(netctl.run("policy", "watch", "--count", "2"))
          .isEqualTo(
              new NetctlRun.Result(
                  0,
                  """
                  2026-01-01T00:00:00Z  denied  10.244.1.1 (r1h2.bbbb2222.eth0) > 10.244.0.1 (r1h1.aaaa1111.eth0)  TCP port 1 to 80
                  2026-01-01T00:00:00Z  denied  10.244.1.1 (r1h2.bbbb2222.eth0) > 192.0.2.1  TCP port 1 to 80
                  (2 packets more, too fast to show)
                  """,
                  ""));
    }
    try (AdminServer _ =
        AdminServer.answering(
            socket2(directory), "200 OK", "{\"last\": 0, \"lost\": 0, \"error\": \"busy\"}")) {
      netctl.variable("WAYLEAVE_ADMIN_SOCKET", socket2(directory).toString());
      assertThat(netctl.run("policy", "watch").err()).contains("busy");
    }
    assertThat(netctl.run("policy", "watch", "--count", "0").err())
        .contains("--count: \"0\" is not allowed; allowed: 1 or more");
  }

  private static final String COUNTERS =
      """
      {"node": "r1h1", "later": 1, "policies": [
        {"policy": "GlobalNetworkPolicy no-scans", "direction": "Ingress", "rules": [
          {"rule": 1, "field": "spec.ingress[0]", "action": "Deny",
           "ipv4": {"packets": 12, "bytes": 720}}]},
        {"policy": "NetworkPolicy shop/web", "direction": "Ingress", "rules": [
          {"rule": 1, "field": "spec.ingress[0]", "action": "Allow",
           "ipv4": {"packets": 3, "bytes": 180}, "ipv6": {"packets": 0, "bytes": 0}}]},
        {"policy": "NetworkPolicy shop/web", "direction": "Egress", "rules": []}],
       "others": [
        {"endpoints": "workload", "direction": "Ingress", "why": "default action of tier default",
         "action": "Deny", "ipv4": {"packets": 4, "bytes": 240}}],
       "problems": ["NetworkPolicy shop/web, Ingress, IPv6: closed",
        "NetworkPolicy shop/web2, Ingress, IPv6: closed"]}
      """;

  @Test
  void countersShowWhatEachRuleTook(@TempDir Path directory) {
    Path socket = directory.resolve("admin.sock");
    Function<String, String> answer =
        request -> {
          assertThat(request).startsWith("GET /v1/policy/counters ");
          return AdminServer.response("200 OK", COUNTERS);
        };
    try (AdminServer _ = new AdminServer(socket, answer)) {
      netctl.variable("WAYLEAVE_ADMIN_SOCKET", socket.toString());
      assertThat(netctl.run("policy", "counters"))
          .isEqualTo(
              new NetctlRun.Result(
                  0,
                  """
                  POLICY                        DIRECTION  RULE  ACTION  IPV4-PACKETS  IPV4-BYTES  IPV6-PACKETS  IPV6-BYTES
                  GlobalNetworkPolicy no-scans  Ingress    1     Deny    12            720         -             -
                  NetworkPolicy shop/web        Ingress    1     Allow   3             180         0             0
                  NetworkPolicy shop/web        Egress     none  -       -             -           -             -

                  WITHOUT A RULE                  ENDPOINTS  DIRECTION  ACTION  IPV4-PACKETS  IPV4-BYTES  IPV6-PACKETS  IPV6-BYTES
                  default action of tier default  workload   Ingress    Deny    4             240         -             -

                  NetworkPolicy shop/web, Ingress, IPv6: closed
                  NetworkPolicy shop/web2, Ingress, IPv6: closed

                  (on node r1h1, since each rule was written to the kernel)
                  """,
                  ""));
      assertThat(netctl.run("policy", "counters", "shop/web").out())
          .contains("NetworkPolicy shop/web        Ingress    1".replace("        ", "  "))
          .contains("NetworkPolicy shop/web, Ingress, IPv6: closed")
          .doesNotContain("no-scans")
          .doesNotContain("shop/web2")
          .doesNotContain("WITHOUT A RULE");
      assertThat(netctl.run("policy", "counters", "no-scans", "-o", "json").out())
          .contains("\"policy\": \"GlobalNetworkPolicy no-scans\"")
          .contains("\"field\": \"spec.ingress[0]\"")
          .contains("\"packets\": 12")
          .doesNotContain("shop/web");

      NetctlRun.Result unknown = netctl.run("policy", "counters", "web");
      assertThat(unknown.code()).isOne();
      assertThat(unknown.out()).isEmpty();
      assertThat(unknown.err())
          .isEqualTo(
              "netctl: no policy or profile is called \"web\"; there are GlobalNetworkPolicy"
                  + " no-scans, NetworkPolicy shop/web\n");
      netctl.put(
          "{apiVersion: wayleave.io/v1, kind: NetworkPolicy, metadata: {name: idle}, spec: {}}");
      assertThat(netctl.run("policy", "counters", "idle"))
          .isEqualTo(
              new NetctlRun.Result(
                  0,
                  "NetworkPolicy default/idle governs no endpoint of node r1h1, so its kernel has"
                      + " no rules of it\n",
                  ""));
    }
  }

  private static Path socket2(Path directory) {
    return directory.resolve("busy.sock");
  }

  private void refused(String arguments, String why) {
    NetctlRun.Result result = netctl.run(("policy explain " + arguments).split(" "));
    assertThat(result.code()).isNotZero();
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains(why);
    assertThat(result.err().lines()).hasSize(1);
  }
}

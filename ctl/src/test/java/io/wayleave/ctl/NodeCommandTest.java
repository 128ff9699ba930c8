package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.ResourceCodec;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeCommandTest {
  static final String STATUS =
      """
      {"node":"r1h1","version":"0.1.0","since":"2026-11-24T15:00:00Z","ready":false,
       "notReady":["the datastore is not in sync","a spooled DEL is not settled"],
       "addresses":[{"address":"10.90.1.11","interfaceName":"eth0",
         "reason":"the interface that reaches the datastore"}],
       "datastore":{"url":"etcd://10.90.0.1:2379","connected":false,
         "since":"2026-11-24T15:01:00Z","inSync":false,"lastError":"connection refused"},
       "bgp":{"routerId":"10.90.1.11","asNumber":65101,"mesh":"off: there are BGPPeers","peers":[
         {"name":"tor1","address":"10.90.1.1","asNumber":65001,"type":"node specific",
          "state":"Established","since":"2026-11-24T15:00:01Z","info":"hold 90s",
          "received":12,"accepted":11,"advertised":3},
         {"name":"tor2","address":"10.90.1.2","asNumber":65002,"type":"global",
          "state":"Active","since":"2026-11-24T15:00:02Z","info":"Cease\\u001b[2J",
          "received":0,"accepted":0,"advertised":0}]},
       "routes":{"local":2,"learned":4,"blackhole":1},"endpoints":2,
       "garbage":{"runs":7,"last":"2026-11-24T15:07:00Z","fabric":true,"suspected":2,"released":3,
         "blocks":1,"failures":1,"lastError":"away"},
       "failing":[{"what":"route 10.1.0.0/26","why":"EINVAL"}],
       "ofANewerAgent":true}
      """;

  @TempDir private Path directory;
  private final NetctlRun netctl = new NetctlRun();

  @Test
  void listsNodesWithTheirPresence() {
    netctl.put(Samples.EVERY_KIND).put(Samples.NODES);
    present("r1h1", "{\"version\":\"0.1.0\",\"since\":\"2026-11-24T15:00:00Z\"}");
    present("r1h2", "not what we expect");
    assertThat(netctl.run("node", "list").out())
        .isEqualTo(
            """
            NAME  ADDRESSES           AS     PRESENCE  VERSION  LABELS
            r1h1  10.90.1.11,fd90::1  65101  Ready     0.1.0    rack=1,role=edge
            r1h2  -                   65000  Ready     unknown  -
            r2h1  -                   65000  Away      -        -
            """);
    assertThat(netctl.run("node", "list", "-o", "yaml").out())
        .startsWith(
            """
            - name: r1h1
              addresses:
              - 10.90.1.11
              - fd90::1
              asNumber: 65101
              presence: Ready
              version: 0.1.0
              since: 2026-11-24T15:00:00Z
              labels:
                rack: "1"
                role: edge
            - name: r1h2
            """);
  }

  @Test
  void nodesWithoutConfigurationHaveTheDefaultAs() {
    netctl.put(Samples.NODES);
    assertThat(netctl.run("node", "list").out()).contains("r2h1  -          64512  Away");
  }

  @Test
  void setsAndRemovesLabels() {
    netctl.put(Samples.NODES);
    assertThat(netctl.run("node", "label", "r2h1", "rack=2", "tier=a=b", "old="))
        .isEqualTo(new NetctlRun.Result(0, "Node r2h1 replaced\n", ""));
    assertThat(netctl.run("node", "label", "r2h1", "old-", "never-was-"))
        .isEqualTo(new NetctlRun.Result(0, "Node r2h1 replaced\n", ""));
    assertThat(netctl.run("node", "label", "r2h1", "rack=2").out())
        .isEqualTo("Node r2h1 unchanged\n");
    assertThat(netctl.run("get", "node", "r2h1").out())
        .isEqualTo(
            """
            NAME  ADDRESSES  AS  LABELS
            r2h1  -          -   rack=2,tier=a=b
            """);
  }

  @Test
  void drainsAndTakesBack() {
    netctl.put(Samples.NODES);
    assertThat(netctl.run("node", "drain", "r2h1").out()).isEqualTo("Node r2h1 replaced\n");
    assertThat(netctl.run("get", "node", "r2h1", "-o", "yaml").out()).contains("draining: true");
    assertThat(netctl.run("node", "drain", "r2h1").out()).isEqualTo("Node r2h1 unchanged\n");
    assertThat(netctl.run("node", "undrain", "r2h1").out()).isEqualTo("Node r2h1 replaced\n");
    assertThat(netctl.run("get", "node", "r2h1", "-o", "yaml").out()).doesNotContain("draining");
  }

  @Test
  void makesANodeARouteReflectorAndUnmakesIt() {
    netctl.put(
        """
        apiVersion: wayleave.io/v1
        kind: Node
        metadata: {name: r1h1}
        spec: {bgp: {ipv4Address: 10.90.1.11/24}}
        """);
    assertThat(netctl.run("node", "reflector", "r1h1", "10.90.0.1").out())
        .isEqualTo("Node r1h1 replaced\n");
    assertThat(netctl.run("get", "node", "r1h1", "-o", "yaml").out())
        .contains("routeReflectorClusterID: 10.90.0.1")
        .contains("ipv4Address");
    assertThat(netctl.run("node", "reflector", "r1h1", "none").out())
        .isEqualTo("Node r1h1 replaced\n");
    assertThat(netctl.run("get", "node", "r1h1", "-o", "yaml").out())
        .doesNotContain("routeReflectorClusterID")
        .contains("ipv4Address");
    assertThat(netctl.run("node", "reflector", "r1h1", "one").err())
        .contains("CLUSTER-ID")
        .contains("one");
  }

  @Test
  void labelsNoNodeThatDoesNotExist() {
    assertThat(netctl.run("node", "label", "r9h9", "rack=2"))
        .isEqualTo(
            new NetctlRun.Result(1, "", "netctl: Node \"r9h9\" does not exist; there is none\n"));
  }

  @Test
  void showsTheStatusOfThisHostsAgentWithoutAnyDatastore() {
    Path socket = directory.resolve("admin.sock");
    try (AdminServer server = AdminServer.answering(socket, "200 OK", STATUS)) {
      NetctlRun.Result result =
          netctl.variable("WAYLEAVE_ADMIN_SOCKET", socket.toString()).run("node", "status");
      assertThat(result)
          .isEqualTo(
              new NetctlRun.Result(
                  0,
                  """
                  Node       r1h1
                  Agent      0.1.0, running since 2026-11-24T15:00:00Z
                  Ready      no: the datastore is not in sync; a spooled DEL is not settled
                  Address    10.90.1.11 on eth0: the interface that reaches the datastore
                  Datastore  etcd://10.90.0.1:2379, away since 2026-11-24T15:01:00Z, not in sync; last error: connection refused
                  BGP        AS 65101, router id 10.90.1.11
                  Mesh       off: there are BGPPeers
                  Routes     2 local, 4 learned, 1 blackhole
                  Endpoints  2
                  Garbage    looked for at 2026-11-24T15:07:00Z (of all nodes): 2 suspected, 3 released and 1 blocks returned since the start; last error: away
                  Failing    route 10.1.0.0/26: EINVAL

                  PEER ADDRESS  PEER TYPE      STATE        SINCE                 RECEIVED  ADVERTISED  INFO
                  10.90.1.1     node specific  Established  2026-11-24T15:00:01Z  12        3           hold 90s
                  10.90.1.2     global         Active       2026-11-24T15:00:02Z  0         0           Cease\\u001b[2J
                  """,
                  ""));
      assertThat(server.requests().getFirst()).startsWith("GET /v1/status ");
    }
    assertThat(netctl.opened()).isEmpty();
  }

  @Test
  void handsOnTheAgentsJsonAsItIs() throws JsonProcessingException {
    Path socket = directory.resolve("admin.sock");
    try (AdminServer _ = AdminServer.answering(socket, "200 OK", STATUS)) {
      NetctlRun.Result result =
          netctl.run("node", "status", "-o", "json", "--admin-socket", socket.toString());
      assertThat(ResourceCodec.jsonMapper().readTree(result.out()))
          .isEqualTo(ResourceCodec.jsonMapper().readTree(STATUS));
    }
  }

  @Test
  void saysThatNoAgentRunsHere() {
    Path socket = directory.resolve("none.sock");
    assertThat(netctl.run("node", "status", "--admin-socket", socket.toString()))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: no status from the agent at "
                    + socket
                    + ": there is no such socket; start wayleave-agent on this host, or name its"
                    + " socket by --admin-socket or WAYLEAVE_ADMIN_SOCKET\n"));
  }

  @Test
  void anAgentThatAnswersSomethingElseIsAnError() {
    Path socket = directory.resolve("admin.sock");
    try (AdminServer _ = AdminServer.answering(socket, "200 OK", "{\"ready\":[]}")) {
      assertThat(netctl.run("node", "status", "--admin-socket", socket.toString()))
          .isEqualTo(
              new NetctlRun.Result(
                  1,
                  "",
                  "netctl: no status from the agent at "
                      + socket
                      + ": its answer does not fit this netctl "
                      + BuildVersion.own()
                      + "; use the netctl of the agent's version\n"));
    }
  }

  private void present(String node, String value) {
    netctl
        .datastore()
        .commit(
            Transaction.builder().put(Keys.presence(node), value).build(),
            netctl.datastore().deadline());
  }
}

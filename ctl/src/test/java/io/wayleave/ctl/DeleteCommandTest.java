package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Transaction;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeleteCommandTest {
  private final NetctlRun netctl = new NetctlRun();

  @BeforeEach
  void everyKind() {
    netctl.put(Samples.EVERY_KIND);
  }

  @Test
  void deletesByKindAndNames() {
    assertThat(netctl.run("delete", "bgppeers", "tor1", "tor2"))
        .isEqualTo(new NetctlRun.Result(0, "BGPPeer tor1 deleted\nBGPPeer tor2 deleted\n", ""));
    assertThat(netctl.run("get", "bgppeers").out()).hasLineCount(1);
  }

  @Test
  void deletesNothingWhenOneDoesNotExist() {
    assertThat(netctl.run("delete", "bgppeers", "tor1", "tor3"))
        .isEqualTo(
            new NetctlRun.Result(
                1, "", "netctl: BGPPeer \"tor3\" does not exist; there are tor1, tor2\n"));
    assertThat(netctl.run("get", "bgppeer", "tor1").code()).isZero();
  }

  @Test
  void takesWhatDoesNotExistAsDeletedWhenAsked() {
    assertThat(netctl.run("delete", "bgppeers", "tor3", "tor1", "--if-exists"))
        .isEqualTo(new NetctlRun.Result(0, "BGPPeer tor3 absent\nBGPPeer tor1 deleted\n", ""));
  }

  @Test
  void deletesWhatAManifestNamesLastFirst() {
    String manifest =
        """
        {apiVersion: wayleave.io/v1, kind: IPPool, metadata: {name: four}, spec: {cidr: 10.244.0.0/16}}
        ---
        {apiVersion: wayleave.io/v1, kind: GlobalNetworkPolicy, metadata: {name: web}, spec: {}}
        ---
        {apiVersion: wayleave.io/v1, kind: BGPConfiguration, metadata: {name: default}, spec: {}}
        """;
    assertThat(netctl.in(manifest).run("delete", "-f", "-"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                BGPConfiguration default deleted
                GlobalNetworkPolicy web deleted
                IPPool four deleted
                """,
                ""));
  }

  @Test
  void deletesNoEndpoint() {
    assertThat(netctl.run("delete", "workloadendpoint", "r1h1.0123456789abcdef0.eth0"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: WorkloadEndpoint \"r1h1.0123456789abcdef0.eth0\" is not deleted by hand,"
                    + " because it owns its addresses; delete the container, and its node's agent"
                    + " deletes the endpoint\n"));
  }

  @Test
  void deletesNoNodeThatHasEndpoints() {
    assertThat(netctl.run("delete", "node", "r1h1"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: Node \"r1h1\" has 1 endpoint with addresses: r1h1.0123456789abcdef0.eth0;"
                    + " delete these containers first, or, when this host is lost for good, give"
                    + " --force: other hosts then free its addresses\n"));
    assertThat(netctl.run("get", "node", "r1h1").code()).isZero();
  }

  @Test
  void deletesByForceANodeThatIsLostWithItsContainers() {
    Session session = lifeSignOf("r1h1");
    assertThat(netctl.run("delete", "node", "r1h1", "--force"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: Node \"r1h1\" has an agent that is running and would write it again; stop"
                    + " wayleave-agent there first\n"));
    netctl.datastore().expire(session);
    assertThat(netctl.run("delete", "node", "r1h1", "--force").out())
        .isEqualTo("Node r1h1 deleted\n");
  }

  @Test
  void deletesNoNodeWhoseAgentLives() {
    Session session = lifeSignOf("r1h2");
    assertThat(netctl.run("delete", "node", "r1h2"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: Node \"r1h2\" has an agent that is running and would write it again; stop"
                    + " wayleave-agent there first\n"));
    netctl.datastore().expire(session);
    assertThat(netctl.run("delete", "node", "r1h2").out()).isEqualTo("Node r1h2 deleted\n");
  }

  @Test
  void printsWhatWasDoneBeforeAFailure() {
    assertThat(netctl.run("delete", "nodes", "r1h2", "r1h1", "-o", "json"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                """
                [
                  {
                    "kind": "Node",
                    "name": "r1h2",
                    "result": "deleted"
                  }
                ]
                """,
                "netctl: Node \"r1h1\" has 1 endpoint with addresses: r1h1.0123456789abcdef0.eth0;"
                    + " delete these containers first, or, when this host is lost for good, give"
                    + " --force: other hosts then free its addresses\n"));
  }

  private Session lifeSignOf(String node) {
    Session session =
        netctl.datastore().openSession(Duration.ofSeconds(10), netctl.datastore().deadline());
    netctl
        .datastore()
        .commit(
            Transaction.builder()
                .putBound(Keys.presence(node), "{}".getBytes(StandardCharsets.UTF_8), session)
                .build(),
            netctl.datastore().deadline());
    return session;
  }
}

package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Entry;
import io.wayleave.model.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApplyCommandTest {
  @TempDir private Path directory;
  private final NetctlRun netctl = new NetctlRun();

  private static String pool(String name, String cidr) {
    return "{apiVersion: wayleave.io/v1, kind: IPPool, metadata: {name: "
        + name
        + "}, spec: {cidr: \""
        + cidr
        + "\"}}\n";
  }

  private static String peer(String name, String spec) {
    return "{apiVersion: wayleave.io/v1, kind: BGPPeer, metadata: {name: "
        + name
        + "}, spec: {"
        + spec
        + "}}\n";
  }

  @BeforeEach
  void onePool() {
    netctl.put(pool("old", "10.1.0.0/16"));
  }

  @Test
  void createsReplacesAndLeavesWhatIsEqual() {
    String manifest =
        pool("old", "10.1.0.0/16") + "---\n" + peer("tor1", "peerIP: 10.0.0.1, asNumber: 1");
    assertThat(netctl.in(manifest).run("apply", "-f", "-"))
        .isEqualTo(new NetctlRun.Result(0, "IPPool old unchanged\nBGPPeer tor1 created\n", ""));
    String changed =
        pool("old", "10.1.0.0/16").replace("spec: {", "spec: {disabled: true, ")
            + "---\n"
            + peer("tor1", "peerIP: 10.0.0.1, asNumber: 2");
    assertThat(netctl.in(changed).run("apply", "-f", "-", "-o", "json").out())
        .isEqualTo(
            """
            [
              {
                "kind": "IPPool",
                "name": "old",
                "result": "replaced"
              },
              {
                "kind": "BGPPeer",
                "name": "tor1",
                "result": "replaced"
              }
            ]
            """);
    assertThat(netctl.run("pool", "list").out()).contains("disabled");
    assertThat(netctl.run("peer", "list").out()).contains("10.0.0.1  2 ");
  }

  @Test
  void readsFilesListsAndJson() throws IOException {
    Path yaml = Files.writeString(directory.resolve("a.yaml"), pool("a", "10.2.0.0/16"));
    Path json =
        Files.writeString(
            directory.resolve("b.json"),
            """
            {"apiVersion": "wayleave.io/v1", "kind": "List", "items": [
              {"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": "b"},
               "spec": {"cidr": "10.3.0.0/16"}}]}
            """);
    assertThat(netctl.run("apply", "-f", yaml.toString(), "-f", json.toString()))
        .isEqualTo(new NetctlRun.Result(0, "IPPool a created\nIPPool b created\n", ""));
  }

  @Test
  void writesNothingWhenTheSecondDocumentIsBad() {
    assertRefused(
        pool("a", "10.2.0.0/16") + "---\n" + peer("tor1", "peerIP: 10.0.0.1"),
        "standard input, document 2, BGPPeer \"tor1\": spec.asNumber: \"\" is not allowed; allowed:"
            + " the peer's AS number, 1 to 4294967295");
  }

  @Test
  void namesAFieldThatDoesNotExist() {
    assertRefused(
        peer("tor1", "peerIP: 10.0.0.1, asNumber: 1, colour: red"),
        "standard input, BGPPeer \"tor1\": spec.colour: \"red\" is not allowed; allowed: one of the"
            + " fields that exist here: addPath, asNumber, bfd, filters, gracefulRestart,"
            + " interface, keepaliveTime, localASNumber, maxPrefixes, maxRestartTime, nextHopMode,"
            + " node, nodeSelector, numAllowedLocalASNumbers, passive, password, peerIP,"
            + " peerSelector, requirePolicy, sourceAddress, ttlSecurity");
  }

  @Test
  void aPolicyNeedsItsTier() {
    String policy =
        "{apiVersion: wayleave.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {tier: own}}";
    String tier = "{apiVersion: wayleave.io/v1, kind: Tier, metadata: {name: own}, spec: {}}";
    assertRefused(
        policy,
        "standard input: NetworkPolicy \"default/p\": spec.tier: \"own\" is not allowed; allowed: a"
            + " tier that exists or is in the same manifest: default");
    assertThat(netctl.in(policy + "\n---\n" + tier).run("apply", "-f", "-").code()).isZero();
    assertThat(netctl.in(policy).run("apply", "-f", "-").out())
        .isEqualTo("NetworkPolicy default/p unchanged\n");
    assertThat(netctl.run("delete", "tier", "own").err())
        .contains("Tier \"own\" is used by NetworkPolicy \"default/p\"; delete or move");
    assertThat(netctl.run("delete", "tier", "own", "--force").code()).isZero();
  }

  @Test
  void aProfileStaysWhileEndpointsNameIt() {
    netctl.put(
        """
        apiVersion: wayleave.io/v1
        kind: HostEndpoint
        metadata: {name: h}
        spec: {node: n, interfaceName: eth0, profiles: [base]}
        ---
        apiVersion: wayleave.io/v1
        kind: Profile
        metadata: {name: base}
        """);
    assertThat(netctl.run("delete", "profile", "base").err())
        .contains("Profile \"base\" is used by HostEndpoint \"h\"; or give --force");
    assertThat(netctl.run("delete", "profile", "base", "--force").code()).isZero();
  }

  @Test
  void namesAKindThatDoesNotExist() {
    assertRefused(
        pool("a", "10.2.0.0/16")
            + "---\n{apiVersion: wayleave.io/v1, kind: Pod, metadata: {name: p}}",
        "standard input, document 2, Pod \"p\": kind: \"Pod\" is not allowed; allowed: "
            + Kind.titles());
  }

  @Test
  void writesNothingWhenAPoolOverlapsOneThatExists() {
    assertRefused(
        peer("tor1", "peerIP: 10.0.0.1, asNumber: 1") + "---\n" + pool("new", "10.1.4.0/24"),
        "standard input, document 2: IPPool \"new\": spec.cidr: \"10.1.4.0/24\" is not allowed;"
            + " allowed: a range that overlaps no other pool, here old 10.1.0.0/16");
  }

  @Test
  void writesNothingWhenTwoPoolsOfTheManifestOverlap() {
    assertRefused(
        pool("a", "10.2.0.0/16") + "---\n" + pool("b", "10.2.4.0/24"),
        "standard input, document 2: IPPool \"b\": spec.cidr: \"10.2.4.0/24\" is not allowed;"
            + " allowed: a range that overlaps no other pool, here a 10.2.0.0/16");
  }

  @Test
  void movesNoPool() {
    assertRefused(
        pool("old", "10.9.0.0/16"),
        "standard input: IPPool \"old\": spec.cidr: \"10.9.0.0/16\" is not allowed; allowed:"
            + " 10.1.0.0/16, as it was created; make a new pool for another range");
  }

  @Test
  void takesEachResourceOnce() {
    assertRefused(
        pool("a", "10.2.0.0/16") + "---\n" + pool("a", "10.2.0.0/16"),
        "standard input, document 2: IPPool \"a\" is also in standard input, document 1; give it"
            + " once");
  }

  @Test
  void refusesWhatIsNoManifest() {
    assertRefused(
        "",
        "standard input: \"\" is not allowed; allowed: at least one resource with"
            + " apiVersion, kind, metadata and spec");
    assertRefused(
        "hello",
        "standard input: \"\"hello\"\" is not allowed; allowed: an object with apiVersion, kind,"
            + " metadata and spec");
    assertThat(netctl.in("{").run("apply", "-f", "-").err())
        .startsWith("netctl: standard input: line 1, column ")
        .endsWith(" is not allowed; allowed: well-formed YAML or JSON\n")
        .hasLineCount(1);
  }

  @Test
  void refusesFilesThatCannotBeRead() throws IOException {
    Path binary = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff, 0});
    assertThat(netctl.run("apply", "-f", binary.toString()).err())
        .isEqualTo("netctl: " + binary + " is not text in UTF-8\n");
    assertThat(netctl.run("apply", "-f", directory.toString()).err())
        .isEqualTo("netctl: " + directory + " is a folder; give a file\n");
    assertThat(netctl.run("apply", "-f", directory + "/none"))
        .isEqualTo(new NetctlRun.Result(1, "", "netctl: " + directory + "/none does not exist\n"));
    assertThat(netctl.opened()).as("a datastore opened for nothing").isEmpty();
  }

  @Test
  void changesNothingOfAnEndpointButItsLabels() {
    netctl.put(Samples.EVERY_KIND);
    String endpoint = netctl.run("get", "workloadendpoints", "-o", "yaml").out();
    assertThat(netctl.in(endpoint.replace("app: web", "app: db")).run("apply", "-f", "-").out())
        .isEqualTo("WorkloadEndpoint r1h1.0123456789abcdef0.eth0 replaced\n");
    assertRefused(
        endpoint.replace("10.244.0.5", "10.244.0.6"),
        "standard input: WorkloadEndpoint \"r1h1.0123456789abcdef0.eth0\" can change in nothing but"
            + " its labels, because agents write endpoints as containers come and go");
    assertRefused(
        endpoint.replace("name: r1h1.", "name: r1h2."),
        "standard input: WorkloadEndpoint \"r1h2.0123456789abcdef0.eth0\" can change in nothing but"
            + " its labels, because agents write endpoints as containers come and go");
  }

  @Test
  void createRefusesWhatExists() {
    String manifest = peer("tor1", "peerIP: 10.0.0.1, asNumber: 1");
    assertThat(netctl.in(manifest).run("create", "-f", "-").out())
        .isEqualTo("BGPPeer tor1 created\n");
    assertThat(
            netctl
                .in(peer("tor2", "peerIP: 10.0.0.2, asNumber: 2") + "---\n" + manifest)
                .run("create", "-f", "-"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: standard input, document 2: BGPPeer \"tor1\" exists already; choose"
                    + " another name, or change it with netctl apply -f FILE\n"));
    assertThat(netctl.run("get", "bgppeer", "tor2").code()).isEqualTo(1);
    assertThat(netctl.in(pool("old", "10.1.0.0/16")).run("create", "-f", "-").code()).isEqualTo(1);
    assertThat(netctl.in(pool("a", "10.2.0.0/16")).run("create", "-f", "-").out())
        .isEqualTo("IPPool a created\n");
  }

  @Test
  void replaceRefusesWhatDoesNotExist() {
    assertThat(netctl.in(peer("tor1", "peerIP: 10.0.0.1, asNumber: 1")).run("replace", "-f", "-"))
        .isEqualTo(
            new NetctlRun.Result(
                1, "", "netctl: standard input: BGPPeer \"tor1\" does not exist; there is none\n"));
    assertThat(
            netctl
                .in(pool("old", "10.1.0.0/16").replace("spec: {", "spec: {disabled: true, "))
                .run("replace", "-f", "-")
                .out())
        .isEqualTo("IPPool old replaced\n");
  }

  private void assertRefused(String manifest, String line) {
    List<Entry> before = all();
    assertThat(netctl.in(manifest).run("apply", "-f", "-"))
        .isEqualTo(new NetctlRun.Result(1, "", "netctl: " + line + "\n"));
    assertThat(all()).isEqualTo(before);
  }

  private List<Entry> all() {
    return netctl.datastore().listAll("", netctl.datastore().deadline()).entries();
  }
}

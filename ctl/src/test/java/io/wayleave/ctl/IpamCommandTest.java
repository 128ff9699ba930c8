package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.model.ResourceCodec;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class IpamCommandTest {
  private final NetctlRun netctl = new NetctlRun();

  /** r1h1 has two addresses of its own block, r1h2 has borrowed one. */
  @BeforeEach
  void useSome() {
    netctl.put(
        """
        apiVersion: wayleave.io/v1
        kind: Node
        metadata: {name: r1h1}
        ---
        apiVersion: wayleave.io/v1
        kind: Node
        metadata: {name: r1h2}
        """);
    netctl.run("pool", "create", "web", "--cidr", "10.244.0.0/26");
    allocate("r1h1", "r1h1.c1.eth0", 2);
    allocate("r1h2", "r1h2.c2.eth0", 1);
  }

  private void allocate(String node, String handle, int count) {
    Ipam ipam =
        new Ipam(
            netctl.datastore(),
            node,
            Map::of,
            IpamOptions.defaults().withClock(() -> Instant.parse("2026-01-02T03:04:05Z")));
    ipam.allocate(
        AllocationRequest.count(handle, count, 0).withAttributes(Map.of("containerID", "c")),
        netctl.datastore().deadline());
  }

  private JsonNode json(String... args) throws JsonProcessingException {
    return ResourceCodec.jsonMapper().readTree(netctl.run(args).out());
  }

  private void delete(String key) {
    netctl
        .datastore()
        .commit(Transaction.builder().delete(key).build(), netctl.datastore().deadline());
  }

  @Test
  void aFabricInOrderHasNoProblem() throws JsonProcessingException {
    assertThat(netctl.run("ipam", "check"))
        .isEqualTo(new NetctlRun.Result(0, "1 block and 2 handles checked: no problem\n", ""));
    assertThat(json("ipam", "check", "-o", "json").toString())
        .isEqualTo("{\"problems\":[],\"unsettled\":[],\"remaining\":0,\"blocks\":1,\"handles\":2}");
  }

  @Test
  void problemsAreShownAndMendedAndTheRestIsLeftWithTheReason() throws JsonProcessingException {
    delete(Keys.HANDLES + "r1h1.c1.eth0");
    delete("ipam/owners/r1h1.c1.eth0");
    delete("ipam/owners/r1h2.c2.eth0");
    NetctlRun.Result seen = netctl.run("ipam", "check");
    assertThat(seen.code()).isEqualTo(1);
    assertThat(seen.err()).isEmpty();
    assertThat(seen.out())
        .isEqualTo(
            """
            PROBLEM                 SUBJECT        ADDRESSES               DETAIL                                                    RESULT
            address-without-handle  10.244.0.0/26  10.244.0.0, 10.244.0.1  has them as taken, and no handle has them                 fixable by freeing the addresses
            owner-record-missing    r1h2.c2.eth0   10.244.0.2              its owner record ipam/owners/r1h2.c2.eth0 does not exist  left: the container may be running; delete it, or free the addresses by netctl ipam release

            1 block and 1 handle checked: 2 problems, 0 fixed
            """);
    JsonNode fixed = json("ipam", "check", "--fix", "-o", "json");
    assertThat(fixed.at("/problems/0/class").asText()).isEqualTo("address-without-handle");
    assertThat(fixed.at("/problems/0/addresses").toString())
        .isEqualTo("[\"10.244.0.0\",\"10.244.0.1\"]");
    assertThat(fixed.at("/problems/0/result").asText()).isEqualTo("fixed");
    assertThat(fixed.at("/problems/1/result").asText()).isEqualTo("left");
    assertThat(fixed.at("/remaining").asInt()).isEqualTo(1);
    assertThat(netctl.run("ipam", "release", "--ip", "10.244.0.2", "--force").code()).isZero();
    assertThat(netctl.run("ipam", "check", "--fix"))
        .isEqualTo(new NetctlRun.Result(0, "1 block and 0 handles checked: no problem\n", ""));
  }

  @Test
  void showsUseAndBlocks() {
    assertThat(netctl.run("ipam", "show").out())
        .isEqualTo(netctl.run("pool", "show").out())
        .contains("web   10.244.0.0/26  64        3          61    1       enabled");
    assertThat(netctl.run("ipam", "show", "--blocks").out())
        .endsWith(
            """

            BLOCK          POOL  NODE  SIZE  ALLOCATED  FREE
            10.244.0.0/26  web   r1h1  64    3          61
            """);
  }

  @Test
  void showsWhoHasAnAddress() throws JsonProcessingException {
    assertThat(netctl.run("ipam", "show", "--ip", "10.244.0.2").out())
        .isEqualTo(
            """
            ADDRESS        10.244.0.2
            state          in use
            pool           web
            block          10.244.0.0/26
            block's node   r1h1
            handle         r1h2.c2.eth0
            node           r1h2
            borrowed       yes
            use            Workload
            since          2026-01-02T03:04:05Z
            all addresses  10.244.0.2
            containerID    c
            owner record   ipam/owners/r1h2.c2.eth0
            """);
    JsonNode tree = json("ipam", "show", "--ip", "10.244.0.1", "-o", "json");
    assertThat(tree.at("/state").asText()).isEqualTo("in use");
    assertThat(tree.at("/holders/0/handle").asText()).isEqualTo("r1h1.c1.eth0");
    assertThat(tree.at("/holders/0/borrowed").asBoolean()).isFalse();
    assertThat(tree.at("/holders/0/since").asText()).isEqualTo("2026-01-02T03:04:05Z");
    assertThat(tree.at("/ownerRecords").toString()).isEqualTo("[\"ipam/owners/r1h1.c1.eth0\"]");
    assertThat(netctl.run("ipam", "show", "--ip", "10.244.0.9").out())
        .contains("state         free");
    assertThat(netctl.run("ipam", "show", "--ip", "192.0.2.1").out())
        .contains("state         in no pool");
  }

  @Test
  void showsWhatIsBorrowed() throws JsonProcessingException {
    assertThat(netctl.run("ipam", "show", "--borrowed").out())
        .isEqualTo(
            """
            ADDRESS     BLOCK          BLOCK'S NODE  USED BY NODE  OWNER
            10.244.0.2  10.244.0.0/26  r1h1          r1h2          r1h2.c2.eth0
            """);
    assertThat(json("ipam", "show", "--borrowed", "-o", "json").at("/borrowed/0").toString())
        .isEqualTo(
            "{\"address\":\"10.244.0.2\",\"block\":\"10.244.0.0/26\",\"blockNode\":\"r1h1\","
                + "\"node\":\"r1h2\",\"owner\":\"r1h2.c2.eth0\"}");
  }

  @Test
  void releasesWhoseOwnerIsGone() throws JsonProcessingException {
    assertThat(netctl.run("ipam", "release", "--ip", "10.244.0.1"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: address 10.244.0.1 belongs to r1h1.c1.eth0, which may be alive: node r1h1"
                    + " is there, and so is the owner record ipam/owners/r1h1.c1.eth0; delete the"
                    + " container, or use --force, which cuts it off when it runs\n"));
    delete("resources/nodes/r1h1");
    assertThat(netctl.run("ipam", "release", "--ip", "10.244.0.1"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                "released 10.244.0.0, 10.244.0.1 of r1h1.c1.eth0 on node r1h1, with"
                    + " ipam/owners/r1h1.c1.eth0\n",
                ""));
    assertThat(netctl.run("ipam", "release", "--ip", "10.244.0.1"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: address 10.244.0.1 is not allocated, so there is nothing to release: it is"
                    + " free in block 10.244.0.0/26\n"));
    JsonNode forced = json("ipam", "release", "--ip", "10.244.0.2", "--force", "-o", "json");
    assertThat(forced.at("/released").asText()).isEqualTo("10.244.0.2");
    assertThat(forced.at("/handle").asText()).isEqualTo("r1h2.c2.eth0");
  }

  @Test
  void freesAnAddressThatNobodyHas() {
    delete(Keys.HANDLES + "r1h2.c2.eth0");
    delete("ipam/owners/r1h2.c2.eth0");
    assertThat(netctl.run("ipam", "release", "--ip", "10.244.0.2").out())
        .isEqualTo("10.244.0.2 was taken in block 10.244.0.0/26 and nobody's; it is free now\n");
  }

  @Test
  void configures() {
    assertThat(netctl.run("ipam", "configure").out())
        .isEqualTo(
            """
            SETTING             VALUE  SET
            strictAffinity      false  default
            maxBlocksPerHost    20     default
            autoAllocateBlocks  true   default
            reuseDelay          60s    default
            """);
    assertThat(
            netctl.run("ipam", "configure", "--strict-affinity=true", "--reuse-delay", "5m").out())
        .isEqualTo("IPAMConfiguration default created\n");
    assertThat(
            netctl
                .run(
                    "ipam",
                    "configure",
                    "--max-blocks-per-host",
                    "4",
                    "--auto-allocate-blocks=false")
                .out())
        .isEqualTo("IPAMConfiguration default replaced\n");
    assertThat(netctl.run("ipam", "configure").out())
        .isEqualTo(
            """
            SETTING             VALUE  SET
            strictAffinity      true   yes
            maxBlocksPerHost    4      yes
            autoAllocateBlocks  false  yes
            reuseDelay          300s   yes
            """);
    assertThat(netctl.run("ipam", "configure", "--strict-affinity=true").out())
        .isEqualTo("IPAMConfiguration default unchanged\n");
    assertThat(netctl.run("get", "ipamconfiguration", "default", "-o", "yaml").out())
        .contains("strictAffinity: true", "maxBlocksPerHost: 4", "reuseDelaySeconds: 300");
  }

  @Test
  void splits() {
    netctl.run("pool", "create", "db", "--cidr", "10.1.0.0/24");
    assertThat(netctl.run("ipam", "split", "db", "2"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                IPPool "db" divided
                NAME  CIDR           BLOCK SIZE  STATE    NODES
                db-0  10.1.0.0/25    /26         enabled  all()
                db-1  10.1.0.128/25  /26         enabled  all()
                """,
                ""));
    assertThat(netctl.run("pool", "list").out()).contains("web").doesNotContain("db ");
    assertThat(netctl.run("ipam", "check").code()).isZero();
  }

  /** A command that is refused, and its one line. */
  record Refused(String arguments, String line) {
    @Override
    public String toString() {
      return arguments;
    }
  }

  static List<Refused> refused() {
    return List.of(
        new Refused(
            "pool create x --cidr 10.244.0.0/28",
            "IPPool \"x\": spec.cidr: \"10.244.0.0/28\" is not allowed; allowed: a range that"
                + " overlaps no other pool, here web 10.244.0.0/26"),
        new Refused(
            "pool create x --cidr 10.1.0.5/24",
            "--cidr: \"10.1.0.5/24\" is not allowed; allowed: a network without host bits, here"
                + " 10.1.0.0/24"),
        new Refused(
            "pool create x --cidr 10.1.0.0/33",
            "--cidr: \"10.1.0.0/33\" is not allowed; allowed: a prefix length of 0 to 32"),
        new Refused(
            "pool create x --cidr 0.0.0.0/0",
            "--cidr: \"0.0.0.0/0\" is not allowed; allowed: a unicast range, without addresses of"
                + " 0.0.0.0/8"),
        new Refused(
            "pool create x --cidr 10.1.0.0/24 --block-size 19",
            "--block-size: \"19\" is not allowed; allowed: 20 to 32 in an IPV4 pool"),
        new Refused(
            "pool create x --cidr fd00::/64 --block-size 129",
            "--block-size: \"129\" is not allowed; allowed: 116 to 128 in an IPV6 pool"),
        new Refused(
            "pool create x --cidr 10.1.0.0/24 --block-size 22",
            "--block-size: \"22\" is not allowed; allowed: at least 24, the prefix length of the"
                + " pool 10.1.0.0/24"),
        new Refused(
            "pool create x --cidr 10.1.0.0/24 --namespace-selector (", "--namespace-selector: "),
        new Refused("pool disable x", "IPPool \"x\" does not exist; there is web"),
        new Refused("pool enable x", "IPPool \"x\" does not exist; there is web"),
        new Refused("pool drain x", "IPPool \"x\" does not exist; there is web"),
        new Refused("pool delete x", "IPPool \"x\" does not exist; there is web"),
        new Refused("pool show x", "IPPool \"x\" does not exist; there is web"),
        new Refused("ipam split x 2", "IPPool \"x\" does not exist; there is web"),
        new Refused(
            "ipam split web 2",
            "IPPool \"web\": N: \"2\" is not allowed; allowed: no number: pool web 10.244.0.0/26"
                + " is a single block"),
        new Refused(
            "ipam release --ip 10.244.0.60",
            "address 10.244.0.60 is not allocated, so there is nothing to release: it is free in"
                + " block 10.244.0.0/26"),
        new Refused(
            "ipam release --ip fd00::1 --force",
            "address fd00::1 is not allocated, so there is nothing to release: it lies in no"
                + " pool"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void badInputIsOneClearErrorAndChangesNothing(Refused refused) {
    var before = netctl.datastore().listAll("", netctl.datastore().deadline()).entries();
    NetctlRun.Result result = netctl.run(refused.arguments.split(" "));
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("netctl: " + refused.line).hasLineCount(1);
    if (!refused.line.endsWith(": ")) {
      assertThat(result.err()).isEqualTo("netctl: " + refused.line + "\n");
    }
    assertThat(result.code()).isIn(1, 2);
    assertThat(netctl.datastore().listAll("", netctl.datastore().deadline()).entries())
        .isEqualTo(before);
  }

  @Test
  void foreignDataIsNamedAndLeftAlone() {
    for (String key : List.of("ipam/foreign", "ipam/blocks/foreign", "ipam/handles/a/b")) {
      netctl
          .datastore()
          .commit(
              Transaction.builder().put(key, "not ours").build(), netctl.datastore().deadline());
    }
    NetctlRun.Result result = netctl.run("ipam", "check", "--fix");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out())
        .contains("unreadable-value  ipam/blocks/foreign")
        .contains("unreadable-value  ipam/handles/a/b")
        .contains("wrong-key         ipam/foreign")
        .contains("3 problems, 0 fixed");
    assertThat(netctl.datastore().get("ipam/foreign", netctl.datastore().deadline())).isPresent();
    // And the others go on: a new address is given, and a pool shown.
    allocate("r1h1", "next", 1);
    NetctlRun.Result show = netctl.run("ipam", "show");
    assertThat(show.out()).contains("web   10.244.0.0/26  64        4");
    assertThat(show.err()).startsWith("netctl: the datastore holds what netctl ");
  }
}

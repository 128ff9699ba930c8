package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.model.ResourceCodec;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PoolCommandTest {
  private final NetctlRun netctl = new NetctlRun();

  @Test
  void createsWithDefaults() {
    assertThat(netctl.run("pool", "create", "web", "--cidr", "10.244.0.0/16"))
        .isEqualTo(new NetctlRun.Result(0, "IPPool web created\n", ""));
    assertThat(netctl.run("pool", "create", "six", "--cidr", "fd00::/48").code()).isZero();
    assertThat(netctl.run("pool", "create", "tiny", "--cidr", "10.1.0.0/30").code()).isZero();
    assertThat(netctl.run("pool", "list"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                NAME  CIDR           BLOCK SIZE  STATE    NODES
                six   fd00::/48      /122        enabled  all()
                tiny  10.1.0.0/30    /30         enabled  all()
                web   10.244.0.0/16  /26         enabled  all()
                """,
                ""));
  }

  @Test
  void createsWithEveryOption() {
    netctl.run(
        "pool",
        "create",
        "web",
        "--cidr",
        "10.244.0.0/16",
        "--block-size",
        "28",
        "--node-selector",
        "rack == \"1\"",
        "--namespace-selector",
        "team == \"web\"",
        "--assignment-mode",
        "manual",
        "--allowed-uses",
        "Tunnel,workload",
        "--disabled",
        "--disable-bgp-export");
    assertThat(netctl.run("get", "ippool", "web", "-o", "yaml").out())
        .isEqualTo(
            """
            apiVersion: wayleave.io/v1
            kind: IPPool
            metadata:
              name: web
            spec:
              cidr: 10.244.0.0/16
              blockSize: 28
              disabled: true
              disableBGPExport: true
              nodeSelector: rack == "1"
              namespaceSelector: team == "web"
              assignmentMode: Manual
              allowedUses:
              - Workload
              - Tunnel
            """);
    assertThat(netctl.run("pool", "show", "web").out())
        .contains("namespaces       team == \"web\"")
        .contains("assignment mode  Manual")
        .contains("allowed uses     Workload,Tunnel")
        .contains("state            disabled");
  }

  @Test
  void anOverlapNamesTheOtherPool() {
    netctl.run("pool", "create", "web", "--cidr", "10.244.0.0/16");
    assertThat(netctl.run("pool", "create", "db", "--cidr", "10.244.8.0/24"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: IPPool \"db\": spec.cidr: \"10.244.8.0/24\" is not allowed; allowed: a"
                    + " range that overlaps no other pool, here web 10.244.0.0/16\n"));
    assertThat(netctl.run("pool", "list").out()).doesNotContain("db");
  }

  @Test
  void aNameIsUsedOnce() {
    netctl.run("pool", "create", "web", "--cidr", "10.244.0.0/16");
    assertThat(netctl.run("pool", "create", "web", "--cidr", "10.1.0.0/16"))
        .isEqualTo(new NetctlRun.Result(1, "", "netctl: IPPool \"web\" exists already\n"));
  }

  @Test
  void showsWhatIsUsedOfAllPools() throws JsonProcessingException {
    useSome();
    assertThat(netctl.run("pool", "show"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                POOL  CIDR           CAPACITY                   ALLOCATED  FREE                       BLOCKS  STATE
                six   fd00::/48      1208925819614629174706176  0          1208925819614629174706176  0       enabled
                web   10.244.0.0/26  64                         3          61                         1       enabled

                NODE  POOL  BLOCKS  ALLOCATED  FREE IN BLOCKS
                r1h1  web   1       3          61
                """,
                ""));
    JsonNode tree =
        ResourceCodec.jsonMapper().readTree(netctl.run("pool", "show", "-o", "json").out());
    assertThat(tree.at("/pools/0/capacity").bigIntegerValue())
        .isEqualTo(java.math.BigInteger.TWO.pow(80));
    assertThat(tree.at("/pools/1/blocks").toString())
        .isEqualTo(
            "[{\"cidr\":\"10.244.0.0/26\",\"node\":\"r1h1\",\"size\":64,\"allocated\":3,\"free\":61}]");
    assertThat(tree.at("/blocksOutsidePools").toString()).isEqualTo("[]");
  }

  @Test
  void showsOnePoolWithItsBlocksAndOwners() throws JsonProcessingException {
    useSome();
    assertThat(netctl.run("pool", "show", "web").out()).doesNotContain("OWNER");
    assertThat(netctl.run("pool", "show", "web", "--holders").out())
        .isEqualTo(
            """
            POOL        web
            cidr        10.244.0.0/26
            block size  /26
            state       enabled
            nodes       all()
            capacity    64
            allocated   3
            free        61

            BLOCK          NODE  SIZE  ALLOCATED  FREE
            10.244.0.0/26  r1h1  64    3          61

            ADDRESS     OWNER         NODE  FROM
            10.244.0.0  r1h1.c1.eth0  r1h1  own block
            10.244.0.1  r1h1.c1.eth0  r1h1  own block
            10.244.0.2  r1h2.c2.eth0  r1h2  another's block
            """);
    JsonNode tree =
        ResourceCodec.jsonMapper()
            .readTree(netctl.run("pool", "show", "web", "--holders", "-o", "json").out());
    assertThat(tree.at("/free").asInt()).isEqualTo(61);
    assertThat(tree.at("/addresses/2").toString())
        .isEqualTo(
            "{\"address\":\"10.244.0.2\",\"owner\":\"r1h2.c2.eth0\",\"node\":\"r1h2\",\"borrowed\":true}");
  }

  @Test
  void showsNoPoolThatDoesNotExist() {
    assertThat(netctl.run("pool", "show", "web"))
        .isEqualTo(
            new NetctlRun.Result(1, "", "netctl: IPPool \"web\" does not exist; there is none\n"));
  }

  @Test
  void deletesNoPoolInUseAndSaysWhoUsesIt() {
    useSome();
    String inUse =
        "netctl: IPPool \"web\" has 3 addresses in use: 10.244.0.0 by r1h1.c1.eth0, 10.244.0.1 by"
            + " r1h1.c1.eth0, 10.244.0.2 by r1h2.c2.eth0; delete these containers first, or let"
            + " them keep their addresses outside any pool by netctl pool delete web --force\n";
    assertThat(netctl.run("pool", "delete", "web")).isEqualTo(new NetctlRun.Result(1, "", inUse));
    assertThat(netctl.run("delete", "ippool", "web")).isEqualTo(new NetctlRun.Result(1, "", inUse));
    assertThat(netctl.run("pool", "list").out())
        .contains("web   10.244.0.0/26  /26         enabled");

    assertThat(netctl.run("pool", "delete", "web", "--force"))
        .isEqualTo(new NetctlRun.Result(0, "IPPool web deleted\n", ""));
    assertThat(netctl.run("pool", "show").out())
        .endsWith(
            """

            Blocks in use outside any pool, left by pools that were deleted by force:
            BLOCK          NODE  SIZE  ALLOCATED  FREE
            10.244.0.0/26  r1h1  64    3          61
            """);
  }

  @Test
  void deletesAPoolThatNobodyUses() {
    netctl.run("pool", "create", "web", "--cidr", "10.244.0.0/16");
    assertThat(netctl.run("pool", "delete", "web"))
        .isEqualTo(new NetctlRun.Result(0, "IPPool web deleted\n", ""));
    assertThat(netctl.run("pool", "delete", "web"))
        .isEqualTo(
            new NetctlRun.Result(1, "", "netctl: IPPool \"web\" does not exist; there is none\n"));
  }

  @Test
  void isDisabledAndEnabled() {
    netctl.run("pool", "create", "web", "--cidr", "10.244.0.0/26");
    assertThat(netctl.run("pool", "disable", "web").out()).isEqualTo("IPPool web disabled\n");
    assertThat(netctl.run("pool", "disable", "web").out()).isEqualTo("IPPool web unchanged\n");
    assertThat(netctl.run("pool", "list").out()).contains("disabled");
    assertThat(netctl.run("pool", "enable", "web", "-o", "json").out())
        .contains("\"result\": \"enabled\"");
    assertThat(netctl.run("pool", "list").out()).contains("enabled");
  }

  @Test
  void isDrainedAndSaysWhoIsLeft() throws JsonProcessingException {
    useSome();
    assertThat(netctl.run("pool", "drain", "web"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                IPPool web drained: 3 addresses in 1 block still in use

                ADDRESS     OWNER         NODE  FROM
                10.244.0.0  r1h1.c1.eth0  r1h1  own block
                10.244.0.1  r1h1.c1.eth0  r1h1  own block
                10.244.0.2  r1h2.c2.eth0  r1h2  another's block
                """,
                ""));
    // Of a disabled pool the holders are shown without being asked for.
    assertThat(netctl.run("pool", "show", "web").out()).contains("r1h2.c2.eth0");
    ipam("r1h1").release("r1h1.c1.eth0", Optional.empty(), netctl.datastore().deadline());
    JsonNode tree =
        ResourceCodec.jsonMapper().readTree(netctl.run("pool", "drain", "web", "-o", "json").out());
    assertThat(tree.at("/allocated").asInt()).isEqualTo(1);
    assertThat(tree.at("/addresses/0/owner").asText()).isEqualTo("r1h2.c2.eth0");
    ipam("r1h2").release("r1h2.c2.eth0", Optional.empty(), netctl.datastore().deadline());
    assertThat(netctl.run("pool", "drain", "web").out())
        .isEqualTo("IPPool web drained: nothing of it is in use, it can be deleted\n");
    assertThat(netctl.run("pool", "delete", "web").out()).isEqualTo("IPPool web deleted\n");
  }

  /** Two addresses from a host's own block, and one that another host borrowed from it. */
  private void useSome() {
    netctl.run("pool", "create", "web", "--cidr", "10.244.0.0/26");
    netctl.run("pool", "create", "six", "--cidr", "fd00::/48");
    ipam("r1h1")
        .allocate(AllocationRequest.count("r1h1.c1.eth0", 2, 0), netctl.datastore().deadline());
    ipam("r1h2")
        .allocate(AllocationRequest.count("r1h2.c2.eth0", 1, 0), netctl.datastore().deadline());
  }

  private Ipam ipam(String node) {
    return new Ipam(netctl.datastore(), node, Map::of, IpamOptions.defaults());
  }
}

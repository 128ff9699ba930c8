package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Transaction;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GetCommandTest {
  private final NetctlRun netctl = new NetctlRun();

  private static final Map<Kind, String> TABLES =
      Map.ofEntries(
          Map.entry(
              Kind.BGP_CONFIGURATION,
              """
              NAME     MESH  AS     LISTEN PORT
              default  off   65000  1179
              """),
          Map.entry(
              Kind.BGP_FILTER,
              """
              NAME       IMPORT V4  IMPORT V6  EXPORT V4  EXPORT V6
              from-tors  2 rules    0 rules    0 rules    1 rule
              """),
          Map.entry(
              Kind.BGP_PEER,
              """
              NAME  ADDRESS        AS          NODES        KEEPALIVE  RESTART TIME
              tor1  10.0.0.1:1179  4200000000  rack == "1"  3s         60s
              tor2  fd00::1        65002       r1h1         30s        120s
              """),
          Map.entry(
              Kind.GLOBAL_NETWORK_POLICY,
              """
              NAME   TIER     ORDER  TYPES           RULES  SELECTOR
              floor  default  last   Ingress         0      all()
              web    default  10     Ingress,Egress  2      app == "web"
              """),
          Map.entry(
              Kind.GLOBAL_NETWORK_SET,
              """
              NAME     NETS             LABELS
              offices  198.51.100.7/32  -
              """),
          Map.entry(
              Kind.HOST_ENDPOINT,
              """
              NAME      NODE  INTERFACE  ADDRESSES   LABELS
              r1h1-all  r1h1  *          10.90.1.11  kind=host
              """),
          Map.entry(
              Kind.NETWORK_POLICY,
              """
              NAME      TIER      ORDER  TYPES    RULES  SELECTOR
              shop/web  platform  last   Ingress  1      app == "web"
              """),
          Map.entry(
              Kind.NETWORK_SET,
              """
              NAME           NETS                        LABELS
              shop/partners  192.0.2.0/24,2001:db8::/32  role=partner
              """),
          Map.entry(
              Kind.PROFILE,
              """
              NAME  INGRESS  EGRESS   LABELS TO APPLY
              base  1 rule   0 rules  env=prod
              """),
          Map.entry(
              Kind.STAGED_GLOBAL_NETWORK_POLICY,
              """
              NAME    TIER     ORDER  TYPES   RULES  SELECTOR
              closed  default  1      Egress  0      all()
              """),
          Map.entry(
              Kind.STAGED_NETWORK_POLICY,
              """
              NAME      TIER     ORDER  TYPES    RULES  SELECTOR
              shop/web  default  last   Ingress  0      all()
              """),
          Map.entry(
              Kind.TIER,
              """
              NAME      ORDER  DEFAULT ACTION
              platform  100    Pass
              """),
          Map.entry(
              Kind.IPAM_CONFIGURATION,
              """
              NAME     STRICT AFFINITY  BLOCKS PER HOST  AUTO BLOCKS  REUSE DELAY
              default  true             4                true         5s
              """),
          Map.entry(
              Kind.IP_RESERVATION,
              """
              NAME      RESERVED
              switches  10.244.0.0/28,fd00:10::1/128
              """),
          Map.entry(
              Kind.IP_POOL,
              """
              NAME  CIDR           BLOCK SIZE  STATE     NODES
              four  10.244.0.0/16  /26         enabled   all()
              six   fd00:10::/48   /122        disabled  rack == "1"
              """),
          Map.entry(
              Kind.NODE,
              """
              NAME  ADDRESSES           AS     LABELS
              r1h1  10.90.1.11,fd90::1  65101  rack=1,role=edge
              r1h2  -                   -      -
              """),
          Map.entry(
              Kind.WORKLOAD_ENDPOINT,
              """
              NODE  CONTAINER     INTERFACE  ADDRESSES              LABELS
              r1h1  0123456789ab  eth0       10.244.0.5,fd00:10::5  app=web
              """));

  @BeforeEach
  void everyKind() {
    netctl.put(Samples.EVERY_KIND);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void showsATable(Kind kind) {
    assertThat(netctl.run("get", kind.plural()))
        .isEqualTo(new NetctlRun.Result(0, TABLES.get(kind), ""));
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whatItPrintsCanBeAppliedAgain(Kind kind) {
    for (String format : List.of("yaml", "json")) {
      NetctlRun.Result all = netctl.run("get", kind.title(), "-o", format);
      assertThat(all.code()).isZero();
      assertThat(all.err()).isEmpty();
      assertThat(ResourceCodec.fromManifest(all.out()))
          .isEqualTo(
              ResourceCodec.fromManifest(Samples.EVERY_KIND).stream()
                  .filter(resource -> resource.kind() == kind)
                  .toList());
      NetctlRun.Result applied = netctl.in(all.out()).run("apply", "-f", "-");
      assertThat(applied.err()).isEmpty();
      assertThat(applied.code()).isZero();
      assertThat(applied.out().lines()).isNotEmpty().allMatch(line -> line.endsWith(" unchanged"));
    }
  }

  @Test
  void showsOneAsAnObjectAndSeveralAsAList() {
    NetctlRun.Result one = netctl.run("get", "ippool", "four", "-o", "json");
    assertThat(one.out())
        .isEqualTo(
            """
            {
              "apiVersion": "wayleave.io/v1",
              "kind": "IPPool",
              "metadata": {
                "name": "four"
              },
              "spec": {
                "cidr": "10.244.0.0/16",
                "blockSize": 26,
                "disabled": false,
                "disableBGPExport": false,
                "nodeSelector": "all()"
              }
            }
            """);
    NetctlRun.Result several = netctl.run("get", "ippools", "six", "four", "-o", "yaml");
    assertThat(ResourceCodec.fromManifest(several.out()))
        .extracting(Resource::name)
        .containsExactly("six", "four");
  }

  @Test
  void anEmptyListIsAListAndAHeading() {
    NetctlRun empty = new NetctlRun();
    String json =
        "{\n  \"apiVersion\": \"wayleave.io/v1\",\n  \"kind\": \"List\",\n  \"items\": [ ]\n}\n";
    assertThat(empty.run("get", "nodes", "-o", "json"))
        .isEqualTo(new NetctlRun.Result(0, json, ""));
    assertThat(empty.run("get", "nodes", "-o", "yaml").out())
        .isEqualTo("apiVersion: wayleave.io/v1\nkind: List\nitems: []\n");
    assertThat(empty.run("get", "nodes").out()).isEqualTo("NAME  ADDRESSES  AS  LABELS\n");
  }

  @Test
  void saysWhatThereIsWhenANameDoesNotExist() {
    assertThat(netctl.run("get", "ippool", "five"))
        .isEqualTo(
            new NetctlRun.Result(
                1, "", "netctl: IPPool \"five\" does not exist; there are four, six\n"));
    assertThat(new NetctlRun().run("get", "ippool", "five").err())
        .isEqualTo("netctl: IPPool \"five\" does not exist; there is none\n");
  }

  @Test
  void whatCannotBeReadIsToldAndHidesNoOther() {
    netctl
        .datastore()
        .commit(
            Transaction.builder()
                .put("resources/bgppeers/future", "{\"apiVersion\":\"wayleave.io/v9\"}")
                .build(),
            netctl.datastore().deadline());
    String problem =
        "netctl: the datastore holds what netctl "
            + BuildVersion.own()
            + " cannot read (was it written by a newer version?):"
            + " resources/bgppeers/future.apiVersion: \"wayleave.io/v9\" is not allowed; allowed:"
            + " wayleave.io/v1 or projectcalico.org/v3\n";
    assertThat(netctl.run("get", "bgppeers"))
        .isEqualTo(new NetctlRun.Result(1, TABLES.get(Kind.BGP_PEER), problem));
    assertThat(netctl.run("get", "bgppeers", "future"))
        .isEqualTo(new NetctlRun.Result(1, "", problem));
    assertThat(netctl.run("delete", "bgppeers", "future").code()).isZero();
    assertThat(netctl.run("get", "bgppeers").code()).isZero();
  }

  @Test
  void namesWhatIsInANamespaceWithIt() {
    assertThat(netctl.run("get", "networkpolicy", "shop/web", "-o", "json").out())
        .contains("\"namespace\": \"shop\"");
    assertThat(netctl.run("get", "networkpolicy", "web").err())
        .contains("NetworkPolicy \"default/web\" does not exist; there is shop/web");
    assertThat(netctl.run("delete", "networkpolicy", "shop/web").code()).isZero();
    assertThat(netctl.run("get", "networkpolicy", "shop/web").code()).isOne();
  }
}

package io.wayleave.bgp.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.wayleave.bgp.RoutePolicy;
import io.wayleave.bgp.RoutePolicy.RouteOrigin;
import io.wayleave.bgp.RoutePolicy.Subject;
import io.wayleave.bgp.RoutePolicy.Verdict;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.LargeCommunity;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.ResourceCodec;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FilterPolicyTest {
  private static final PathAttributes ATTRIBUTES =
      PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65001), Asn.of(65002)))
          .communities(List.of(Community.parse("65001:7")))
          .largeCommunities(List.of(new LargeCommunity(65001, 1, 2)))
          .med(10)
          .build();

  private static BgpFilter.Spec spec(String yaml) {
    return ((BgpFilter)
            ResourceCodec.fromManifest(
                    "{apiVersion: wayleave.io/v1, kind: BGPFilter, metadata: {name: f}, spec: "
                        + yaml
                        + "}")
                .getFirst())
        .spec();
  }

  private static RoutePolicy imports(String... filters) {
    List<FilterPolicy.Named> named = new java.util.ArrayList<>();
    for (int i = 0; i < filters.length; i++) {
      named.add(new FilterPolicy.Named("f" + i, spec(filters[i])));
    }
    return FilterPolicy.ofImport(named, Optional.empty()).orElseThrow();
  }

  private static Subject subject(String prefix, RouteOrigin origin, boolean internal) {
    boolean ipv6 = prefix.contains(":");
    return new Subject(
        Cidr.parse(prefix),
        ATTRIBUTES,
        NextHop.of(IpAddress.parse(ipv6 ? "fd00::1" : "10.90.1.1")),
        origin,
        internal);
  }

  private static Verdict judge(RoutePolicy policy, String prefix) {
    return policy.judge(subject(prefix, RouteOrigin.EXTERNAL, false));
  }

  private static PathAttributes accepted(String operations) {
    RoutePolicy policy =
        imports("{importV4: [{action: Accept, operations: [" + operations + "]}]}");
    return ((Verdict.Accept) judge(policy, "10.1.0.0/16")).attributes();
  }

  /** Whether a rule with these conditions matches 10.1.0.0/16 or the prefix beside it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''                                                             | 10.1.0.0/16    | true
          matchOperator: In, cidr: 10.0.0.0/8                            | 10.1.0.0/16    | true
          matchOperator: In, cidr: 10.0.0.0/8                            | 10.0.0.0/8     | true
          matchOperator: In, cidr: 10.0.0.0/8                            | 10.0.0.0/7     | false
          matchOperator: In, cidr: 10.0.0.0/8                            | 11.0.0.0/16    | false
          matchOperator: In, cidr: 10.0.0.0/8                            | 0.0.0.0/0      | false
          matchOperator: In, cidr: 0.0.0.0/0                             | 0.0.0.0/0      | true
          matchOperator: In, cidr: 10.1.2.3/32                           | 10.1.2.3/32    | true
          matchOperator: In, cidr: 10.1.2.3/32                           | 10.1.2.2/32    | false
          matchOperator: NotIn, cidr: 10.0.0.0/8                         | 10.1.0.0/16    | false
          matchOperator: NotIn, cidr: 10.0.0.0/8                         | 11.0.0.0/16    | true
          matchOperator: Equal, cidr: 10.1.0.0/16                        | 10.1.0.0/16    | true
          matchOperator: Equal, cidr: 10.1.0.0/16                        | 10.1.0.0/17    | false
          matchOperator: NotEqual, cidr: 10.1.0.0/16                     | 10.1.0.0/16    | false
          matchOperator: NotEqual, cidr: 10.1.0.0/16                     | 10.1.0.0/17    | true
          matchOperator: In, cidr: 10.0.0.0/8, prefixLength: {max: 16}   | 10.1.0.0/16    | true
          matchOperator: In, cidr: 10.0.0.0/8, prefixLength: {max: 16}   | 10.1.0.0/17    | false
          matchOperator: In, cidr: 10.0.0.0/8, prefixLength: {min: 16}   | 10.0.0.0/8     | false
          matchOperator: In, cidr: 10.0.0.0/8, prefixLength: {min: 4}    | 10.0.0.0/7     | false
          matchOperator: NotIn, cidr: 10.0.0.0/8, prefixLength: {min: 9} | 10.0.0.0/8     | true
          prefixLength: {min: 25}                                        | 10.1.0.0/24    | false
          prefixLength: {min: 25}                                        | 10.1.0.0/25    | true
          prefixLength: {max: 24}                                        | 10.1.0.0/25    | false
          communities: {values: ['65001:7']}                             | 10.1.0.0/16    | true
          communities: {values: ['65001:8']}                             | 10.1.0.0/16    | false
          communities: {values: ['65001:8', '65001:1:2']}                | 10.1.0.0/16    | true
          asPathPrefix: [65001]                                          | 10.1.0.0/16    | true
          asPathPrefix: [65001, 65002]                                   | 10.1.0.0/16    | true
          asPathPrefix: [65002]                                          | 10.1.0.0/16    | false
          asPathPrefix: [65001, 65002, 65003]                            | 10.1.0.0/16    | false
          asPathContains: [65002]                                        | 10.1.0.0/16    | true
          asPathContains: [65003]                                        | 10.1.0.0/16    | false
          asPathContains: [65003, 65001]                                 | 10.1.0.0/16    | true
          nextHops: [10.90.0.0/16]                                       | 10.1.0.0/16    | true
          nextHops: [10.91.0.0/16, 'fd00::/8']                           | 10.1.0.0/16    | false
          peerType: eBGP                                                 | 10.1.0.0/16    | true
          peerType: iBGP                                                 | 10.1.0.0/16    | false
          source: RemotePeers                                            | 10.1.0.0/16    | true
          matchOperator: In, cidr: 10.0.0.0/8, peerType: iBGP            | 10.1.0.0/16    | false
          """)
  void matches(String conditions, String prefix, boolean match) {
    RoutePolicy policy =
        imports(
            "{importV4: [{action: Reject"
                + (conditions.isEmpty() ? "" : ", " + conditions)
                + "}]}");
    assertThat(judge(policy, prefix) instanceof Verdict.Reject).isEqualTo(match);
  }

  @ParameterizedTest
  @CsvSource({
    "fd00::/8,     fd00:1::/64,   true",
    "fd00::/8,     fe00:1::/64,   false",
    "'fd00:0:0:1::/64', 'fd00:0:0:1:1::/80', true",
    "'fd00:0:0:1::/64', 'fd00:0:0:2:1::/80', false",
    "'fd00:0:0:1:8000::/65', 'fd00:0:0:1:8000::/66', true",
    "'fd00:0:0:1:8000::/65', 'fd00:0:0:1::/66', false",
    "'::/0', '::/0', true",
    "'fd00::1/128', 'fd00::1/128', true",
  })
  void matchesIpv6(String cidr, String prefix, boolean match) {
    RoutePolicy policy =
        imports("{importV6: [{action: Reject, matchOperator: In, cidr: '" + cidr + "'}]}");
    assertThat(judge(policy, prefix) instanceof Verdict.Reject).isEqualTo(match);
    assertThat(judge(policy, "10.0.0.0/8"))
        .as("no rule of the family")
        .isInstanceOf(Verdict.Accept.class);
  }

  @Test
  void theFirstMatchDecidesOverAllFiltersInTheirOrder() {
    RoutePolicy policy =
        imports(
            "{importV4: [{action: Accept, matchOperator: Equal, cidr: 10.1.0.0/16}]}",
            "{importV4: [{action: Accept, matchOperator: Equal, cidr: 10.2.0.0/16, operations:"
                + " [{setMED: {value: 7}}]}, {action: Reject, matchOperator: In, cidr:"
                + " 10.0.0.0/8}]}",
            "{importV4: [{action: Accept, operations: [{setMED: {value: 9}}]}]}");
    assertThat(judge(policy, "10.1.0.0/16"))
        .isEqualTo(new Verdict.Accept(ATTRIBUTES, java.util.OptionalInt.empty()));
    assertThat(((Verdict.Accept) judge(policy, "10.2.0.0/16")).attributes().med()).hasValue(7);
    assertThat(judge(policy, "10.3.0.0/16"))
        .isEqualTo(new Verdict.Reject("filter \"f1\", importV4[1]"));
    assertThat(((Verdict.Accept) judge(policy, "11.0.0.0/16")).attributes().med()).hasValue(9);
  }

  @Test
  void aRouteThatNoRuleMatchesStaysTheSameObject() {
    Verdict verdict =
        judge(imports("{importV4: [{action: Reject, prefixLength: {min: 30}}]}"), "10.1.0.0/16");
    assertThat(((Verdict.Accept) verdict).attributes()).isSameAs(ATTRIBUTES);
  }

  @Test
  void operationsChangeTheAttributesInOrder() {
    assertThat(accepted("{addCommunity: {value: '65000:1'}}").communities())
        .containsExactly(Community.parse("65001:7"), Community.parse("65000:1"));
    assertThat(accepted("{addCommunity: {value: '65001:7'}}").communities()).hasSize(1);
    assertThat(accepted("{addCommunity: {value: '65000:1:9'}}").largeCommunities())
        .containsExactly(new LargeCommunity(65001, 1, 2), new LargeCommunity(65000, 1, 9));
    PathAttributes replaced =
        accepted("{setCommunities: {values: ['65000:2']}}, {addCommunity: {value: '65000:3'}}");
    assertThat(replaced.communities())
        .containsExactly(Community.parse("65000:2"), Community.parse("65000:3"));
    assertThat(replaced.largeCommunities()).isEmpty();
    assertThat(accepted("{prependASPath: {prefix: [65010, 65011]}}").asPath())
        .hasToString("65010 65011 65001 65002");
    assertThat(accepted("{setLocalPref: {value: 4294967295}}").localPref()).hasValue(4294967295L);
    assertThat(accepted("{setMED: {value: 0}}").med()).hasValue(0);
  }

  @Test
  void thePriorityIsHandedOn() {
    RoutePolicy policy =
        imports("{importV4: [{action: Accept, operations: [{setPriority: {value: 512}}]}]}");
    assertThat(((Verdict.Accept) judge(policy, "10.1.0.0/16")).priority()).hasValue(512);
  }

  @Test
  void alikeRoutesShareTheChangedAttributes() {
    RoutePolicy policy =
        imports("{importV4: [{action: Accept, operations: [{setMED: {value: 7}}]}]}");
    assertThat(((Verdict.Accept) judge(policy, "10.1.0.0/16")).attributes())
        .isSameAs(((Verdict.Accept) judge(policy, "10.2.0.0/16")).attributes());
  }

  @Test
  void exportRulesTellOwnRoutesFromLearnedOnes() {
    RoutePolicy policy =
        FilterPolicy.ofExport(
                List.of(
                    new FilterPolicy.Named(
                        "own", spec("{exportV4: [{action: Reject, source: RemotePeers}]}"))))
            .orElseThrow();
    assertThat(policy.judge(subject("10.1.0.0/16", RouteOrigin.LOCAL, false)))
        .isInstanceOf(Verdict.Accept.class);
    assertThat(policy.judge(subject("10.1.0.0/16", RouteOrigin.EXTERNAL, false)))
        .isInstanceOf(Verdict.Reject.class);
    assertThat(policy.judge(subject("10.1.0.0/16", RouteOrigin.INTERNAL, true)))
        .isInstanceOf(Verdict.Reject.class);
  }

  @Test
  void theInterfaceIsThatOfAPeerByInterface() {
    FilterPolicy.Named filter =
        new FilterPolicy.Named("f", spec("{importV4: [{action: Reject, interface: 'eth*'}]}"));
    Subject route = subject("10.1.0.0/16", RouteOrigin.EXTERNAL, false);
    assertThat(
            FilterPolicy.ofImport(List.of(filter), Optional.of("eth1")).orElseThrow().judge(route))
        .isInstanceOf(Verdict.Reject.class);
    assertThat(
            FilterPolicy.ofImport(List.of(filter), Optional.of("swp1")).orElseThrow().judge(route))
        .isInstanceOf(Verdict.Accept.class);
    assertThatExceptionOfType(InvalidInputException.class)
        .isThrownBy(() -> FilterPolicy.ofImport(List.of(filter), Optional.empty()))
        .withMessageContaining("filter f.importV4[0].interface: \"eth*\" is not allowed");
  }

  @Test
  void aDirectionWithoutRulesHasNoPolicy() {
    List<FilterPolicy.Named> filters =
        List.of(new FilterPolicy.Named("f", spec("{importV4: [{action: Reject}]}")));
    assertThat(FilterPolicy.ofExport(filters)).isEmpty();
    assertThat(FilterPolicy.ofImport(filters, Optional.empty())).isPresent();
    assertThat(FilterPolicy.ofImport(List.of(), Optional.empty())).isEmpty();
  }

  @Test
  void alikeFiltersAreEqualSoThatNothingIsJudgedAgain() {
    String rules =
        "{importV4: [{action: Accept, matchOperator: In, cidr: 10.0.0.0/8, communities: {values:"
            + " ['65001:7']}, operations: [{setMED: {value: 7}}]}]}";
    RoutePolicy one = imports(rules);
    judge(one, "10.1.0.0/16");
    assertThat(one).isEqualTo(imports(rules)).hasSameHashCodeAs(imports(rules));
    assertThat(one).isNotEqualTo(imports(rules.replace("value: 7", "value: 8")));
    assertThat(one).isNotEqualTo(imports(rules.replace("10.0.0.0/8", "10.0.0.0/9")));
  }

  @Test
  void aFilterThatIsMissingLetsNothingPass() {
    assertThat(judge(new RejectAll("filter \"x\" does not exist"), "10.1.0.0/16"))
        .isEqualTo(new Verdict.Reject("filter \"x\" does not exist"));
  }
}

package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PathAttributesTest {
  private static final PathAttributes FULL =
      PathAttributes.builder(Origin.EGP, AsPath.sequence(Asn.of(65001)))
          .med(5)
          .localPref(100)
          .atomicAggregate(true)
          .aggregator(Optional.of(new Aggregator(Asn.of(65001), IpAddress.parse("10.0.0.9"))))
          .communities(List.of(Community.NO_EXPORT))
          .originatorId(Optional.of(RouterId.parse("10.0.0.2")))
          .clusterList(List.of(IpAddress.parse("10.0.0.3")))
          .extendedCommunities(List.of(new ExtendedCommunity(0x0002_fde8_0000_0064L)))
          .largeCommunities(List.of(new LargeCommunity(65000, 1, 2)))
          .unknown(List.of(new UnknownAttribute(99, Octets.parseHex("cafe"))))
          .build();

  @Test
  void printsEachAttributeByItsName() {
    assertThat(FULL)
        .hasToString(
            "{origin=egp, as-path=65001, med=5, local-pref=100, atomic-aggregate=yes,"
                + " aggregator=AS65001 10.0.0.9, communities=65535:65281, originator-id=10.0.0.2,"
                + " cluster-list=10.0.0.3, extended-communities=rt:65000:100,"
                + " large-communities=65000:1:2, attribute 99 0xcafe}");
  }

  @Test
  void builderOfSetMakesTheSameSet() {
    assertThat(FULL.toBuilder().build()).isEqualTo(FULL).hasSameHashCodeAs(FULL);
  }

  /** One change each: no attribute is forgotten by equality. */
  @Test
  void differsInEachAttribute() {
    List<PathAttributes> changed =
        List.of(
            FULL.toBuilder().origin(Origin.IGP).build(),
            FULL.toBuilder().asPath(AsPath.EMPTY).build(),
            FULL.toBuilder().withoutMed().build(),
            FULL.toBuilder().withoutLocalPref().build(),
            FULL.toBuilder().atomicAggregate(false).build(),
            FULL.toBuilder().aggregator(Optional.empty()).build(),
            FULL.toBuilder().communities(List.of()).build(),
            FULL.toBuilder().originatorId(Optional.empty()).build(),
            FULL.toBuilder().clusterList(List.of()).build(),
            FULL.toBuilder().extendedCommunities(List.of()).build(),
            FULL.toBuilder().largeCommunities(List.of()).build(),
            FULL.toBuilder().unknown(List.of()).build(),
            FULL.toBuilder().partial(PathAttribute.COMMUNITIES).build());
    assertThat(changed).doesNotContain(FULL).doesNotHaveDuplicates();
  }

  @Test
  void refusesValuesThatTheWireCannotCarry() {
    assertThatThrownBy(() -> FULL.toBuilder().med(1L << 32))
        .hasMessage("med 4294967296 is out of range: 0 to 4294967295");
    assertThatThrownBy(() -> FULL.toBuilder().localPref(-1))
        .hasMessage("localPref -1 is out of range: 0 to 4294967295");
    assertThatThrownBy(() -> FULL.toBuilder().clusterList(List.of(IpAddress.parse("::1"))))
        .hasMessage("cluster id ::1 is not of 32 bits");
    assertThatThrownBy(() -> new UnknownAttribute(Iana.ATTR_ORIGIN, Octets.EMPTY))
        .isInstanceOf(IllegalArgumentException.class);
    UnknownAttribute twice = new UnknownAttribute(99, Octets.EMPTY);
    assertThatThrownBy(() -> FULL.toBuilder().unknown(List.of(twice, twice)))
        .hasMessageStartingWith("an attribute type occurs twice");
  }

  @Test
  void tableRowsAscendAndAreFoundByCode() {
    int last = 0;
    for (PathAttribute row : PathAttribute.values()) {
      assertThat(row.code()).isGreaterThan(last);
      assertThat(PathAttribute.of(row.code())).contains(row);
      last = row.code();
    }
    assertThat(PathAttribute.nameOf(99)).isEqualTo("attribute 99");
  }
}

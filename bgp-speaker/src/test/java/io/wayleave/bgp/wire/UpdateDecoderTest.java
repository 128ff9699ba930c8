package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.Wire.EXTERNAL;
import static io.wayleave.bgp.wire.Wire.EXTERNAL_TWO_OCTET;
import static io.wayleave.bgp.wire.Wire.INTERNAL;
import static io.wayleave.bgp.wire.Wire.decode;
import static io.wayleave.bgp.wire.Wire.decodeGood;
import static io.wayleave.bgp.wire.Wire.update;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.DecodeOutcome.Decoded;
import io.wayleave.bgp.wire.DecodeOutcome.TreatAsWithdraw;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What good UPDATEs mean, where one meaning has several encodings or needs a rule. */
class UpdateDecoderTest {
  private static final String MANDATORY = "40 01 01 00 40 02 00 40 03 04 c0000201";
  private static final String GLOBAL = "20010db8000000000000000000000001";
  private static final String LINK_LOCAL = "fe800000000000000000000000000001";
  private static final String ZERO = "00".repeat(16);

  /** RFC 4724 section 2. */
  @Test
  void recognisesEndOfRib() {
    assertThat(decodedUpdate(update("", "", ""), EXTERNAL).endOfRib())
        .contains(AddressFamily.IPV4_UNICAST);
    assertThat(decodedUpdate(update("", "80 0f 03 000201", ""), EXTERNAL).endOfRib())
        .contains(AddressFamily.IPV6_UNICAST);
    assertThat(decodedUpdate(update("", "80 0f 03 000101", ""), EXTERNAL).endOfRib())
        .contains(AddressFamily.IPV4_UNICAST);
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource({
    "08 0a, '', withdrawn routes",
    "'', 80 0f 05 000201 08 20, a withdrawn IPv6 route",
    "'', 40 01 01 00 40 02 00, attributes alone",
    "'', 80 0f 03 000201 40 01 01 00, an empty MP_UNREACH_NLRI among others",
    "08 0a, 80 0f 03 000201, an empty MP_UNREACH_NLRI beside withdrawn routes"
  })
  void otherUpdatesAreNoEndOfRib(String withdrawn, String attributes, String why) {
    Update update = decodedUpdate(update(withdrawn, attributes, ""), EXTERNAL);
    assertThat(update.endOfRib()).as(why).isEmpty();
  }

  @Test
  void endOfRibOfForeignFamilyIsNone() {
    Decoded outcome = (Decoded) decode(update("", "80 0f 03 0019 41", ""), EXTERNAL);
    assertThat(outcome.message()).isEqualTo(new Update(List.of(), List.of()));
    assertThat(outcome.discarded())
        .extracting(UpdateError::toString)
        .containsExactly("mp-unreach-nlri: afi-25-safi-65 is not exchanged in this session");
  }

  @Test
  void routesOfFamiliesThatAreNotExchangedAreLeftOut() {
    byte[] both =
        update("10 ac10", "80 0e 17 0002 01 10" + GLOBAL + "00 08 20" + MANDATORY, "08 0a");
    Decoded ipv6Only = (Decoded) decode(both, Wire.only(AddressFamily.IPV6_UNICAST));
    assertThat(((Update) ipv6Only.message()).unreach()).isEmpty();
    assertThat(((Update) ipv6Only.message()).reach())
        .extracting(Reach::family)
        .containsExactly(AddressFamily.IPV6_UNICAST);
    assertThat(ipv6Only.discarded())
        .extracting(UpdateError::toString)
        .containsExactly("ipv4-unicast is not exchanged in this session");

    Decoded ipv4Only = (Decoded) decode(both, Wire.only(AddressFamily.IPV4_UNICAST));
    assertThat(((Update) ipv4Only.message()).reach())
        .extracting(Reach::family)
        .containsExactly(AddressFamily.IPV4_UNICAST);
  }

  /**
   * RFC 7606 section 5.2 resets for a bad attribute without prefixes; prefixes of a family that is
   * not exchanged are prefixes all the same.
   */
  @Test
  void badAttributeOfRoutesThatAreNotExchangedWithdrawsNothing() {
    String badMed = "80 04 01 00";
    DecodeOutcome classic =
        decode(update("", MANDATORY + badMed, "08 0a"), Wire.only(AddressFamily.IPV6_UNICAST));
    DecodeOutcome multiProtocol =
        decode(
            update("", "80 0e 17 0002 01 10" + GLOBAL + "00 08 20" + MANDATORY + badMed, ""),
            Wire.only(AddressFamily.IPV4_UNICAST));
    for (DecodeOutcome outcome : List.of(classic, multiProtocol)) {
      assertThat(outcome).isInstanceOf(TreatAsWithdraw.class);
      assertThat(((TreatAsWithdraw) outcome).withdrawals())
          .isEqualTo(new Update(List.of(), List.of()));
    }
  }

  @Test
  void readsPrefixesOfAllPlacesOfOneMessage() {
    Update update =
        decodedUpdate(
            update(
                "10 ac10",
                "80 0e 17 0002 01 10" + GLOBAL + "00 08 20 80 0f 05 0002 01 08 fd" + MANDATORY,
                "08 0a"),
            EXTERNAL);
    assertThat(update.unreach())
        .extracting(unreach -> List.copyOf(unreach.prefixes()))
        .containsExactly(List.of(Cidr.parse("172.16.0.0/16")), List.of(Cidr.parse("fd00::/8")));
    assertThat(update.reach())
        .extracting(reach -> List.copyOf(reach.prefixes()))
        .containsExactly(List.of(Cidr.parse("10.0.0.0/8")), List.of(Cidr.parse("2000::/8")));
    assertThat(update.reach().get(0).attributes()).isSameAs(update.reach().get(1).attributes());
  }

  /** RFC 4271 section 4.3: trailing bits are of no consequence. */
  @Test
  void clearsBitsAfterThePrefixLength() {
    Update update =
        decodedUpdate(update("09 0aff 00 1f ffffffff", "80 0f 06 000201 0d ffff", ""), EXTERNAL);
    assertThat(update.unreach().get(0).prefixes())
        .containsExactly(
            Cidr.parse("10.128.0.0/9"), Cidr.parse("0.0.0.0/0"), Cidr.parse("255.255.255.254/31"));
    assertThat(update.unreach().get(1).prefixes()).containsExactly(Cidr.parse("fff8::/13"));
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource({
    GLOBAL + ", 2001:db8::1, global alone",
    LINK_LOCAL + ", fe80::1, link-local in the place of the global one",
    GLOBAL + LINK_LOCAL + ", 2001:db8::1 fe80::1, both",
    LINK_LOCAL + LINK_LOCAL + ", fe80::1 fe80::1, link-local twice as FRR unnumbered sends",
    "00000000000000000000000000000000"
        + LINK_LOCAL
        + ", :: fe80::1, link-local alone as BIRD sends",
    GLOBAL + GLOBAL + ", 2001:db8::1, a second address that is not link-local"
  })
  void readsIpv6NextHops(String nextHopHex, String expected, String why) {
    int length = nextHopHex.length() / 2;
    String value = "000201%02x".formatted(length) + nextHopHex + "00 08 20";
    Update update =
        decodedUpdate(
            update("", "80 0e %02x".formatted(length + 7) + value + MANDATORY, ""), EXTERNAL);
    assertThat(update.reach().getFirst().nextHop()).as(why).hasToString(expected);
    assertThat(update.reach().getFirst().nextHop().gateway().isUnspecified()).isFalse();
  }

  @Test
  void ipv6NextHopOfZerosIsNoHost() {
    DecodeOutcome outcome =
        decode(update("", "80 0e 17 0002 01 10" + ZERO + "00 08 20" + MANDATORY, ""), EXTERNAL);
    assertThat(outcome).isInstanceOf(DecodeOutcome.TreatAsWithdraw.class);
  }

  /** RFC 4760 section 3: IPv4 unicast may come in MP_REACH_NLRI too. */
  @Test
  void readsIpv4InMultiProtocolAttribute() {
    Update update =
        decodedUpdate(
            update("", "80 0e 0b 0001 01 04 c0000201 00 08 0a 40 01 01 00 40 02 00", ""), EXTERNAL);
    assertThat(update.reach())
        .containsExactly(
            new Reach(
                PathAttributes.builder(Origin.IGP, AsPath.EMPTY).build(),
                NextHop.of(IpAddress.parse("192.0.2.1")),
                PrefixList.of(Cidr.parse("10.0.0.0/8"))));
  }

  /** RFC 4271 sections 5 and 9. */
  @Test
  void keepsUnknownTransitiveAttributesAsPartialAndDropsOthers() {
    Update update =
        decodedUpdate(update("", MANDATORY + "c0 63 01 aa 80 64 01 bb", "08 0a"), EXTERNAL);
    assertThat(update.reach().getFirst().attributes().unknown())
        .containsExactly(new UnknownAttribute(99, Octets.parseHex("aa")));
    assertThat(Wire.hex(Wire.encode(update, EXTERNAL))).contains("e06301aa").doesNotContain("64");
  }

  /** RFC 4271 section 5: the Partial bit is never reset. */
  @Test
  void keepsThePartialBitOfKnownAttributes() {
    Update update = decodedUpdate(update("", MANDATORY + "e0 08 04 fde80001", "08 0a"), EXTERNAL);
    PathAttributes attributes = update.reach().getFirst().attributes();
    assertThat(attributes.partial()).containsExactly(PathAttribute.COMMUNITIES);
    assertThat(Wire.hex(Wire.encode(update, EXTERNAL))).contains("e00804fde80001");
    assertThat(attributes.toBuilder().communities(List.of()).build().partial()).isEmpty();
  }

  @Test
  void acceptsExtendedLengthOfShortValues() {
    Update update =
        decodedUpdate(
            update("", "50 01 0001 00 50 02 0000 50 03 0004 c0000201", "08 0a"), EXTERNAL);
    assertThat(update).isEqualTo(decodedUpdate(update("", MANDATORY, "08 0a"), EXTERNAL));
  }

  /** RFC 8092 section 3. */
  @Test
  void removesRepeatedLargeCommunities() {
    String community = "0000fde80000000100000002";
    Update update =
        decodedUpdate(
            update("", MANDATORY + "c0 20 18" + community + community, "08 0a"), EXTERNAL);
    assertThat(update.reach().getFirst().attributes().largeCommunities())
        .containsExactly(new LargeCommunity(65000, 1, 2));
  }

  @Test
  void takesConfederationSegmentsFromInternalPeers() {
    Update update =
        decodedUpdate(
            update("", "40 01 01 00 40 02 06 0301 0000fde9 40 03 04 c0000201", "08 0a"), INTERNAL);
    assertThat(update.reach().getFirst().attributes().asPath()).hasToString("(65001)");
  }

  /** RFC 6793 section 4.2.3, whole messages; the merge itself is As4MergeTest's. */
  @Test
  void putsFourOctetPathTogether() {
    Update update =
        decodedUpdate(
            update(
                "",
                "40 01 01 00 40 02 06 0202 fde9 5ba0 40 03 04 c0000201"
                    + "c0 07 06 5ba0 0a000001 c0 11 06 0201 fa56ea00 c0 12 08 fa56ea00 0a000001",
                "08 0a"),
            EXTERNAL_TWO_OCTET);
    PathAttributes attributes = update.reach().getFirst().attributes();
    assertThat(attributes.asPath()).isEqualTo(AsPath.sequence(Asn.of(65001), Asn.of(4200000000L)));
    assertThat(attributes.aggregator())
        .contains(new Aggregator(Asn.of(4200000000L), IpAddress.parse("10.0.0.1")));
  }

  @Test
  void ignoresAs4AttributesAfterNewAggregationByAnOldSpeaker() {
    Update update =
        decodedUpdate(
            update(
                "",
                "40 01 01 00 40 02 06 0202 fde9 5ba0 40 03 04 c0000201"
                    + "c0 07 06 fde9 0a000002 c0 11 06 0201 fa56ea00 c0 12 08 fa56ea00 0a000001",
                "08 0a"),
            EXTERNAL_TWO_OCTET);
    PathAttributes attributes = update.reach().getFirst().attributes();
    assertThat(attributes.asPath()).hasToString("65001 23456");
    assertThat(attributes.aggregator())
        .contains(new Aggregator(Asn.of(65001), IpAddress.parse("10.0.0.2")));
  }

  private static Update decodedUpdate(byte[] message, CodecContext context) {
    return (Update) decodeGood(message, context);
  }
}

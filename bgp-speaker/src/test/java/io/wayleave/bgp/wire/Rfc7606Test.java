package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.UpdateError.Approach.ATTRIBUTE_DISCARD;
import static io.wayleave.bgp.wire.UpdateError.Approach.TREAT_AS_WITHDRAW;
import static io.wayleave.bgp.wire.Wire.EXTERNAL;
import static io.wayleave.bgp.wire.Wire.EXTERNAL_TWO_OCTET;
import static io.wayleave.bgp.wire.Wire.INTERNAL;
import static io.wayleave.bgp.wire.Wire.decode;
import static io.wayleave.bgp.wire.Wire.update;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Unreach;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.DecodeOutcome.Decoded;
import io.wayleave.bgp.wire.DecodeOutcome.TreatAsWithdraw;
import io.wayleave.bgp.wire.UpdateError.Approach;
import io.wayleave.model.Cidr;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * RFC 7606 attribute by attribute, as its section 7 goes, in UPDATEs whose prefixes can be parsed.
 * Each row has one bad attribute in an UPDATE that is good otherwise.
 */
class Rfc7606Test {
  private static final String ORIGIN = "40 01 01 00";
  private static final String NEXT_HOP = "40 03 04 c0000201";
  private static final String MP_REACH =
      "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8";
  private static final String MULTICAST_MP_REACH =
      "80 0e 1a 0002 01 10 ff020000000000000000000000000001 00 20 20010db8";
  private static final Cidr PREFIX = Cidr.parse("10.0.0.0/8");
  private static final Cidr IPV6_PREFIX = Cidr.parse("2001:db8::/32");

  /**
   * One bad attribute.
   *
   * @param code the attribute's type
   * @param bad its bytes from the flags on
   * @param subcode of the UPDATE error that it would be if the session were reset
   */
  record Row(
      String section,
      CodecContext context,
      int code,
      String bad,
      Approach approach,
      int subcode,
      String reason) {
    @Override
    public String toString() {
      return section + ": " + reason;
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void handles(Row row) {
    String attributes = row.bad() + others(row);
    DecodeOutcome outcome = decode(update("10 ac10", attributes, "08 0a"), row.context());
    switch (row.approach()) {
      case ATTRIBUTE_DISCARD -> {
        assertThat(outcome).isInstanceOf(Decoded.class);
        Decoded decoded = (Decoded) outcome;
        assertOnly(decoded.discarded(), row);
        Update whole =
            (Update) Wire.decodeGood(update("10 ac10", others(row), "08 0a"), row.context());
        assertThat(decoded.message()).as("all but the attribute").isEqualTo(whole);
        assertThat(whole.reach()).hasSize(1);
      }
      case TREAT_AS_WITHDRAW -> {
        assertThat(outcome).isInstanceOf(TreatAsWithdraw.class);
        TreatAsWithdraw withdraw = (TreatAsWithdraw) outcome;
        assertOnly(withdraw.errors(), row);
        assertThat(withdraw.withdrawals().reach()).isEmpty();
        assertThat(withdrawn(withdraw))
            .containsExactlyInAnyOrder(Cidr.parse("172.16.0.0/16"), PREFIX);
      }
      case SESSION_RESET -> throw new IllegalArgumentException("see UpdateResetTest");
    }
  }

  private static void assertOnly(List<UpdateError> errors, Row row) {
    assertThat(errors).hasSize(1);
    UpdateError error = errors.getFirst();
    assertThat(error.approach()).isEqualTo(row.approach());
    assertThat(error.attribute()).hasValue(row.code());
    assertThat(error.notification().code()).isEqualTo(Iana.ERR_UPDATE);
    assertThat(error.notification().subcode()).isEqualTo(row.subcode());
    assertThat(error.reason()).isEqualTo(row.reason());
    if (row.subcode() != Iana.UPDATE_MALFORMED_AS_PATH) {
      assertThat(error.notification().data()).isEqualTo(Octets.parseHex(row.bad()));
    }
  }

  /** The three mandatory attributes, without the one that is bad. */
  private static String others(Row row) {
    String path = row.context().fourOctetAs() ? "40 02 06 02 01 0000fde9" : "40 02 04 02 01 fde9";
    return (row.code() == 1 ? "" : ORIGIN)
        + (row.code() == 2 ? "" : path)
        + (row.code() == 3 ? "" : NEXT_HOP);
  }

  static Stream<Row> rows() {
    return Stream.of(wellKnown(), optional(), as4(), flags()).flatMap(List::stream);
  }

  private static List<Row> wellKnown() {
    return List.of(
        withdraw("7.1", 1, "40 01 00", 5, "length 0; expected: 1"),
        withdraw("7.1", 1, "40 01 02 0000", 5, "length 2; expected: 1"),
        withdraw("7.1", 1, "40 01 01 03", 6, "value 3; expected: 0, 1 or 2"),
        withdraw("7.1", 1, "40 01 01 ff", 6, "value 255; expected: 0, 1 or 2"),
        withdraw("7.2", 2, "40 02 06 0501 0000fde9", 11, "segment type 5; expected: 1 to 4"),
        withdraw("7.2", 2, "40 02 06 0001 0000fde9", 11, "segment type 0; expected: 1 to 4"),
        withdraw("7.2", 2, "40 02 06 0202 0000fde9", 11, "segment of 2 numbers in 4 octets"),
        withdraw("7.2", 2, "40 02 07 0201 0000fde9 02", 11, "one octet after the last segment"),
        withdraw("7.2", 2, "40 02 01 02", 11, "one octet after the last segment"),
        withdraw("7.2", 2, "40 02 02 0200", 11, "segment without numbers"),
        withdraw("RFC 7607 2", 2, "40 02 06 0201 00000000", 11, "AS number 0"),
        withdraw(
            "RFC 5065 5",
            2,
            "40 02 06 0301 0000fde9",
            11,
            "confederation segment from an external peer"),
        new Row(
            "7.2, two-octet session",
            EXTERNAL_TWO_OCTET,
            2,
            "40 02 06 0203 fde9fdea",
            TREAT_AS_WITHDRAW,
            11,
            "segment of 3 numbers in 4 octets"),
        withdraw("7.3", 3, "40 03 03 c00002", 5, "length 3; expected: 4"),
        withdraw("7.3", 3, "40 03 05 c000020100", 5, "length 5; expected: 4"),
        withdraw("7.3", 3, "40 03 00", 5, "length 0; expected: 4"),
        withdraw("RFC 4271 6.3", 3, "40 03 04 00000000", 8, "0.0.0.0 is not a host address"),
        withdraw("RFC 4271 6.3", 3, "40 03 04 e0000001", 8, "224.0.0.1 is not a host address"),
        withdraw(
            "RFC 4271 6.3", 3, "40 03 04 ffffffff", 8, "255.255.255.255 is not a host address"),
        withdraw("7.4", 4, "80 04 03 000001", 5, "length 3; expected: 4"),
        withdraw("7.4", 4, "80 04 00", 5, "length 0; expected: 4"),
        internalWithdraw("7.5", 5, "40 05 02 0064", 5, "length 2; expected: 4"),
        discard("7.5", 5, "40 05 04 00000064", 9, "not accepted from an external peer"),
        discard("7.5, malformed", 5, "40 05 01 00", 9, "not accepted from an external peer"),
        discard("7.6", 6, "40 06 01 00", 5, "length 1; expected: 0"));
  }

  private static List<Row> optional() {
    return List.of(
        discard("7.7", 7, "c0 07 06 fde90a000001", 5, "length 6; expected: 8"),
        discard("7.7", 7, "c0 07 00", 5, "length 0; expected: 8"),
        new Row(
            "7.7, two-octet session",
            EXTERNAL_TWO_OCTET,
            7,
            "c0 07 08 0000fde90a000001",
            ATTRIBUTE_DISCARD,
            5,
            "length 8; expected: 6"),
        discard("RFC 7607 2", 7, "c0 07 08 000000000a000001", 9, "AS number 0"),
        withdraw("7.8", 8, "c0 08 03 000000", 5, "length 3; expected: a multiple of 4 from 4"),
        withdraw("7.8", 8, "c0 08 00", 5, "length 0; expected: a multiple of 4 from 4"),
        internalWithdraw("7.9", 9, "80 09 05 0a00000100", 5, "length 5; expected: 4"),
        internalWithdraw("RFC 6286 2.1", 9, "80 09 04 00000000", 9, "BGP identifier 0.0.0.0"),
        discard("7.9", 9, "80 09 04 0a000001", 9, "not accepted from an external peer"),
        internalWithdraw(
            "7.10", 10, "80 0a 06 0a0000010000", 5, "length 6; expected: a multiple of 4 from 4"),
        internalWithdraw("7.10", 10, "80 0a 00", 5, "length 0; expected: a multiple of 4 from 4"),
        discard("7.10", 10, "80 0a 04 0a000001", 9, "not accepted from an external peer"),
        withdraw("7.14", 16, "c0 10 04 00020000", 5, "length 4; expected: a multiple of 8 from 8"),
        withdraw("7.14", 16, "c0 10 00", 5, "length 0; expected: a multiple of 8 from 8"),
        withdraw(
            "RFC 8092 6",
            32,
            "c0 20 08 0000000000000000",
            5,
            "length 8; expected: a multiple of 12 from 12"),
        withdraw("RFC 8092 6", 32, "c0 20 00", 5, "length 0; expected: a multiple of 12 from 12"));
  }

  /** RFC 6793 sections 4.1 and 6. */
  private static List<Row> as4() {
    return List.of(
        discard(
            "RFC 6793 4.1",
            17,
            "c0 11 06 0201 0000fde9",
            9,
            "not accepted in a session of four-octet AS numbers"),
        discard(
            "RFC 6793 4.1",
            18,
            "c0 12 08 0000fde9 0a000001",
            9,
            "not accepted in a session of four-octet AS numbers"),
        as4Discard(17, "c0 11 04 0201 fde9", "length 4; expected: an even number from 6"),
        as4Discard(17, "c0 11 07 0201 0000fde9 02", "length 7; expected: an even number from 6"),
        as4Discard(17, "c0 11 06 0202 0000fde9", "segment of 2 numbers in 4 octets"),
        as4Discard(17, "c0 11 06 0900 0000fde9", "segment type 9; expected: 1 to 4"),
        as4Discard(17, "c0 11 06 0200 0000fde9", "segment without numbers"),
        as4Discard(17, "c0 11 06 0201 00000000", "AS number 0"),
        as4Discard(18, "c0 12 06 fde9 0a000001", "length 6; expected: 8"),
        as4Discard(18, "c0 12 08 00000000 0a000001", "AS number 0"));
  }

  /** Section 3 c), for one attribute of each kind. */
  private static List<Row> flags() {
    return List.of(
        withdraw("3 c", 1, "c0 01 01 00", 4, "flags 0xc0; expected: 0x40"),
        withdraw("3 c", 2, "00 02 00", 4, "flags 0x00; expected: 0x40"),
        withdraw("3 c", 3, "80 03 04 c0000201", 4, "flags 0x80; expected: 0x40"),
        withdraw("3 c", 4, "c0 04 04 00000001", 4, "flags 0xc0; expected: 0x80"),
        withdraw("3 c", 8, "80 08 04 00000001", 4, "flags 0x80; expected: 0xc0"),
        withdraw("3 c", 6, "c0 06 00", 4, "flags 0xc0; expected: 0x40"));
  }

  @ParameterizedTest(name = "without {0}")
  @MethodSource("mandatory")
  void missingMandatoryAttribute(PathAttribute missing) {
    // Section 3 d); RFC 4271 section 6.3: the data is the type of the missing one.
    String attributes =
        Stream.of(PathAttribute.ORIGIN, PathAttribute.AS_PATH, PathAttribute.NEXT_HOP)
            .filter(attribute -> attribute != missing)
            .map(
                attribute ->
                    attribute == PathAttribute.ORIGIN
                        ? ORIGIN
                        : attribute == PathAttribute.AS_PATH ? "40 02 00" : NEXT_HOP)
            .reduce("", String::concat);
    DecodeOutcome outcome = decode(update("", attributes, "08 0a"), EXTERNAL);
    assertThat(outcome).isInstanceOf(TreatAsWithdraw.class);
    assertThat(((TreatAsWithdraw) outcome).errors())
        .singleElement()
        .satisfies(
            error -> {
              assertThat(error.notification())
                  .isEqualTo(Notifications.update(3, Octets.of((byte) missing.code())));
              assertThat(error).hasToString(missing.title() + ": missing");
            });
    assertThat(withdrawn((TreatAsWithdraw) outcome)).containsExactly(PREFIX);
  }

  static List<PathAttribute> mandatory() {
    return List.of(PathAttribute.ORIGIN, PathAttribute.AS_PATH, PathAttribute.NEXT_HOP);
  }

  @Test
  void multiProtocolPrefixesNeedNoNextHopAttribute() {
    Update update =
        (Update) Wire.decodeGood(update("", MP_REACH + ORIGIN + "40 02 00", ""), EXTERNAL);
    assertThat(update.reach()).hasSize(1);
  }

  @Test
  void anErrorWithdrawsThePrefixesOfAllPlaces() {
    String unreach = "80 0f 06 0002 01 10 fd00";
    DecodeOutcome outcome =
        decode(
            update("10 ac10", MP_REACH + unreach + "40 01 01 09 40 02 00" + NEXT_HOP, "08 0a"),
            EXTERNAL);
    assertThat(outcome).isInstanceOf(TreatAsWithdraw.class);
    assertThat(withdrawn((TreatAsWithdraw) outcome))
        .containsExactlyInAnyOrder(
            Cidr.parse("172.16.0.0/16"), PREFIX, IPV6_PREFIX, Cidr.parse("fd00::/16"));
  }

  /** Section 3 c): also those of the attributes whose flags are wrong. */
  @Test
  void multiProtocolAttributesWithWrongFlagsWithdrawTheirPrefixes() {
    String reach = MP_REACH.replace("80 0e", "c0 0e");
    String unreach = "40 0f 06 0002 01 10 fd00";
    DecodeOutcome outcome = decode(update("", reach + unreach + ORIGIN + "40 02 00", ""), EXTERNAL);
    assertThat(outcome).isInstanceOf(TreatAsWithdraw.class);
    assertThat(((TreatAsWithdraw) outcome).errors())
        .extracting(error -> error.notification().subcode())
        .containsOnly(Iana.UPDATE_ATTRIBUTE_FLAGS);
    assertThat(withdrawn((TreatAsWithdraw) outcome))
        .containsExactlyInAnyOrder(IPV6_PREFIX, Cidr.parse("fd00::/16"));
  }

  @Test
  void multiProtocolNextHopThatIsNoHostWithdraws() {
    DecodeOutcome outcome =
        decode(update("", MULTICAST_MP_REACH + ORIGIN + "40 02 00", ""), EXTERNAL);
    assertThat(outcome).isInstanceOf(TreatAsWithdraw.class);
    assertThat(withdrawn((TreatAsWithdraw) outcome)).containsExactly(IPV6_PREFIX);
  }

  @ParameterizedTest
  @MethodSource("listErrors")
  void attributeListThatEndsBadlyWithdraws(String end) {
    // Section 4, overrun and underrun: the prefixes stand where the lengths say.
    DecodeOutcome outcome =
        decode(update("", ORIGIN + "40 02 00" + NEXT_HOP + end, "08 0a"), EXTERNAL);
    assertThat(outcome).isInstanceOf(TreatAsWithdraw.class);
    assertThat(((TreatAsWithdraw) outcome).errors())
        .singleElement()
        .satisfies(error -> assertThat(error.notification()).isEqualTo(Notifications.update(1)));
    assertThat(withdrawn((TreatAsWithdraw) outcome)).containsExactly(PREFIX);
  }

  static List<String> listErrors() {
    return List.of("80", "80 04", "90 04 00", "80 04 05 00000000", "d0 08 ffff 00000000");
  }

  @Test
  void ofAnAttributeThatOccursTwiceTheFirstCounts() {
    // Section 3 g), also when the second one is malformed.
    DecodeOutcome outcome =
        decode(
            update(
                "",
                ORIGIN + "40 02 00" + NEXT_HOP + "80 04 04 00000001 80 04 01 00 c0 63 00 c0 63 00",
                "08 0a"),
            EXTERNAL);
    assertThat(outcome).isInstanceOf(Decoded.class);
    Decoded decoded = (Decoded) outcome;
    assertThat(decoded.discarded())
        .extracting(UpdateError::toString)
        .containsExactly("med: occurs more than once", "attribute 99: occurs more than once");
    Reach reach = ((Update) decoded.message()).reach().getFirst();
    assertThat(reach.attributes().med()).hasValue(1);
    assertThat(reach.attributes().unknown()).hasSize(1);
  }

  @Test
  void discardsWithoutPrefixesAreNoReasonToReset() {
    // Section 5.2 excepts "attribute discard".
    DecodeOutcome outcome = decode(update("08 0a", "40 06 01 00", ""), EXTERNAL);
    assertThat(outcome).isInstanceOf(Decoded.class);
    assertThat(((Decoded) outcome).message()).isEqualTo(Update.withdraw(List.of(PREFIX)));
  }

  private static List<Cidr> withdrawn(TreatAsWithdraw outcome) {
    return outcome.withdrawals().unreach().stream()
        .map(Unreach::prefixes)
        .flatMap(List::stream)
        .toList();
  }

  private static Row withdraw(String section, int code, String bad, int subcode, String reason) {
    return new Row(section, EXTERNAL, code, bad, TREAT_AS_WITHDRAW, subcode, reason);
  }

  private static Row internalWithdraw(
      String section, int code, String bad, int subcode, String reason) {
    return new Row(section + ", internal", INTERNAL, code, bad, TREAT_AS_WITHDRAW, subcode, reason);
  }

  private static Row discard(String section, int code, String bad, int subcode, String reason) {
    return new Row(section, EXTERNAL, code, bad, ATTRIBUTE_DISCARD, subcode, reason);
  }

  private static Row as4Discard(int code, String bad, String reason) {
    return new Row("RFC 6793 6", EXTERNAL_TWO_OCTET, code, bad, ATTRIBUTE_DISCARD, 9, reason);
  }
}

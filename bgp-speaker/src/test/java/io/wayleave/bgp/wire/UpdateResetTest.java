package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.Wire.EXTERNAL;
import static io.wayleave.bgp.wire.Wire.answerOf;
import static io.wayleave.bgp.wire.Wire.decode;
import static io.wayleave.bgp.wire.Wire.message;
import static io.wayleave.bgp.wire.Wire.update;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** UPDATE errors that end the session: RFC 4271 section 6.3 as far as RFC 7606 leaves it. */
class UpdateResetTest {
  private static final String MANDATORY = "40 01 01 00  40 02 06 02 01 0000fde9  40 03 04 c0000201";

  @ParameterizedTest(name = "{1}")
  @CsvSource({
    "0001 0000, UPDATE withdrawn routes of 1 octets in 2",
    "ffff 0000, UPDATE withdrawn routes of 65535 octets in 2",
    "0000 0001, UPDATE attributes of 1 octets in 0",
    "0002 080a 0003 4001, UPDATE attributes of 3 octets in 2"
  })
  void lengthsThatExceedTheMessage(String body, String reason) {
    DecodeOutcome outcome = decode(message(Iana.MSG_UPDATE, body), EXTERNAL);
    assertThat(answerOf(outcome)).isEqualTo("0301");
    assertThat(((Reset) outcome).reason()).isEqualTo(reason);
  }

  /** RFC 7606 section 5.3. */
  @ParameterizedTest(name = "{2}")
  @CsvSource({
    "21 0a00000100, '', UPDATE withdrawn routes: prefix length 33; expected: 0 to 32",
    "18 0a00, '', UPDATE withdrawn routes: prefix of length 24 in 2 octets",
    "'', ff 0a, UPDATE NLRI: prefix length 255; expected: 0 to 32",
    "'', 08, UPDATE NLRI: prefix of length 8 in 0 octets",
    "'', 08 0a 20 0a0000, UPDATE NLRI: prefix of length 32 in 3 octets"
  })
  void prefixesThatCannotBeParsed(String withdrawn, String nlri, String reason) {
    DecodeOutcome outcome = decode(update(withdrawn, MANDATORY, nlri), EXTERNAL);
    assertThat(answerOf(outcome)).isEqualTo("030a");
    assertThat(((Reset) outcome).reason()).isEqualTo(reason);
  }

  /** RFC 7606 sections 5.3 and 7.11: subcode 9 with the attribute, from its flags on. */
  @ParameterizedTest(name = "{1}")
  @CsvSource({
    "80 0e 04 00020100, UPDATE mp-reach-nlri: length 4; expected: 5 or more",
    "80 0e 05 0002010100, UPDATE mp-reach-nlri: next hop of 1 octets where 1 are left",
    "80 0e 06 000201010000," + " UPDATE mp-reach-nlri: next hop length 1; expected: 16 or 32",
    "80 0e 09 0001010500000000 00,"
        + " UPDATE mp-reach-nlri: next hop of 5 octets where 5 are left",
    "80 0e 15 000101 10 20010db8000000000000000000000001 00,"
        + " UPDATE mp-reach-nlri: next hop length 16; expected: 4",
    "80 0e 16 000201 10 20010db8000000000000000000000001 00 81,"
        + " UPDATE mp-reach-nlri: prefix length 129; expected: 0 to 128",
    "80 0e 16 000201 10 20010db8000000000000000000000001 00 08,"
        + " UPDATE mp-reach-nlri: prefix of length 8 in 0 octets",
    "80 0f 02 0002, UPDATE mp-unreach-nlri: length 2; expected: 3 or more",
    "80 0f 00, UPDATE mp-unreach-nlri: length 0; expected: 3 or more",
    "80 0f 04 000101 21, UPDATE mp-unreach-nlri: prefix length 33; expected: 0 to 32",
    "80 0f 05 000201 1020, UPDATE mp-unreach-nlri: prefix of length 16 in 1 octets"
  })
  void multiProtocolAttributesThatCannotBeParsed(String attribute, String reason) {
    DecodeOutcome outcome = decode(update("", attribute + MANDATORY, ""), EXTERNAL);
    assertThat(answerOf(outcome)).isEqualTo("0309" + attribute.replace(" ", ""));
    assertThat(((Reset) outcome).reason()).isEqualTo(reason);
  }

  /** RFC 7606 section 3 c) withdraws for wrong flags alone; here the prefixes cannot be read. */
  @ParameterizedTest
  @CsvSource({"c0 0f 02 0002", "00 0f 04 000101 21", "40 0e 05 0002010000"})
  void multiProtocolAttributesWithWrongFlagsThatCannotBeParsed(String attribute) {
    DecodeOutcome outcome = decode(update("", attribute, ""), EXTERNAL);
    assertThat(answerOf(outcome)).isEqualTo("0309" + attribute.replace(" ", ""));
  }

  /** RFC 7606 section 3 g). */
  @Test
  void multiProtocolAttributeTwice() {
    String unreach = "80 0f 03 000201";
    assertThat(answerOf(decode(update("", unreach + unreach, ""), EXTERNAL))).isEqualTo("0301");
  }

  /** RFC 7606 sections 3 j) and 4: the prefixes in it stay unknown. */
  @ParameterizedTest
  @CsvSource({"80 0e 20 000201", "80 0f 04 000201", "90 0f ffff 000201"})
  void multiProtocolAttributeThatOverruns(String attribute) {
    assertThat(answerOf(decode(update("", MANDATORY + attribute, "08 0a"), EXTERNAL)))
        .isEqualTo("0301");
  }

  /** RFC 4271 section 6.3: the data is the attribute. */
  @Test
  void wellKnownAttributeThatNobodyKnows() {
    DecodeOutcome outcome = decode(update("", MANDATORY + "40 63 02 cafe", "08 0a"), EXTERNAL);
    assertThat(answerOf(outcome)).isEqualTo("0302406302cafe");
    assertThat(((Reset) outcome).reason())
        .isEqualTo("UPDATE attribute 99: a well-known attribute that we do not know");
  }

  /** RFC 7606 section 5.2: an error in attributes that belong to no prefix. */
  @ParameterizedTest(name = "{1}")
  @CsvSource({
    "40 01 01 03, 0306 40010103, ORIGIN of 3",
    "40 01 02 0000, 0305 4001020000, ORIGIN of two octets",
    "c0 01 01 00, 0304 c0010100, ORIGIN with wrong flags",
    "40 02 04 0201fde9, 030b, AS_PATH overrun",
    "40 03 04 e0000001, 0308 400304e0000001, multicast next hop",
    "c0 08 03 000000, 0305 c00803000000, COMMUNITIES of three octets",
    "80 04 05 0000, 0301, overrun",
    "40 01, 0301, underrun",
    "80 0f 03 000201 40 01 05, 0301, overrun after an empty MP_UNREACH_NLRI"
  })
  void errorsWithoutAnyAnnouncedPrefix(String attribute, String answer, String why) {
    assertThat(answerOf(decode(update("", attribute, ""), EXTERNAL)))
        .as(why)
        .isEqualTo(answer.replace(" ", ""));
    assertThat(answerOf(decode(update("08 0a", attribute, ""), EXTERNAL)))
        .as(why + ", with withdrawn routes")
        .isEqualTo(answer.replace(" ", ""));
  }

  /** RFC 7606 section 3 h): a stronger error decides, wherever it stands. */
  @Test
  void theStrongestErrorDecides() {
    String withdraw = "80 04 03 000000";
    String reset = "40 63 00";
    assertThat(answerOf(decode(update("", MANDATORY + withdraw + reset, "08 0a"), EXTERNAL)))
        .isEqualTo("0302406300");
    assertThat(answerOf(decode(update("", reset + withdraw + MANDATORY, "08 0a"), EXTERNAL)))
        .isEqualTo("0302406300");
  }

  /** RFC 4271 section 4.5: the message length bounds the data. */
  @Test
  void cutsAnAttributeThatIsTooLongForTheAnswer() {
    String longValue = "ab".repeat(4000);
    DecodeOutcome outcome = decode(update("", "50 63 0fa0" + longValue + "40 63 00", ""), EXTERNAL);
    assertThat(answerOf(outcome)).startsWith("0302" + "50630fa0").hasSize(2 * (2 + 4 + 4000));
    BgpMessage.Notification notification =
        Notifications.update(Iana.UPDATE_OPTIONAL_ATTRIBUTE, Octets.of(new byte[10_000]));
    assertThat(Wire.encode(notification, EXTERNAL)).hasSize(4096);
  }
}

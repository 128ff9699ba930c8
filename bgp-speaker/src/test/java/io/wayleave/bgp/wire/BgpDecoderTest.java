package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.Wire.EXTERNAL;
import static io.wayleave.bgp.wire.Wire.answerOf;
import static io.wayleave.bgp.wire.Wire.decode;
import static io.wayleave.bgp.wire.Wire.decodeGood;
import static io.wayleave.bgp.wire.Wire.message;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.BgpMessage.RouteRefresh;
import io.wayleave.bgp.wire.DecodeOutcome.Ignored;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.model.Asn;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OPEN, NOTIFICATION and ROUTE-REFRESH: what is refused, and with which NOTIFICATION. */
class BgpDecoderTest {
  @ParameterizedTest(name = "{2}")
  @CsvSource(
      quoteCharacter = '"',
      value = {
        // body of the OPEN, body of the NOTIFICATION, reason; RFC 4271 section 6.2
        "03 fde8 0009 0a000001 00, 02010004, version 3; expected: 4",
        "05 fde8 0009 0a000001 00, 02010004, version 5; expected: 4",
        "04 0000 0009 0a000001 00, 0202, AS number 0",
        "04 fde8 0001 0a000001 00, 0206, hold time of 1 s; expected: 0 or 3 to 65535",
        "04 fde8 0002 0a000001 00, 0206, hold time of 2 s; expected: 0 or 3 to 65535",
        "04 fde8 0009 00000000 00, 0203, BGP identifier 0.0.0.0",
        "04 fde8 0009 0a000001 04 01 02 0000, 0204, optional parameter 1; expected: 2",
        "04 fde8 0009 0a000001 01, 0200, parameters of 1 octets where 0 are",
        "04 fde8 0009 0a000001 00 02, 0200, parameters of 0 octets where 1 are",
        "04 fde8 0009 0a000001 01 02, 0200, a parameter without a length",
        "04 fde8 0009 0a000001 02 02 01, 0200, parameter of 1 octets where 0 are left",
        "04 fde8 0009 0a000001 03 02 01 41, 0200, a capability without a length",
        "04 fde8 0009 0a000001 05 02 03 41 04 00, 0200, capability 65 has 1 of 4 octets",
        "04 fde8 0009 0a000001 05 02 03 01 01 00, 0200,"
            + " capability 1 has a length of 1; expected: 4",
        "04 fde8 0009 0a000001 05 02 03 02 01 00, 0200,"
            + " capability 2 has a length of 1; expected: 0",
        "04 fde8 0009 0a000001 05 02 03 05 01 00, 0200,"
            + " capability 5 has a length of 1; expected: a multiple of 6",
        "04 fde8 0009 0a000001 05 02 03 06 01 00, 0200,"
            + " capability 6 has a length of 1; expected: 0",
        "04 fde8 0009 0a000001 05 02 03 40 01 00, 0200,"
            + " capability 64 has a length of 1; expected: 2 and a multiple of 4",
        "04 fde8 0009 0a000001 08 02 06 40 04 00780001, 0200,"
            + " capability 64 has a length of 4; expected: 2 and a multiple of 4",
        "04 fde8 0009 0a000001 04 02 02 41 00, 0200,"
            + " capability 65 has a length of 0; expected: 4",
        "04 fde8 0009 0a000001 05 02 03 46 01 00, 0200,"
            + " capability 70 has a length of 1; expected: 0",
        "04 fde8 0009 0a000001 08 02 06 41 04 00000000, 0202, the four-octet AS number is 0",
        // RFC 9072
        "04 fde8 0009 0a000001 ff ff, 0200, extended parameters without a length",
        "04 fde8 0009 0a000001 ff ff 0004 02 0002 0200 ff, 0200,"
            + " parameters of 4 octets where 6 are"
      })
  void refusesOpen(String body, String answer, String reason) {
    DecodeOutcome outcome = decode(message(Iana.MSG_OPEN, body), EXTERNAL);
    assertThat(answerOf(outcome)).isEqualTo(answer);
    assertThat(((Reset) outcome).reason()).isEqualTo("OPEN: " + reason);
  }

  @Test
  void readsCapabilitiesOfSeveralParameters() {
    // RFC 5492 section 4 allows one parameter for each capability.
    Open open =
        (Open)
            decodeGood(
                message(1, "04 5ba0 0009 0a000001 0c 02 02 0200 02 06 41 04 000186a0"), EXTERNAL);
    assertThat(open.capabilities())
        .containsExactly(new Capability.RouteRefresh(), new Capability.FourOctetAs(Asn.of(100000)));
    assertThat(open.as()).isEqualTo(Asn.of(100000));
  }

  @Test
  void readsExtendedParametersThatWouldFitTheShortForm() {
    // RFC 9072 section 2: a receiver must take them, and the first length octet says nothing.
    Open open =
        (Open) decodeGood(message(1, "04 fde8 0009 0a000001 07 ff 0005 02 0002 0200"), EXTERNAL);
    assertThat(open.capabilities()).containsExactly(new Capability.RouteRefresh());
  }

  @Test
  void withoutMultiProtocolAnOpenOffersIpv4Unicast() {
    Open open = (Open) decodeGood(message(1, "04 fde8 0009 0a000001 00"), EXTERNAL);
    assertThat(open.families()).containsExactly(AddressFamily.IPV4_UNICAST);
  }

  /** RFC 7911 section 4: with a send/receive value of 0 or 4 and more it is not understood. */
  @Test
  void addPathOfUnknownDirectionIsIgnored() {
    Open open =
        (Open)
            Wire.decodeGood(
                Wire.message(1, "04 fde8 0003 0a000001 0c 02 0a 45 08 000101 01 000201 04"),
                Wire.EXTERNAL);
    assertThat(open.capabilities())
        .containsExactly(new Capability.Unknown(69, Octets.parseHex("0001010100020104")));
  }

  @Test
  void ignoresRefreshOfUnknownSubtype() {
    assertThat(decode(message(5, "0001 03 01"), EXTERNAL))
        .isEqualTo(new Ignored("ROUTE-REFRESH of subtype 3"));
  }

  @Test
  void refusesRefreshMarkerOfWrongLengthWithTheWholeMessage() {
    byte[] begin = message(5, "0001 01 01 00");
    // RFC 7313 section 5.
    assertThat(answerOf(decode(begin, EXTERNAL))).isEqualTo("0701" + Wire.hex(begin));
  }

  @Test
  void takesRefreshRequestWithFilterEntriesAsRequest() {
    assertThat(decodeGood(message(5, "0001 00 01 01 80 0000"), EXTERNAL))
        .isEqualTo(RouteRefresh.request(AddressFamily.IPV4_UNICAST));
  }

  @Test
  void refusesFrameThatIsNotAsLongAsItSays() {
    byte[] message = Wire.bytes(Wire.hex(message(4, "")) + "00");
    assertThat(answerOf(decode(message, EXTERNAL))).isEqualTo("01020013");
  }
}

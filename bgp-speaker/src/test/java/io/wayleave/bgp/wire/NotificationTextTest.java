package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.BgpMessage.Notification;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NotificationTextTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | 1 | '' | Message Header Error/Connection Not Synchronized (1/1)",
        "1 | 2 | 1001 | Message Header Error/Bad Message Length (1/2): length 4097",
        "1 | 3 | 09 | Message Header Error/Bad Message Type (1/3): type 9",
        "2 | 0 | '' | OPEN Message Error (2/0)",
        "2 | 1 | 0004 | OPEN Message Error/Unsupported Version Number (2/1): version 4 is"
            + " supported",
        "2 | 2 | '' | OPEN Message Error/Bad Peer AS (2/2)",
        "2 | 7 | 010400020001 |"
            + " OPEN Message Error/Unsupported Capability (2/7), data 0x010400020001",
        "3 | 3 | 02 | UPDATE Message Error/Missing Well-known Attribute (3/3): as-path",
        "3 | 6 | 40010103 |"
            + " UPDATE Message Error/Invalid ORIGIN Attribute (3/6): origin, data 0x40010103",
        "3 | 11 | '' | UPDATE Message Error/Malformed AS_PATH (3/11)",
        "4 | 0 | '' | Hold Timer Expired (4/0)",
        "5 | 3 | 01 |"
            + " Finite State Machine Error/Unexpected Message in Established State (5/3):"
            + " message type 1",
        "6 | 1 | 000101000003e8 |"
            + " Cease/Maximum Number of Prefixes Reached (6/1): ipv4-unicast limit 1000",
        "6 | 2 | '' | Cease/Administrative Shutdown (6/2)",
        "6 | 2 | 03627965 | Cease/Administrative Shutdown (6/2): \"bye\"",
        "6 | 7 | '' | Cease/Connection Collision Resolution (6/7)",
        "6 | 9 | 060203627965 |"
            + " Cease/Hard Reset (6/9): Cease/Administrative Shutdown (6/2): \"bye\"",
        "6 | 9 | 06090609 | Cease/Hard Reset (6/9): Cease/Hard Reset (6/9)",
        "6 | 9 | 06 | Cease/Hard Reset (6/9), data 0x06",
        "7 | 1 | '' | ROUTE-REFRESH Message Error/Invalid Message Length (7/1)",
        "8 | 0 | '' | Send Hold Timer Expired (8/0)",
        "6 | 99 | aabb | Cease/Unknown Subcode 99 (6/99), data 0xaabb",
        "200 | 1 | '' | Unknown Error/Unknown Subcode 1 (200/1)"
      })
  void saysWhatItMeans(int code, int subcode, String data, String expected) {
    Notification notification = new Notification(code, subcode, Octets.parseHex(data));
    assertThat(NotificationText.of(notification)).isEqualTo(expected);
    assertThat(notification).hasToString(expected);
  }

  /** RFC 9003 section 2. */
  @Test
  void readsTheOperatorsMessage() {
    assertThat(NotificationText.shutdownCommunication(Notifications.shutdown("Wartung ä €")))
        .contains("Wartung ä €");
    assertThat(NotificationText.shutdownCommunication(Notifications.reset("soon back")))
        .contains("soon back");
    assertThat(Notifications.shutdown("").data()).isEqualTo(Octets.EMPTY);
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource({
    "'', no data",
    "00, empty message",
    "05 627965, length beyond the data",
    "02 c328, no UTF-8",
    "01 ff, no UTF-8 either"
  })
  void refusesMalformedOperatorsMessage(String data, String why) {
    Notification notification =
        new Notification(Iana.ERR_CEASE, Iana.CEASE_ADMINISTRATIVE_SHUTDOWN, Octets.parseHex(data));
    assertThat(NotificationText.shutdownCommunication(notification)).as(why).isEmpty();
  }

  /** What would move a terminal's cursor, turn its text around or start a new line of a log. */
  @Test
  void replacesControlCharacters() {
    assertThat(
            NotificationText.shutdownCommunication(
                Notifications.shutdown("a\u001b[31m\nb\u009bc\u202ed\u2028e")))
        .contains("a?[31m?b?c?d?e");
  }

  @Test
  void otherCeaseSubcodesHaveNoMessage() {
    Notification notification =
        new Notification(
            Iana.ERR_CEASE, Iana.CEASE_CONNECTION_REJECTED, Octets.parseHex("03627965"));
    assertThat(NotificationText.shutdownCommunication(notification)).isEmpty();
  }

  @Test
  void cutsLongMessageBetweenCharacters() {
    Octets data = Notifications.shutdown("x" + "ä".repeat(200)).data();
    assertThat(data.at(0)).isEqualTo(255);
    assertThat(data.length()).isEqualTo(256);
    Octets wide = Notifications.shutdown("€".repeat(100)).data();
    assertThat(wide.at(0)).isEqualTo(255);
    assertThat(NotificationText.shutdownCommunication(Notifications.shutdown("ä".repeat(200))))
        .hasValueSatisfying(text -> assertThat(text.getBytes(StandardCharsets.UTF_8)).hasSize(254));
  }
}

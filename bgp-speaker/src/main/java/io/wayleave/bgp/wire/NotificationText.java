package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.Iana.CEASE_ADMINISTRATIVE_RESET;
import static io.wayleave.bgp.wire.Iana.CEASE_ADMINISTRATIVE_SHUTDOWN;
import static io.wayleave.bgp.wire.Iana.CEASE_BFD_DOWN;
import static io.wayleave.bgp.wire.Iana.CEASE_CONNECTION_COLLISION;
import static io.wayleave.bgp.wire.Iana.CEASE_CONNECTION_REJECTED;
import static io.wayleave.bgp.wire.Iana.CEASE_HARD_RESET;
import static io.wayleave.bgp.wire.Iana.CEASE_MAXIMUM_PREFIXES;
import static io.wayleave.bgp.wire.Iana.CEASE_OTHER_CONFIGURATION_CHANGE;
import static io.wayleave.bgp.wire.Iana.CEASE_OUT_OF_RESOURCES;
import static io.wayleave.bgp.wire.Iana.CEASE_PEER_DECONFIGURED;
import static io.wayleave.bgp.wire.Iana.ERR_CEASE;
import static io.wayleave.bgp.wire.Iana.ERR_FSM;
import static io.wayleave.bgp.wire.Iana.ERR_HEADER;
import static io.wayleave.bgp.wire.Iana.ERR_HOLD_TIMER_EXPIRED;
import static io.wayleave.bgp.wire.Iana.ERR_OPEN;
import static io.wayleave.bgp.wire.Iana.ERR_ROUTE_REFRESH;
import static io.wayleave.bgp.wire.Iana.ERR_SEND_HOLD_TIMER_EXPIRED;
import static io.wayleave.bgp.wire.Iana.ERR_UPDATE;
import static io.wayleave.bgp.wire.Iana.FSM_UNEXPECTED_IN_ESTABLISHED;
import static io.wayleave.bgp.wire.Iana.FSM_UNEXPECTED_IN_OPEN_CONFIRM;
import static io.wayleave.bgp.wire.Iana.FSM_UNEXPECTED_IN_OPEN_SENT;
import static io.wayleave.bgp.wire.Iana.HEADER_BAD_LENGTH;
import static io.wayleave.bgp.wire.Iana.HEADER_BAD_TYPE;
import static io.wayleave.bgp.wire.Iana.HEADER_NOT_SYNCHRONIZED;
import static io.wayleave.bgp.wire.Iana.OPEN_BAD_BGP_IDENTIFIER;
import static io.wayleave.bgp.wire.Iana.OPEN_BAD_PEER_AS;
import static io.wayleave.bgp.wire.Iana.OPEN_ROLE_MISMATCH;
import static io.wayleave.bgp.wire.Iana.OPEN_UNACCEPTABLE_HOLD_TIME;
import static io.wayleave.bgp.wire.Iana.OPEN_UNSUPPORTED_CAPABILITY;
import static io.wayleave.bgp.wire.Iana.OPEN_UNSUPPORTED_PARAMETER;
import static io.wayleave.bgp.wire.Iana.OPEN_UNSUPPORTED_VERSION;
import static io.wayleave.bgp.wire.Iana.ROUTE_REFRESH_INVALID_LENGTH;
import static io.wayleave.bgp.wire.Iana.UNSPECIFIC;
import static io.wayleave.bgp.wire.Iana.UPDATE_ATTRIBUTE_FLAGS;
import static io.wayleave.bgp.wire.Iana.UPDATE_ATTRIBUTE_LENGTH;
import static io.wayleave.bgp.wire.Iana.UPDATE_INVALID_NETWORK_FIELD;
import static io.wayleave.bgp.wire.Iana.UPDATE_INVALID_NEXT_HOP;
import static io.wayleave.bgp.wire.Iana.UPDATE_INVALID_ORIGIN;
import static io.wayleave.bgp.wire.Iana.UPDATE_MALFORMED_AS_PATH;
import static io.wayleave.bgp.wire.Iana.UPDATE_MALFORMED_ATTRIBUTE_LIST;
import static io.wayleave.bgp.wire.Iana.UPDATE_MISSING_WELL_KNOWN;
import static io.wayleave.bgp.wire.Iana.UPDATE_OPTIONAL_ATTRIBUTE;
import static io.wayleave.bgp.wire.Iana.UPDATE_UNRECOGNIZED_WELL_KNOWN;

import io.wayleave.bgp.wire.BgpMessage.Notification;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** Says in words what a NOTIFICATION means, for logs and {@code netctl}. */
public final class NotificationText {
  private NotificationText() {}

  /**
   * One line: names of code and subcode, both numbers, and what the data tells, such as {@code
   * Cease/Administrative Shutdown (6/2): "rack maintenance"}.
   */
  public static String of(Notification notification) {
    String subcode = subcodeName(notification.code(), notification.subcode());
    return codeName(notification.code())
        + (subcode.isEmpty() ? "" : "/" + subcode)
        + " ("
        + notification.code()
        + "/"
        + notification.subcode()
        + ")"
        + dataText(notification);
  }

  /**
   * The operator's message of RFC 9003 with control, format and line-break characters replaced;
   * none when the kind of NOTIFICATION has none, or its length octet or UTF-8 is wrong.
   */
  public static Optional<String> shutdownCommunication(Notification notification) {
    Octets data = notification.data();
    boolean hasText =
        notification.code() == ERR_CEASE
            && (notification.subcode() == CEASE_ADMINISTRATIVE_SHUTDOWN
                || notification.subcode() == CEASE_ADMINISTRATIVE_RESET)
            && data.length() > 1
            && data.at(0) > 0
            && data.at(0) < data.length();
    if (!hasText) {
      return Optional.empty();
    }
    try {
      ByteBuffer utf8 = ByteBuffer.wrap(data.toArray(), 1, data.at(0));
      String text = StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
      // RFC 9003 section 5 warns of what a peer may write into logs and terminals.
      return Optional.of(text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "?"));
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  /** Name of an error code. */
  public static String codeName(int code) {
    return switch (code) {
      case ERR_HEADER -> "Message Header Error";
      case ERR_OPEN -> "OPEN Message Error";
      case ERR_UPDATE -> "UPDATE Message Error";
      case ERR_HOLD_TIMER_EXPIRED -> "Hold Timer Expired";
      case ERR_FSM -> "Finite State Machine Error";
      case ERR_CEASE -> "Cease";
      case ERR_ROUTE_REFRESH -> "ROUTE-REFRESH Message Error";
      case ERR_SEND_HOLD_TIMER_EXPIRED -> "Send Hold Timer Expired";
      default -> "Unknown Error";
    };
  }

  /** Name of a subcode; empty for subcode 0. */
  public static String subcodeName(int code, int subcode) {
    if (subcode == UNSPECIFIC) {
      return "";
    }
    return switch (code) {
      case ERR_HEADER -> headerSubcode(subcode);
      case ERR_OPEN -> openSubcode(subcode);
      case ERR_UPDATE -> updateSubcode(subcode);
      case ERR_FSM -> fsmSubcode(subcode);
      case ERR_CEASE -> ceaseSubcode(subcode);
      case ERR_ROUTE_REFRESH ->
          subcode == ROUTE_REFRESH_INVALID_LENGTH ? "Invalid Message Length" : unknown(subcode);
      default -> unknown(subcode);
    };
  }

  private static String headerSubcode(int subcode) {
    return switch (subcode) {
      case HEADER_NOT_SYNCHRONIZED -> "Connection Not Synchronized";
      case HEADER_BAD_LENGTH -> "Bad Message Length";
      case HEADER_BAD_TYPE -> "Bad Message Type";
      default -> unknown(subcode);
    };
  }

  private static String openSubcode(int subcode) {
    return switch (subcode) {
      case OPEN_UNSUPPORTED_VERSION -> "Unsupported Version Number";
      case OPEN_BAD_PEER_AS -> "Bad Peer AS";
      case OPEN_BAD_BGP_IDENTIFIER -> "Bad BGP Identifier";
      case OPEN_UNSUPPORTED_PARAMETER -> "Unsupported Optional Parameter";
      case OPEN_UNACCEPTABLE_HOLD_TIME -> "Unacceptable Hold Time";
      case OPEN_UNSUPPORTED_CAPABILITY -> "Unsupported Capability";
      case OPEN_ROLE_MISMATCH -> "Role Mismatch";
      default -> unknown(subcode);
    };
  }

  private static String updateSubcode(int subcode) {
    return switch (subcode) {
      case UPDATE_MALFORMED_ATTRIBUTE_LIST -> "Malformed Attribute List";
      case UPDATE_UNRECOGNIZED_WELL_KNOWN -> "Unrecognized Well-known Attribute";
      case UPDATE_MISSING_WELL_KNOWN -> "Missing Well-known Attribute";
      case UPDATE_ATTRIBUTE_FLAGS -> "Attribute Flags Error";
      case UPDATE_ATTRIBUTE_LENGTH -> "Attribute Length Error";
      case UPDATE_INVALID_ORIGIN -> "Invalid ORIGIN Attribute";
      case UPDATE_INVALID_NEXT_HOP -> "Invalid NEXT_HOP Attribute";
      case UPDATE_OPTIONAL_ATTRIBUTE -> "Optional Attribute Error";
      case UPDATE_INVALID_NETWORK_FIELD -> "Invalid Network Field";
      case UPDATE_MALFORMED_AS_PATH -> "Malformed AS_PATH";
      default -> unknown(subcode);
    };
  }

  private static String fsmSubcode(int subcode) {
    return switch (subcode) {
      case FSM_UNEXPECTED_IN_OPEN_SENT -> "Unexpected Message in OpenSent State";
      case FSM_UNEXPECTED_IN_OPEN_CONFIRM -> "Unexpected Message in OpenConfirm State";
      case FSM_UNEXPECTED_IN_ESTABLISHED -> "Unexpected Message in Established State";
      default -> unknown(subcode);
    };
  }

  private static String ceaseSubcode(int subcode) {
    return switch (subcode) {
      case CEASE_MAXIMUM_PREFIXES -> "Maximum Number of Prefixes Reached";
      case CEASE_ADMINISTRATIVE_SHUTDOWN -> "Administrative Shutdown";
      case CEASE_PEER_DECONFIGURED -> "Peer De-configured";
      case CEASE_ADMINISTRATIVE_RESET -> "Administrative Reset";
      case CEASE_CONNECTION_REJECTED -> "Connection Rejected";
      case CEASE_OTHER_CONFIGURATION_CHANGE -> "Other Configuration Change";
      case CEASE_CONNECTION_COLLISION -> "Connection Collision Resolution";
      case CEASE_OUT_OF_RESOURCES -> "Out of Resources";
      case CEASE_HARD_RESET -> "Hard Reset";
      case CEASE_BFD_DOWN -> "BFD Down";
      default -> unknown(subcode);
    };
  }

  private static String unknown(int subcode) {
    return "Unknown Subcode " + subcode;
  }

  private static String dataText(Notification notification) {
    Octets data = notification.data();
    if (data.length() == 0) {
      return "";
    }
    Optional<String> text = shutdownCommunication(notification);
    if (text.isPresent()) {
      return ": \"" + text.get() + "\"";
    }
    int code = notification.code();
    int subcode = notification.subcode();
    if (code == ERR_CEASE && subcode == CEASE_HARD_RESET && data.length() >= 2) {
      return ": " + of(insideHardReset(data));
    }
    if (code == ERR_HEADER && subcode == HEADER_BAD_LENGTH && data.length() == 2) {
      return ": length " + (data.at(0) << 8 | data.at(1));
    }
    if (code == ERR_HEADER && subcode == HEADER_BAD_TYPE && data.length() == 1) {
      return ": type " + data.at(0);
    }
    if (code == ERR_OPEN && subcode == OPEN_UNSUPPORTED_VERSION && data.length() == 2) {
      return ": version " + (data.at(0) << 8 | data.at(1)) + " is supported";
    }
    if (code == ERR_UPDATE && subcode == UPDATE_MISSING_WELL_KNOWN && data.length() == 1) {
      return ": " + PathAttribute.nameOf(data.at(0));
    }
    if (code == ERR_UPDATE && data.length() >= 3) {
      return ": " + PathAttribute.nameOf(data.at(1)) + ", data 0x" + data;
    }
    if (code == ERR_FSM && data.length() == 1) {
      return ": message type " + data.at(0);
    }
    if (code == ERR_CEASE && subcode == CEASE_MAXIMUM_PREFIXES && data.length() == 7) {
      AddressFamily family = new AddressFamily(data.at(0) << 8 | data.at(1), data.at(2));
      long limit = 0;
      for (int i = 3; i < 7; i++) {
        limit = limit << 8 | data.at(i);
      }
      return ": " + family + " limit " + limit;
    }
    return ", data 0x" + data;
  }

  /**
   * RFC 8538 section 3.1: the data is the code, subcode and data of the real reason. A hard reset
   * inside of a hard reset is not looked into: a peer could nest them two thousand deep.
   */
  private static Notification insideHardReset(Octets data) {
    boolean nested = data.at(0) == ERR_CEASE && data.at(1) == CEASE_HARD_RESET;
    byte[] all = data.toArray();
    Octets rest = nested ? Octets.EMPTY : Octets.of(Arrays.copyOfRange(all, 2, all.length));
    return new Notification(data.at(0), data.at(1), rest);
  }
}

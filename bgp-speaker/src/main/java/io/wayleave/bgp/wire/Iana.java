package io.wayleave.bgp.wire;

/**
 * Every number that IANA assigns and this codec knows, and nothing else. Names of codes for people
 * are in {@link NotificationText}; the attribute table is {@link PathAttribute}.
 */
public final class Iana {
  private Iana() {}

  // RFC 4271 section 4.1: message header.
  public static final int MARKER_LENGTH = 16;
  public static final int HEADER_LENGTH = 19;
  public static final int MAX_MESSAGE_LENGTH = 4096;

  /** RFC 8654: the limit of UPDATE, NOTIFICATION and ROUTE-REFRESH once negotiated. */
  public static final int MAX_EXTENDED_MESSAGE_LENGTH = 65535;

  public static final int VERSION = 4;

  // BGP Message Types.
  public static final int MSG_OPEN = 1;
  public static final int MSG_UPDATE = 2;
  public static final int MSG_NOTIFICATION = 3;
  public static final int MSG_KEEPALIVE = 4;
  public static final int MSG_ROUTE_REFRESH = 5;

  // BGP OPEN Optional Parameter Types.
  public static final int OPEN_PARAM_CAPABILITIES = 2;

  /** RFC 9072 section 2: in the place of length and first type, it announces the extended form. */
  public static final int OPEN_PARAM_EXTENDED_LENGTH = 255;

  // Capability Codes.
  public static final int CAP_MULTIPROTOCOL = 1; // RFC 4760
  public static final int CAP_ROUTE_REFRESH = 2; // RFC 2918
  public static final int CAP_EXTENDED_NEXT_HOP = 5; // RFC 8950
  public static final int CAP_EXTENDED_MESSAGE = 6; // RFC 8654
  public static final int CAP_GRACEFUL_RESTART = 64; // RFC 4724
  public static final int CAP_FOUR_OCTET_AS = 65; // RFC 6793
  public static final int CAP_ADD_PATH = 69; // RFC 7911
  public static final int CAP_ENHANCED_ROUTE_REFRESH = 70; // RFC 7313

  // Address Family Numbers and SAFI values.
  public static final int AFI_IPV4 = 1;
  public static final int AFI_IPV6 = 2;
  public static final int SAFI_UNICAST = 1;

  // BGP Path Attributes.
  public static final int ATTR_ORIGIN = 1;
  public static final int ATTR_AS_PATH = 2;
  public static final int ATTR_NEXT_HOP = 3;
  public static final int ATTR_MULTI_EXIT_DISC = 4;
  public static final int ATTR_LOCAL_PREF = 5;
  public static final int ATTR_ATOMIC_AGGREGATE = 6;
  public static final int ATTR_AGGREGATOR = 7;
  public static final int ATTR_COMMUNITIES = 8; // RFC 1997
  public static final int ATTR_ORIGINATOR_ID = 9; // RFC 4456
  public static final int ATTR_CLUSTER_LIST = 10; // RFC 4456
  public static final int ATTR_MP_REACH_NLRI = 14; // RFC 4760
  public static final int ATTR_MP_UNREACH_NLRI = 15; // RFC 4760
  public static final int ATTR_EXTENDED_COMMUNITIES = 16; // RFC 4360
  public static final int ATTR_AS4_PATH = 17; // RFC 6793
  public static final int ATTR_AS4_AGGREGATOR = 18; // RFC 6793
  public static final int ATTR_LARGE_COMMUNITIES = 32; // RFC 8092

  // Attribute flags, RFC 4271 section 4.3.
  public static final int FLAG_OPTIONAL = 0x80;
  public static final int FLAG_TRANSITIVE = 0x40;
  public static final int FLAG_PARTIAL = 0x20;
  public static final int FLAG_EXTENDED_LENGTH = 0x10;

  // AS_PATH segment types, RFC 4271 section 4.3 and RFC 5065 section 3.
  public static final int SEGMENT_AS_SET = 1;
  public static final int SEGMENT_AS_SEQUENCE = 2;
  public static final int SEGMENT_AS_CONFED_SEQUENCE = 3;
  public static final int SEGMENT_AS_CONFED_SET = 4;

  // BGP Error (Notification) Codes.
  public static final int ERR_HEADER = 1;
  public static final int ERR_OPEN = 2;
  public static final int ERR_UPDATE = 3;
  public static final int ERR_HOLD_TIMER_EXPIRED = 4;
  public static final int ERR_FSM = 5;
  public static final int ERR_CEASE = 6;
  public static final int ERR_ROUTE_REFRESH = 7; // RFC 7313
  public static final int ERR_SEND_HOLD_TIMER_EXPIRED = 8; // RFC 9687

  /** Subcode of an error that has no number of its own. */
  public static final int UNSPECIFIC = 0;

  // Message Header Error subcodes.
  public static final int HEADER_NOT_SYNCHRONIZED = 1;
  public static final int HEADER_BAD_LENGTH = 2;
  public static final int HEADER_BAD_TYPE = 3;

  // OPEN Message Error subcodes.
  public static final int OPEN_UNSUPPORTED_VERSION = 1;
  public static final int OPEN_BAD_PEER_AS = 2;
  public static final int OPEN_BAD_BGP_IDENTIFIER = 3;
  public static final int OPEN_UNSUPPORTED_PARAMETER = 4;
  public static final int OPEN_UNACCEPTABLE_HOLD_TIME = 6;
  public static final int OPEN_UNSUPPORTED_CAPABILITY = 7; // RFC 5492
  public static final int OPEN_ROLE_MISMATCH = 11; // RFC 9234

  // UPDATE Message Error subcodes.
  public static final int UPDATE_MALFORMED_ATTRIBUTE_LIST = 1;
  public static final int UPDATE_UNRECOGNIZED_WELL_KNOWN = 2;
  public static final int UPDATE_MISSING_WELL_KNOWN = 3;
  public static final int UPDATE_ATTRIBUTE_FLAGS = 4;
  public static final int UPDATE_ATTRIBUTE_LENGTH = 5;
  public static final int UPDATE_INVALID_ORIGIN = 6;
  public static final int UPDATE_INVALID_NEXT_HOP = 8;
  public static final int UPDATE_OPTIONAL_ATTRIBUTE = 9;
  public static final int UPDATE_INVALID_NETWORK_FIELD = 10;
  public static final int UPDATE_MALFORMED_AS_PATH = 11;

  // Finite State Machine Error subcodes, RFC 6608.
  public static final int FSM_UNEXPECTED_IN_OPEN_SENT = 1;
  public static final int FSM_UNEXPECTED_IN_OPEN_CONFIRM = 2;
  public static final int FSM_UNEXPECTED_IN_ESTABLISHED = 3;

  // Cease subcodes, RFC 4486, and later ones as noted.
  public static final int CEASE_MAXIMUM_PREFIXES = 1;
  public static final int CEASE_ADMINISTRATIVE_SHUTDOWN = 2;
  public static final int CEASE_PEER_DECONFIGURED = 3;
  public static final int CEASE_ADMINISTRATIVE_RESET = 4;
  public static final int CEASE_CONNECTION_REJECTED = 5;
  public static final int CEASE_OTHER_CONFIGURATION_CHANGE = 6;
  public static final int CEASE_CONNECTION_COLLISION = 7;
  public static final int CEASE_OUT_OF_RESOURCES = 8;
  public static final int CEASE_HARD_RESET = 9; // RFC 8538
  public static final int CEASE_BFD_DOWN = 10; // RFC 9384

  // ROUTE-REFRESH Message Error subcodes, RFC 7313.
  public static final int ROUTE_REFRESH_INVALID_LENGTH = 1;

  // Graceful restart capability, RFC 4724 section 3 and RFC 8538 section 2.
  public static final int GR_FLAG_RESTART_STATE = 0x8;
  public static final int GR_FLAG_NOTIFICATION = 0x4;
  public static final int GR_FAMILY_FLAG_FORWARDING = 0x80;
  public static final int GR_MAX_RESTART_TIME = 0xfff;

  // ADD-PATH capability, RFC 7911 section 4.
  public static final int ADD_PATH_RECEIVE = 1;
  public static final int ADD_PATH_SEND = 2;
  public static final int ADD_PATH_BOTH = 3;

  // Well-known communities.
  public static final int COMMUNITY_GRACEFUL_SHUTDOWN = 0xffff_0000; // RFC 8326
  public static final int COMMUNITY_BLACKHOLE = 0xffff_029a; // RFC 7999
  public static final int COMMUNITY_NO_EXPORT = 0xffff_ff01; // RFC 1997
  public static final int COMMUNITY_NO_ADVERTISE = 0xffff_ff02; // RFC 1997
  public static final int COMMUNITY_NO_EXPORT_SUBCONFED = 0xffff_ff03; // RFC 1997
}

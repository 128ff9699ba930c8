package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import java.util.List;

/** One capability of an OPEN message (RFC 5492). */
public sealed interface Capability {
  /** The number that IANA gave it. */
  int code();

  /**
   * RFC 4760 section 8.
   *
   * <pre>
   * AFI (2 octets) | reserved (1) | SAFI (1)
   * </pre>
   */
  record MultiProtocol(AddressFamily family) implements Capability {
    public MultiProtocol {
      requireNonNull(family, "family is null");
    }

    @Override
    public int code() {
      return Iana.CAP_MULTIPROTOCOL;
    }
  }

  /** RFC 2918; no value. */
  record RouteRefresh() implements Capability {
    @Override
    public int code() {
      return Iana.CAP_ROUTE_REFRESH;
    }
  }

  /**
   * RFC 8950: which families the speaker reads with a next hop of which other family.
   *
   * <pre>
   * repeated: NLRI AFI (2 octets) | NLRI SAFI (2) | next hop AFI (2)
   * </pre>
   */
  record ExtendedNextHop(List<Encoding> encodings) implements Capability {
    public ExtendedNextHop {
      encodings = List.copyOf(encodings);
    }

    @Override
    public int code() {
      return Iana.CAP_EXTENDED_NEXT_HOP;
    }

    /** Prefixes of that family may come with a next hop of that AFI. */
    public record Encoding(AddressFamily family, int nextHopAfi) {
      public static final Encoding IPV4_OVER_IPV6 =
          new Encoding(AddressFamily.IPV4_UNICAST, Iana.AFI_IPV6);

      public Encoding {
        requireNonNull(family, "family is null");
      }
    }
  }

  /** RFC 8654; no value. */
  record ExtendedMessage() implements Capability {
    @Override
    public int code() {
      return Iana.CAP_EXTENDED_MESSAGE;
    }
  }

  /**
   * RFC 4724 section 3, with the N bit of RFC 8538.
   *
   * <pre>
   * R N . . | restart time, seconds (12 bits) | repeated: AFI (2) | SAFI (1) | F . . . . . . . (1)
   * </pre>
   *
   * @param restarting R: the speaker has restarted
   * @param notification N: graceful restart also covers NOTIFICATION and hold timer expiry
   * @param restartTime seconds, 0 to 4095
   * @param families none means: helps others to restart and keeps nothing itself
   */
  record GracefulRestart(
      boolean restarting, boolean notification, int restartTime, List<RestartFamily> families)
      implements Capability {
    public GracefulRestart {
      if (restartTime < 0 || restartTime > Iana.GR_MAX_RESTART_TIME) {
        throw new IllegalArgumentException(
            "restart time " + restartTime + " is out of range: 0 to " + Iana.GR_MAX_RESTART_TIME);
      }
      families = List.copyOf(families);
    }

    @Override
    public int code() {
      return Iana.CAP_GRACEFUL_RESTART;
    }

    /** F: the forwarding state of the family survived the restart. */
    public record RestartFamily(AddressFamily family, boolean forwardingPreserved) {
      public RestartFamily {
        requireNonNull(family, "family is null");
      }
    }
  }

  /** RFC 6793 section 3: the real AS number in 4 octets. */
  record FourOctetAs(Asn as) implements Capability {
    public FourOctetAs {
      requireNonNull(as, "as is null");
    }

    @Override
    public int code() {
      return Iana.CAP_FOUR_OCTET_AS;
    }
  }

  /**
   * RFC 7911 section 4: for which families the speaker reads and writes path identifiers.
   *
   * <pre>
   * repeated: AFI (2 octets) | SAFI (1) | send/receive (1)
   * </pre>
   */
  record AddPath(List<Direction> directions) implements Capability {
    public AddPath {
      directions = List.copyOf(directions);
    }

    @Override
    public int code() {
      return Iana.CAP_ADD_PATH;
    }

    /** One family; at least one of receive and send. */
    public record Direction(AddressFamily family, boolean receive, boolean send) {
      public Direction {
        requireNonNull(family, "family is null");
        if (!receive && !send) {
          throw new IllegalArgumentException(family + " is neither received nor sent");
        }
      }
    }
  }

  /** RFC 7313; no value. */
  record EnhancedRouteRefresh() implements Capability {
    @Override
    public int code() {
      return Iana.CAP_ENHANCED_ROUTE_REFRESH;
    }
  }

  /** Any other, kept as it came so that it can be shown. */
  record Unknown(int code, Octets value) implements Capability {
    public Unknown {
      if (code < 0 || code > 0xff) {
        throw new IllegalArgumentException(
            "capability code " + code + " is out of range: 0 to 255");
      }
      requireNonNull(value, "value is null");
    }
  }
}

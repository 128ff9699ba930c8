package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** A message of RFC 4271 section 4 or RFC 2918. Immutable values without buffers. */
public sealed interface BgpMessage {
  /** The type octet of the header. */
  int type();

  /**
   * RFC 4271 section 4.2. The version is always 4: another one never gets this far.
   *
   * <pre>
   * version (1) | my AS (2) | hold time (2) | BGP identifier (4) | parameters length (1) | parameters
   * </pre>
   *
   * @param myAs the two-octet field, {@link Asn#AS_TRANS} when the number does not fit; {@link #as}
   *     is the real one
   * @param holdTime seconds, 0 or 3 to 65535
   */
  record Open(int myAs, int holdTime, RouterId bgpId, List<Capability> capabilities)
      implements BgpMessage {
    public Open {
      if (myAs < 1 || myAs > 0xffff) {
        throw new IllegalArgumentException("my AS " + myAs + " is out of range: 1 to 65535");
      }
      if (holdTime < 0 || holdTime > 0xffff || holdTime == 1 || holdTime == 2) {
        throw new IllegalArgumentException(
            "hold time " + holdTime + " is out of range: 0 or 3 to 65535");
      }
      requireNonNull(bgpId, "bgpId is null");
      capabilities = List.copyOf(capabilities);
    }

    /** With the FourOctetAs capability added when it is not among them. */
    public static Open of(Asn as, int holdTime, RouterId bgpId, List<Capability> capabilities) {
      List<Capability> all = new ArrayList<>(capabilities);
      if (all.stream().noneMatch(Capability.FourOctetAs.class::isInstance)) {
        all.add(new Capability.FourOctetAs(as));
      }
      return new Open(as.isTwoOctet() ? (int) as.number() : Asn.AS_TRANS, holdTime, bgpId, all);
    }

    @Override
    public int type() {
      return Iana.MSG_OPEN;
    }

    /** The speaker's AS: of the FourOctetAs capability, else of the field. */
    public Asn as() {
      return capability(Capability.FourOctetAs.class)
          .map(Capability.FourOctetAs::as)
          .orElseGet(() -> Asn.of(myAs));
    }

    /** The first capability of that kind. */
    public <C extends Capability> Optional<C> capability(Class<C> kind) {
      return capabilities.stream().filter(kind::isInstance).map(kind::cast).findFirst();
    }

    /** The last capability of that kind. */
    public <C extends Capability> Optional<C> lastCapability(Class<C> kind) {
      return capabilities.reversed().stream().filter(kind::isInstance).map(kind::cast).findFirst();
    }

    /** What it offers to exchange: IPv4 unicast when it says nothing (RFC 4760 section 8). */
    public List<AddressFamily> families() {
      List<AddressFamily> families =
          capabilities.stream()
              .filter(Capability.MultiProtocol.class::isInstance)
              .map(capability -> ((Capability.MultiProtocol) capability).family())
              .distinct()
              .toList();
      return families.isEmpty() ? List.of(AddressFamily.IPV4_UNICAST) : families;
    }
  }

  /**
   * RFC 4271 section 4.3 and RFC 4760, in terms of routes instead of fields: {@code unreach} holds
   * the withdrawn routes field and MP_UNREACH_NLRI, {@code reach} the NLRI field with NEXT_HOP and
   * MP_REACH_NLRI. Apply {@code unreach} first: a prefix in both is announced (section 4.3).
   *
   * <p>Both lists empty: a message that said nothing about any route, such as attributes alone.
   */
  record Update(List<Unreach> unreach, List<Reach> reach) implements BgpMessage {
    public Update {
      unreach = List.copyOf(unreach);
      reach = List.copyOf(reach);
    }

    public static Update announce(PathAttributes attributes, NextHop nextHop, PrefixList prefixes) {
      return new Update(List.of(), List.of(new Reach(attributes, nextHop, prefixes)));
    }

    public static Update withdraw(PrefixList prefixes) {
      return new Update(List.of(new Unreach(prefixes)), List.of());
    }

    /** All prefixes are of the first one's family. */
    public static Update withdraw(Collection<Cidr> prefixes) {
      return withdraw(PrefixList.of(prefixes.iterator().next().family(), prefixes));
    }

    /** The End-of-RIB marker of a family that this codec can write, RFC 4724 section 2. */
    public static Update endOfRib(AddressFamily family) {
      return withdraw(
          PrefixList.empty(
              family
                  .unicastFamily()
                  .orElseThrow(
                      () -> new IllegalArgumentException(family + " is not a unicast family"))));
    }

    @Override
    public int type() {
      return Iana.MSG_UPDATE;
    }

    /** The family whose End-of-RIB marker this is. */
    public Optional<AddressFamily> endOfRib() {
      return reach.isEmpty() && unreach.size() == 1 && unreach.getFirst().prefixes().isEmpty()
          ? Optional.of(unreach.getFirst().family())
          : Optional.empty();
    }
  }

  /** Prefixes that share attributes and next hop; a next hop of the other family is RFC 8950. */
  record Reach(PathAttributes attributes, NextHop nextHop, PrefixList prefixes) {
    public Reach {
      requireNonNull(attributes, "attributes is null");
      requireNonNull(nextHop, "nextHop is null");
      requireNonNull(prefixes, "prefixes is null");
    }

    public AddressFamily family() {
      return AddressFamily.unicast(prefixes.family());
    }
  }

  /** Prefixes of one family that are no longer reachable by the sender. */
  record Unreach(PrefixList prefixes) {
    public Unreach {
      requireNonNull(prefixes, "prefixes is null");
    }

    public AddressFamily family() {
      return AddressFamily.unicast(prefixes.family());
    }
  }

  /**
   * RFC 4271 section 4.5. Codes need not be known ones: a NOTIFICATION is never answered, so each
   * is taken as it is. {@link NotificationText} says it in words; {@link Notifications} makes the
   * usual ones.
   */
  record Notification(int code, int subcode, Octets data) implements BgpMessage {
    public Notification {
      if (code < 0 || code > 0xff || subcode < 0 || subcode > 0xff) {
        throw new IllegalArgumentException(
            "error code " + code + "/" + subcode + " is out of range: 0 to 255");
      }
      requireNonNull(data, "data is null");
    }

    public Notification(int code, int subcode) {
      this(code, subcode, Octets.EMPTY);
    }

    @Override
    public int type() {
      return Iana.MSG_NOTIFICATION;
    }

    @Override
    public String toString() {
      return NotificationText.of(this);
    }
  }

  /** RFC 4271 section 4.4: a header and nothing else. */
  record Keepalive() implements BgpMessage {
    public static final Keepalive INSTANCE = new Keepalive();

    @Override
    public int type() {
      return Iana.MSG_KEEPALIVE;
    }
  }

  /**
   * RFC 2918 section 3, with the subtype of RFC 7313.
   *
   * <pre>
   * AFI (2) | subtype (1) | SAFI (1)
   * </pre>
   */
  record RouteRefresh(AddressFamily family, Subtype subtype) implements BgpMessage {
    public RouteRefresh {
      requireNonNull(family, "family is null");
      requireNonNull(subtype, "subtype is null");
    }

    public static RouteRefresh request(AddressFamily family) {
      return new RouteRefresh(family, Subtype.REQUEST);
    }

    @Override
    public int type() {
      return Iana.MSG_ROUTE_REFRESH;
    }

    /** BEGIN and END mark a refresh and need EnhancedRouteRefresh (RFC 7313). */
    public enum Subtype {
      REQUEST(0),
      BEGIN(1),
      END(2);

      private final int code;

      Subtype(int code) {
        this.code = code;
      }

      /** The value on the wire. */
      public int code() {
        return code;
      }

      static Optional<Subtype> of(int code) {
        return switch (code) {
          case 0 -> Optional.of(REQUEST);
          case 1 -> Optional.of(BEGIN);
          case 2 -> Optional.of(END);
          default -> Optional.empty();
        };
      }
    }
  }
}

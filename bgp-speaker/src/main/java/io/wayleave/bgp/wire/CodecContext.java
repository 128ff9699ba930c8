package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What both speakers agreed on, as far as bytes depend on it. A session starts with {@link
 * #initial} and has its own from the peer's OPEN on.
 *
 * @param peer whether the peer is in our AS: some attributes are not accepted from others
 * @param fourOctetAs AS numbers take four octets in AS_PATH and AGGREGATOR (RFC 6793)
 * @param families whose routes are exchanged; others are ignored
 * @param ipv4OverIpv6 IPv4 prefixes may have an IPv6 next hop (RFC 8950)
 * @param enhancedRouteRefresh the begin and end markers of RFC 7313 are used
 * @param pathIdsReceived families whose prefixes come with a path identifier (RFC 7911)
 * @param pathIdsSent families whose prefixes are written with a path identifier
 * @param maxReceive largest message accepted, octets
 * @param maxSend largest message made, octets
 */
public record CodecContext(
    PeerType peer,
    boolean fourOctetAs,
    Set<AddressFamily> families,
    boolean ipv4OverIpv6,
    boolean enhancedRouteRefresh,
    Set<AddressFamily> pathIdsReceived,
    Set<AddressFamily> pathIdsSent,
    int maxReceive,
    int maxSend) {

  /** Internal: the peer is in our AS. */
  public enum PeerType {
    INTERNAL,
    EXTERNAL
  }

  public CodecContext {
    requireNonNull(peer, "peer is null");
    families = Set.copyOf(families);
    pathIdsReceived = Set.copyOf(pathIdsReceived);
    pathIdsSent = Set.copyOf(pathIdsSent);
    checkLimit(maxReceive);
    checkLimit(maxSend);
  }

  /** Before the capabilities are known: enough for OPEN, KEEPALIVE and NOTIFICATION. */
  public static CodecContext initial() {
    return new CodecContext(
        PeerType.EXTERNAL,
        false,
        Set.of(AddressFamily.IPV4_UNICAST),
        false,
        false,
        Set.of(),
        Set.of(),
        Iana.MAX_MESSAGE_LENGTH,
        Iana.MAX_MESSAGE_LENGTH);
  }

  /** From the two OPENs of a session. */
  public static CodecContext negotiate(BgpMessage.Open local, BgpMessage.Open remote) {
    Set<AddressFamily> families = new LinkedHashSet<>(local.families());
    families.retainAll(remote.families());
    families.removeIf(family -> family.unicastFamily().isEmpty());
    return new CodecContext(
        local.as().equals(remote.as()) ? PeerType.INTERNAL : PeerType.EXTERNAL,
        both(local, remote, Capability.FourOctetAs.class),
        families,
        offersIpv4OverIpv6(local) && offersIpv4OverIpv6(remote),
        both(local, remote, Capability.EnhancedRouteRefresh.class),
        // RFC 7911 section 4: one side must offer to send what the other offers to receive.
        pathIds(families, remote, local),
        pathIds(families, local, remote),
        // RFC 8654 section 4: each direction depends on what its receiver said, so a speaker that
        // advertised it must read long messages even when the peer cannot.
        limit(local),
        limit(remote));
  }

  /** Whether prefixes of the family are written with a path identifier (RFC 7911). */
  public boolean sendsPathIds(Family family) {
    return pathIdsSent.contains(AddressFamily.unicast(family));
  }

  /** Whether prefixes of the family come with a path identifier (RFC 7911). */
  public boolean readsPathIds(Family family) {
    return pathIdsReceived.contains(AddressFamily.unicast(family));
  }

  private static Set<AddressFamily> pathIds(
      Set<AddressFamily> families, BgpMessage.Open sender, BgpMessage.Open receiver) {
    Set<AddressFamily> both = new LinkedHashSet<>(families);
    both.retainAll(addPath(sender, Capability.AddPath.Direction::send));
    both.retainAll(addPath(receiver, Capability.AddPath.Direction::receive));
    return both;
  }

  private static Set<AddressFamily> addPath(
      BgpMessage.Open open, Predicate<Capability.AddPath.Direction> wanted) {
    Set<AddressFamily> families = new LinkedHashSet<>();
    open.capability(Capability.AddPath.class)
        .ifPresent(
            capability ->
                capability.directions().stream()
                    .filter(wanted)
                    .forEach(direction -> families.add(direction.family())));
    return families;
  }

  public boolean isInternal() {
    return peer == PeerType.INTERNAL;
  }

  private static boolean both(
      BgpMessage.Open local, BgpMessage.Open remote, Class<? extends Capability> kind) {
    return local.capability(kind).isPresent() && remote.capability(kind).isPresent();
  }

  private static boolean offersIpv4OverIpv6(BgpMessage.Open open) {
    return open.capability(Capability.ExtendedNextHop.class)
        .map(c -> c.encodings().contains(Capability.ExtendedNextHop.Encoding.IPV4_OVER_IPV6))
        .orElse(false);
  }

  private static int limit(BgpMessage.Open receiver) {
    return receiver.capability(Capability.ExtendedMessage.class).isPresent()
        ? Iana.MAX_EXTENDED_MESSAGE_LENGTH
        : Iana.MAX_MESSAGE_LENGTH;
  }

  private static void checkLimit(int limit) {
    if (limit < Iana.MAX_MESSAGE_LENGTH || limit > Iana.MAX_EXTENDED_MESSAGE_LENGTH) {
      throw new IllegalArgumentException(
          "message limit " + limit + " is out of range: 4096 to 65535");
    }
  }
}

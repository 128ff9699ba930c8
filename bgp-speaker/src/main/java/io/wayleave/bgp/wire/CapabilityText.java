package io.wayleave.bgp.wire;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Says in words what a capability means, for {@code netctl}. */
public final class CapabilityText {
  private CapabilityText() {}

  /** One capability of an OPEN, such as {@code add-path ipv4 send/receive}; without commas. */
  public static String of(Capability capability) {
    return switch (capability) {
      case Capability.MultiProtocol(AddressFamily family) -> "multiprotocol " + name(family);
      case Capability.RouteRefresh() -> "route-refresh";
      case Capability.ExtendedNextHop(List<Capability.ExtendedNextHop.Encoding> encodings) ->
          "extended-next-hop"
              + encodings.stream()
                  .map(one -> " " + name(one.family()) + " by " + afiName(one.nextHopAfi()))
                  .collect(Collectors.joining());
      case Capability.ExtendedMessage() -> "extended-message";
      case Capability.GracefulRestart restart -> gracefulRestart(restart);
      case Capability.FourOctetAs(var as) -> "4-byte-as " + as;
      case Capability.AddPath(List<Capability.AddPath.Direction> directions) ->
          "add-path"
              + directions.stream()
                  .map(one -> " " + name(one.family()) + " " + direction(one.send(), one.receive()))
                  .collect(Collectors.joining());
      case Capability.EnhancedRouteRefresh() -> "enhanced-route-refresh";
      case Capability.Unknown(int code, Octets value) -> unknown(code, value);
    };
  }

  private static String gracefulRestart(Capability.GracefulRestart restart) {
    StringBuilder text = new StringBuilder("graceful-restart ");
    text.append(restart.restartTime()).append('s');
    text.append(restart.restarting() ? " restarting" : "");
    text.append(restart.notification() ? " notification" : "");
    for (Capability.GracefulRestart.RestartFamily family : restart.families()) {
      text.append(' ').append(name(family.family()));
      text.append(family.forwardingPreserved() ? " forwarding-kept" : "");
    }
    return text.append(restart.families().isEmpty() ? " helper-only" : "").toString();
  }

  /** Ones that this codec does not know, by the names of IANA's registry. */
  private static String unknown(int code, Octets value) {
    String name =
        switch (code) {
          case 9 -> "role";
          case 71 -> "long-lived-graceful-restart";
          case 73 -> "hostname";
          case 128 -> "route-refresh-cisco";
          default -> "capability-" + code;
        };
    return value.length() == 0 ? name : name + " 0x" + value;
  }

  /**
   * What works on a session because both sides said so, in the order in which we sent it.
   *
   * @param sent capabilities of our OPEN
   * @param received capabilities of the peer's OPEN
   */
  public static List<String> inForce(List<Capability> sent, List<Capability> received) {
    // As for the session itself: of several graceful restarts the last counts.
    Set<String> texts = new LinkedHashSet<>();
    for (Capability ours : sent) {
      Optional<String> text =
          switch (ours) {
            case Capability.MultiProtocol _,
                Capability.RouteRefresh _,
                Capability.ExtendedMessage _,
                Capability.EnhancedRouteRefresh _ ->
                received.contains(ours) ? Optional.of(of(ours)) : Optional.empty();
            case Capability.FourOctetAs _ ->
                last(received, Capability.FourOctetAs.class).map(_ -> "4-byte-as");
            case Capability.ExtendedNextHop own ->
                last(received, Capability.ExtendedNextHop.class)
                    .flatMap(peer -> extendedNextHop(own, peer));
            case Capability.AddPath own ->
                last(received, Capability.AddPath.class).flatMap(peer -> addPath(own, peer));
            case Capability.GracefulRestart own ->
                last(received, Capability.GracefulRestart.class)
                    .map(peer -> gracefulRestart(own, peer));
            case Capability.Unknown _ -> Optional.empty();
          };
      text.ifPresent(texts::add);
    }
    return List.copyOf(texts);
  }

  private static <C extends Capability> Optional<C> last(List<Capability> all, Class<C> kind) {
    return all.stream().filter(kind::isInstance).map(kind::cast).reduce((_, later) -> later);
  }

  private static Optional<String> extendedNextHop(
      Capability.ExtendedNextHop own, Capability.ExtendedNextHop peer) {
    List<Capability.ExtendedNextHop.Encoding> both = new ArrayList<>(own.encodings());
    both.retainAll(peer.encodings());
    return both.isEmpty()
        ? Optional.empty()
        : Optional.of(of(new Capability.ExtendedNextHop(both)));
  }

  /** As seen from here: we send what the peer receives (RFC 7911 section 4). */
  private static Optional<String> addPath(Capability.AddPath own, Capability.AddPath peer) {
    StringBuilder text = new StringBuilder();
    for (Capability.AddPath.Direction ours : own.directions()) {
      for (Capability.AddPath.Direction theirs : peer.directions()) {
        boolean send = ours.send() && theirs.receive();
        boolean receive = ours.receive() && theirs.send();
        if (ours.family().equals(theirs.family()) && (send || receive)) {
          text.append(' ').append(name(ours.family()));
          text.append(' ').append(direction(send, receive));
        }
      }
    }
    return text.isEmpty() ? Optional.empty() : Optional.of("add-path" + text);
  }

  /** Who keeps whose routes, and how long: what each asked the other for (RFC 4724 section 3). */
  private static String gracefulRestart(
      Capability.GracefulRestart own, Capability.GracefulRestart peer) {
    return "graceful-restart"
        + kept(" peer-keeps-ours", own)
        + kept(" we-keep-peers", peer)
        + (own.notification() && peer.notification() ? " notification" : "");
  }

  private static String kept(String who, Capability.GracefulRestart asked) {
    return asked.families().isEmpty()
        ? ""
        : who
            + " "
            + asked.restartTime()
            + "s "
            + asked.families().stream()
                .map(family -> name(family.family()))
                .collect(Collectors.joining("+"));
  }

  private static String direction(boolean send, boolean receive) {
    return send && receive ? "send/receive" : send ? "send" : "receive";
  }

  private static String name(AddressFamily family) {
    return family
        .unicastFamily()
        .map(known -> known.name().toLowerCase(Locale.ROOT))
        .orElseGet(family::toString);
  }

  private static String afiName(int afi) {
    return switch (afi) {
      case Iana.AFI_IPV4 -> "ipv4";
      case Iana.AFI_IPV6 -> "ipv6";
      default -> "afi-" + afi;
    };
  }
}

package io.wayleave.bgp.fsm;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.model.Family;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** What follows from the two OPENs of a session. */
public record Negotiated(Open local, Open remote, CodecContext codec) {
  public Negotiated {
    requireNonNull(local, "local is null");
    requireNonNull(remote, "remote is null");
    requireNonNull(codec, "codec is null");
  }

  public static Negotiated of(Open local, Open remote) {
    return new Negotiated(local, remote, CodecContext.negotiate(local, remote));
  }

  /** RFC 4271 section 4.2: the smaller of the two; zero turns KEEPALIVEs and the timer off. */
  public Duration holdTime() {
    return Duration.ofSeconds(Math.min(local.holdTime(), remote.holdTime()));
  }

  /** RFC 4271 section 4.4: "a reasonable maximum [...] would be one third of the Hold Time". */
  public Duration keepaliveInterval() {
    return holdTime().dividedBy(3);
  }

  public boolean internal() {
    return local.as().equals(remote.as());
  }

  public Set<Family> families() {
    EnumSet<Family> families = EnumSet.noneOf(Family.class);
    codec.families().forEach(family -> family.unicastFamily().ifPresent(families::add));
    return families;
  }

  public boolean has(Family family) {
    return codec.families().contains(AddressFamily.unicast(family));
  }

  public boolean routeRefresh() {
    return both(Capability.RouteRefresh.class);
  }

  /** The peer's graceful restart capability, when we sent one too. */
  public Optional<Capability.GracefulRestart> peerGracefulRestart() {
    return both(Capability.GracefulRestart.class)
        // RFC 4724 section 3: of several, all but the last are ignored.
        ? remote.lastCapability(Capability.GracefulRestart.class)
        : Optional.empty();
  }

  /**
   * Whether a NOTIFICATION or an expired hold timer is graceful too (RFC 8538 section 2: both set
   * the N bit).
   */
  public boolean gracefulNotification() {
    return peerGracefulRestart().filter(Capability.GracefulRestart::notification).isPresent()
        && local
            .lastCapability(Capability.GracefulRestart.class)
            .filter(Capability.GracefulRestart::notification)
            .isPresent();
  }

  /** Families whose routes RFC 4724 section 4.2 keeps when the peer's connection goes away. */
  public Set<Family> restartable() {
    return restartFamilies(false);
  }

  /** Families that the peer says it kept forwarding for (the F bit). */
  public Set<Family> forwardingPreserved() {
    return restartFamilies(true);
  }

  private Set<Family> restartFamilies(boolean forwardingOnly) {
    EnumSet<Family> families = EnumSet.noneOf(Family.class);
    peerGracefulRestart()
        .ifPresent(
            capability ->
                capability
                    .families()
                    .forEach(
                        named -> {
                          if (named.forwardingPreserved() || !forwardingOnly) {
                            named.family().unicastFamily().ifPresent(families::add);
                          }
                        }));
    families.retainAll(families());
    return families;
  }

  private boolean both(Class<? extends Capability> kind) {
    return local.capability(kind).isPresent() && remote.capability(kind).isPresent();
  }
}

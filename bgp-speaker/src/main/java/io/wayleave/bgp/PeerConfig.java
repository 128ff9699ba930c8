package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * One configured peer. Two configurations that are equal describe the same session: {@link
 * BgpSpeaker#apply} does not touch it then.
 *
 * @param name how people call it; unique in a speaker
 * @param address where it is dialled and where its connections come from; unique in a speaker. An
 *     IPv6 link-local address is refused: it needs an interface beside it
 * @param port where it is dialled
 * @param asNumber the AS it must name in OPEN; the speaker's own AS makes it an iBGP peer
 * @param sourceAddress own address to dial from, of the same family; empty lets the kernel choose
 * @param passive never dial, wait for the peer's connection (RFC 4271 section 8.1.1, PassiveTcp)
 * @param families offered in OPEN; what the peer does not offer too is not used
 * @param transit whether routes learned from other eBGP peers (and, for an eBGP peer, from iBGP
 *     peers) are exported to this one. Off by default: a host between two ToRs must not become a
 *     way through the fabric, so it tells of its own routes only
 * @param gracefulRestart whether the capability is offered to this peer, when the speaker has it
 * @param restartTime how long this peer is asked to keep our routes while we are away; the
 *     speaker's when absent
 */
public record PeerConfig(
    String name,
    IpAddress address,
    int port,
    Asn asNumber,
    Optional<IpAddress> sourceAddress,
    boolean passive,
    Set<Family> families,
    boolean transit,
    boolean gracefulRestart,
    Optional<Duration> restartTime,
    Timers timers) {
  public PeerConfig {
    requireNonNull(name, "name is null");
    requireNonNull(asNumber, "asNumber is null");
    requireNonNull(timers, "timers is null");
    restartTime.ifPresent(GracefulRestart::checkRestartTime);
    if (name.isEmpty()) {
      throw new InvalidInputException("name", name, "a name of at least one character");
    }
    if (port < 1 || port > 65535) {
      throw new InvalidInputException("port", Integer.toString(port), "1 to 65535");
    }
    if (address.isUnspecified() || address.isMulticast()) {
      throw new InvalidInputException("address", address.toString(), "the address of one host");
    }
    if (address.family() == Family.IPV6 && address.isLinkLocal()) {
      throw new InvalidInputException(
          "address", address.toString(), "an address that needs no interface beside it");
    }
    sourceAddress.ifPresent(
        source -> {
          if (source.family() != address.family()) {
            throw new InvalidInputException(
                "sourceAddress",
                source.toString(),
                "an own address of the family of " + address + ", " + address.family());
          }
        });
    if (families.isEmpty()) {
      throw new InvalidInputException("families", "[]", "at least one of IPV4, IPV6");
    }
    families = Collections.unmodifiableSet(EnumSet.copyOf(families));
  }

  /**
   * A peer with the defaults: port 179, dialled, the family of its address, graceful restart on, no
   * transit.
   */
  public static PeerConfig of(String name, IpAddress address, Asn asNumber) {
    return new PeerConfig(
        name,
        address,
        ListenAddress.BGP_PORT,
        asNumber,
        Optional.empty(),
        false,
        Set.of(address.family()),
        false,
        true,
        Optional.empty(),
        Timers.DEFAULT);
  }

  public PeerConfig withPort(int dialled) {
    return new PeerConfig(
        name,
        address,
        dialled,
        asNumber,
        sourceAddress,
        passive,
        families,
        transit,
        gracefulRestart,
        restartTime,
        timers);
  }

  public PeerConfig withSourceAddress(IpAddress source) {
    return new PeerConfig(
        name,
        address,
        port,
        asNumber,
        Optional.of(source),
        passive,
        families,
        transit,
        gracefulRestart,
        restartTime,
        timers);
  }

  public PeerConfig withPassive(boolean wait) {
    return new PeerConfig(
        name,
        address,
        port,
        asNumber,
        sourceAddress,
        wait,
        families,
        transit,
        gracefulRestart,
        restartTime,
        timers);
  }

  public PeerConfig withFamilies(Family first, Family... more) {
    return new PeerConfig(
        name,
        address,
        port,
        asNumber,
        sourceAddress,
        passive,
        EnumSet.of(first, more),
        transit,
        gracefulRestart,
        restartTime,
        timers);
  }

  public PeerConfig withTransit(boolean exportLearned) {
    return new PeerConfig(
        name,
        address,
        port,
        asNumber,
        sourceAddress,
        passive,
        families,
        exportLearned,
        gracefulRestart,
        restartTime,
        timers);
  }

  public PeerConfig withGracefulRestart(boolean offered) {
    return new PeerConfig(
        name,
        address,
        port,
        asNumber,
        sourceAddress,
        passive,
        families,
        transit,
        offered,
        restartTime,
        timers);
  }

  public PeerConfig withRestartTime(Duration time) {
    return new PeerConfig(
        name,
        address,
        port,
        asNumber,
        sourceAddress,
        passive,
        families,
        transit,
        gracefulRestart,
        Optional.of(time),
        timers);
  }

  public PeerConfig withTimers(Timers changed) {
    return new PeerConfig(
        name,
        address,
        port,
        asNumber,
        sourceAddress,
        passive,
        families,
        transit,
        gracefulRestart,
        restartTime,
        changed);
  }
}

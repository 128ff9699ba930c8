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
import java.util.function.Consumer;

/**
 * One configured peer. Two configurations that are equal describe the same session: {@link
 * BgpSpeaker#apply} does not touch it then.
 *
 * @param name how people call it; unique in a speaker
 * @param where where it is found; unique in a speaker
 * @param port where it is dialled
 * @param remoteAs the AS it must name in OPEN
 * @param localAs the AS we name in OPEN and AS_PATH, where it is not the speaker's own
 * @param sourceAddress own address to dial from, of the same family; empty lets the kernel choose
 * @param passive never dial, wait for the peer's connection (RFC 4271 section 8.1.1, PassiveTcp)
 * @param shutdown administratively down, with the text that its operator is told (RFC 9003), which
 *     may be empty; absent when the peer is wanted
 * @param families offered in OPEN; what the peer does not offer too is not used
 * @param gracefulRestart whether the capability is offered to this peer, when the speaker has it
 * @param restartTime how long this peer is asked to keep our routes while we are away; the
 *     speaker's when absent
 * @param extendedMessages whether messages of up to 65535 octets are offered (RFC 8654)
 * @param ipv4OverIpv6 whether IPv4 routes with IPv6 next hops are offered (RFC 8950)
 * @param bfd present when the session follows a BFD session
 */
public record PeerConfig(
    String name,
    PeerAddress where,
    int port,
    PeerAs remoteAs,
    Optional<LocalAs> localAs,
    Optional<IpAddress> sourceAddress,
    boolean passive,
    Optional<String> shutdown,
    PeerSecurity security,
    Set<Family> families,
    boolean gracefulRestart,
    Optional<Duration> restartTime,
    boolean extendedMessages,
    boolean ipv4OverIpv6,
    AddPath addPath,
    Timers timers,
    Optional<BfdSettings> bfd,
    PeerPolicy policy) {
  public PeerConfig {
    requireNonNull(name, "name is null");
    requireNonNull(where, "where is null");
    requireNonNull(remoteAs, "remoteAs is null");
    requireNonNull(localAs, "localAs is null");
    requireNonNull(shutdown, "shutdown is null");
    requireNonNull(security, "security is null");
    requireNonNull(addPath, "addPath is null");
    requireNonNull(timers, "timers is null");
    requireNonNull(bfd, "bfd is null");
    requireNonNull(policy, "policy is null");
    restartTime.ifPresent(GracefulRestart::checkRestartTime);
    if (name.isEmpty()) {
      throw new InvalidInputException("name", name, "a name of at least one character");
    }
    if (port < 1 || port > 65535) {
      throw new InvalidInputException("port", Integer.toString(port), "1 to 65535");
    }
    sourceAddress.ifPresent(source -> checkSource(source, where));
    if (families.isEmpty()) {
      throw new InvalidInputException("families", "[]", "at least one of IPV4, IPV6");
    }
    families = Collections.unmodifiableSet(EnumSet.copyOf(families));
  }

  private static void checkSource(IpAddress source, PeerAddress where) {
    switch (where) {
      case PeerAddress.Host(IpAddress address) -> {
        if (source.family() != address.family()) {
          throw new InvalidInputException(
              "sourceAddress",
              source.toString(),
              "an own address of the family of " + address + ", " + address.family());
        }
      }
      case PeerAddress.OnInterface(String _) ->
          throw new InvalidInputException(
              "sourceAddress", source.toString(), "nothing, for a peer by interface");
      case PeerAddress.Range(var _, int _) ->
          throw new InvalidInputException(
              "sourceAddress", source.toString(), "nothing, for peers of a range");
    }
  }

  /**
   * A peer at an address with the defaults: port 179, dialled, the family of its address, graceful
   * restart on, own routes only.
   */
  public static PeerConfig of(String name, IpAddress address, Asn asNumber) {
    return of(name, new PeerAddress.Host(address), new PeerAs.Exact(asNumber));
  }

  /**
   * A peer with the defaults. One by interface offers both families, and IPv4 with IPv6 next hops,
   * as there is no other next hop.
   */
  public static PeerConfig of(String name, PeerAddress where, PeerAs remoteAs) {
    Set<Family> families =
        switch (where) {
          case PeerAddress.Host(IpAddress address) -> EnumSet.of(address.family());
          case PeerAddress.OnInterface(String _) -> EnumSet.allOf(Family.class);
          case PeerAddress.Range(var range, int _) -> EnumSet.of(range.family());
        };
    return new PeerConfig(
        name,
        where,
        ListenAddress.BGP_PORT,
        remoteAs,
        Optional.empty(),
        Optional.empty(),
        where instanceof PeerAddress.Range,
        Optional.empty(),
        PeerSecurity.NONE,
        families,
        true,
        Optional.empty(),
        true,
        where instanceof PeerAddress.OnInterface,
        AddPath.OFF,
        Timers.DEFAULT,
        Optional.empty(),
        PeerPolicy.DEFAULT);
  }

  /** The peer's one address, where it is configured by one. */
  public Optional<IpAddress> host() {
    return switch (where) {
      case PeerAddress.Host(IpAddress address) -> Optional.of(address);
      case PeerAddress.OnInterface(String _) -> Optional.empty();
      case PeerAddress.Range(var _, int _) -> Optional.empty();
    };
  }

  /**
   * Whether a running session may go on under the other configuration: only what takes effect by
   * itself, without another OPEN or connection, differs. Of the timers the hold time is in OPEN;
   * the others are looked at when they are started next. Where a peer is dialled, and from where,
   * matters to the next connection only.
   */
  public boolean sameSession(PeerConfig other) {
    return localAs.map(LocalAs::asNumber).equals(other.localAs.map(LocalAs::asNumber))
        && addPath.receive() == other.addPath.receive()
        && addPath.sends() == other.addPath.sends()
        && with(peer -> {
              peer.localAs = other.localAs;
              peer.where(other.where)
                  .port(other.port)
                  .passive(other.passive)
                  .addPath(other.addPath)
                  .timers(other.timers.withHoldTime(timers.holdTime()))
                  .bfd(other.bfd)
                  .policy(other.policy);
            })
            .equals(other);
  }

  /** This with some fields changed. */
  public PeerConfig with(Consumer<Builder> change) {
    Builder builder = new Builder(this);
    change.accept(builder);
    return builder.build();
  }

  public PeerConfig withPort(int dialled) {
    return with(peer -> peer.port(dialled));
  }

  public PeerConfig withSourceAddress(IpAddress source) {
    return with(peer -> peer.sourceAddress(source));
  }

  public PeerConfig withPassive(boolean wait) {
    return with(peer -> peer.passive(wait));
  }

  public PeerConfig withFamilies(Family first, Family... more) {
    return with(peer -> peer.families(EnumSet.of(first, more)));
  }

  public PeerConfig withTransit(boolean exportLearned) {
    return withPolicy(rules -> rules.transit(exportLearned));
  }

  /** This with some fields of its policy changed. */
  public PeerConfig withPolicy(Consumer<PeerPolicy.Builder> change) {
    return with(peer -> peer.policy(policy.with(change)));
  }

  public PeerConfig withGracefulRestart(boolean offered) {
    return with(peer -> peer.gracefulRestart(offered));
  }

  public PeerConfig withRestartTime(Duration time) {
    return with(peer -> peer.restartTime(time));
  }

  public PeerConfig withTimers(Timers changed) {
    return with(peer -> peer.timers(changed));
  }

  /** Fields of a configuration to come. NOT thread safe. */
  public static final class Builder {
    private String name;
    private PeerAddress where;
    private int port;
    private PeerAs remoteAs;
    private Optional<LocalAs> localAs;
    private Optional<IpAddress> sourceAddress;
    private boolean passive;
    private Optional<String> shutdown;
    private PeerSecurity security;
    private Set<Family> families;
    private boolean gracefulRestart;
    private Optional<Duration> restartTime;
    private boolean extendedMessages;
    private boolean ipv4OverIpv6;
    private AddPath addPath;
    private Timers timers;
    private Optional<BfdSettings> bfd;
    private PeerPolicy policy;

    private Builder(PeerConfig from) {
      name = from.name;
      where = from.where;
      port = from.port;
      remoteAs = from.remoteAs;
      localAs = from.localAs;
      sourceAddress = from.sourceAddress;
      passive = from.passive;
      shutdown = from.shutdown;
      security = from.security;
      families = from.families;
      gracefulRestart = from.gracefulRestart;
      restartTime = from.restartTime;
      extendedMessages = from.extendedMessages;
      ipv4OverIpv6 = from.ipv4OverIpv6;
      addPath = from.addPath;
      timers = from.timers;
      bfd = from.bfd;
      policy = from.policy;
    }

    public Builder name(String value) {
      name = value;
      return this;
    }

    public Builder where(PeerAddress value) {
      where = value;
      return this;
    }

    public Builder port(int value) {
      port = value;
      return this;
    }

    public Builder remoteAs(PeerAs value) {
      remoteAs = value;
      return this;
    }

    public Builder localAs(LocalAs value) {
      localAs = Optional.of(value);
      return this;
    }

    public Builder sourceAddress(IpAddress value) {
      sourceAddress = Optional.of(value);
      return this;
    }

    public Builder passive(boolean value) {
      passive = value;
      return this;
    }

    /** Present: administratively down. */
    public Builder shutdown(Optional<String> value) {
      shutdown = value;
      return this;
    }

    public Builder security(PeerSecurity value) {
      security = value;
      return this;
    }

    public Builder families(Set<Family> value) {
      families = value;
      return this;
    }

    public Builder gracefulRestart(boolean value) {
      gracefulRestart = value;
      return this;
    }

    public Builder restartTime(Duration value) {
      restartTime = Optional.of(value);
      return this;
    }

    public Builder extendedMessages(boolean value) {
      extendedMessages = value;
      return this;
    }

    public Builder ipv4OverIpv6(boolean value) {
      ipv4OverIpv6 = value;
      return this;
    }

    public Builder addPath(AddPath value) {
      addPath = value;
      return this;
    }

    public Builder timers(Timers value) {
      timers = value;
      return this;
    }

    /** Absent: no BFD. */
    public Builder bfd(Optional<BfdSettings> value) {
      bfd = value;
      return this;
    }

    public Builder policy(PeerPolicy value) {
      policy = value;
      return this;
    }

    private PeerConfig build() {
      return new PeerConfig(
          name,
          where,
          port,
          remoteAs,
          localAs,
          sourceAddress,
          passive,
          shutdown,
          security,
          families,
          gracefulRestart,
          restartTime,
          extendedMessages,
          ipv4OverIpv6,
          addPath,
          timers,
          bfd,
          policy);
    }
  }
}

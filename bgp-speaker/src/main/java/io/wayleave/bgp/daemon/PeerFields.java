package io.wayleave.bgp.daemon;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.NextHopMode;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.Timers;
import io.wayleave.bgp.filter.FilterPolicy;
import io.wayleave.model.Absent;
import io.wayleave.model.Asn;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The fields of a peer, a listen range or a peer group in the file, as {@code docs/bgp.md} explains
 * them. What a peer takes from its group is in it already.
 *
 * <p>What is missing or does not fit together is refused by {@link #config} and not when it is
 * read: a misspelt field is the likelier mistake, and is found first so.
 */
public record PeerFields(
    Optional<String> name,
    Optional<String> group,
    Optional<IpAddress> address,
    @JsonProperty("interface") Optional<String> interfaceName,
    Optional<Cidr> range,
    Optional<Integer> limit,
    Optional<JsonNode> asNumber,
    Optional<Integer> port,
    Optional<IpAddress> sourceAddress,
    Optional<Boolean> passive,
    Optional<String> shutdown,
    List<FamilyName> families,
    Optional<LocalAsFields> localAs,
    Optional<String> password,
    Optional<Path> passwordFile,
    Optional<Integer> ttlSecurity,
    Optional<TimerFields> timers,
    Optional<Boolean> gracefulRestart,
    Optional<Integer> restartTime,
    Optional<Boolean> extendedMessages,
    Optional<Boolean> ipv4OverIpv6,
    Optional<AddPathFields> addPath,
    Optional<BfdFields> bfd,
    List<String> filters,
    Optional<Boolean> requirePolicy,
    Optional<Boolean> transit,
    Optional<Integer> allowAsIn,
    Optional<NextHopName> nextHop,
    Optional<Boolean> routeReflectorClient,
    Optional<Boolean> gracefulShutdown,
    Map<FamilyName, MaxPrefixFields> maxPrefixes) {

  private static final String NONE = "none";

  /** Families by the names that people give them. */
  public enum FamilyName {
    ipv4(Family.IPV4),
    ipv6(Family.IPV6);

    private final Family family;

    FamilyName(Family family) {
      this.family = family;
    }
  }

  /** Next hops of learned routes. */
  public enum NextHopName {
    standard(NextHopMode.STANDARD),
    self(NextHopMode.SELF),
    keep(NextHopMode.KEEP);

    private final NextHopMode mode;

    NextHopName(NextHopMode mode) {
      this.mode = mode;
    }
  }

  /** Another AS that this peer sees. */
  public record LocalAsFields(Asn asNumber, Optional<Boolean> replace) {
    @JsonCreator
    public LocalAsFields {
      Absent.required("asNumber", asNumber, "an AS number, 1 to 4294967295");
      replace = Absent.orEmpty(replace);
    }
  }

  /** Seconds; all but the hold time may have a fraction. */
  public record TimerFields(
      Optional<Integer> hold,
      Optional<Double> connectRetry,
      Optional<Double> idleHold,
      Optional<Double> idleHoldMax,
      Optional<Double> sendHold) {
    @JsonCreator
    public TimerFields {
      hold = Absent.orEmpty(hold);
      connectRetry = Absent.orEmpty(connectRetry);
      idleHold = Absent.orEmpty(idleHold);
      idleHoldMax = Absent.orEmpty(idleHoldMax);
      sendHold = Absent.orEmpty(sendHold);
    }

    private Timers timers() {
      Timers defaults = Timers.DEFAULT;
      Duration first = idleHold.map(TimerFields::seconds).orElse(defaults.idleHold());
      Duration most =
          idleHoldMax
              .map(TimerFields::seconds)
              .orElse(first.compareTo(defaults.idleHoldMax()) > 0 ? first : defaults.idleHoldMax());
      return new Timers(
          hold.map(Duration::ofSeconds).orElse(defaults.holdTime()),
          connectRetry.map(TimerFields::seconds).orElse(defaults.connectRetry()),
          first,
          most,
          sendHold.map(TimerFields::seconds));
    }

    private static Duration seconds(double seconds) {
      return Duration.ofMillis(Math.round(seconds * 1000));
    }
  }

  /** Several paths to a prefix on one session. */
  public record AddPathFields(Optional<Boolean> receive, Optional<Integer> send) {
    @JsonCreator
    public AddPathFields {
      receive = Absent.orEmpty(receive);
      send = Absent.orEmpty(send);
    }
  }

  /** BFD beside the session; {@code {}} is BFD with the defaults. */
  public record BfdFields(
      Optional<Boolean> enabled,
      Optional<Integer> transmitMilliseconds,
      Optional<Integer> receiveMilliseconds,
      Optional<Integer> multiplier) {
    @JsonCreator
    public BfdFields {
      enabled = Absent.orEmpty(enabled);
      transmitMilliseconds = Absent.orEmpty(transmitMilliseconds);
      receiveMilliseconds = Absent.orEmpty(receiveMilliseconds);
      multiplier = Absent.orEmpty(multiplier);
    }

    private Optional<BfdSettings> settings() {
      BfdSettings defaults = BfdSettings.DEFAULT;
      return enabled.orElse(true)
          ? Optional.of(
              new BfdSettings(
                  transmitMilliseconds.map(Duration::ofMillis).orElse(defaults.transmit()),
                  receiveMilliseconds.map(Duration::ofMillis).orElse(defaults.receive()),
                  multiplier.orElse(defaults.multiplier())))
          : Optional.empty();
    }
  }

  /** How many prefixes of a family the peer may send. */
  public record MaxPrefixFields(
      Integer limit,
      Optional<Integer> warnAtPercent,
      Optional<Boolean> warnOnly,
      Optional<Integer> restartAfter) {
    @JsonCreator
    public MaxPrefixFields {
      Absent.required("limit", limit, "1 or more");
      warnAtPercent = Absent.orEmpty(warnAtPercent);
      warnOnly = Absent.orEmpty(warnOnly);
      restartAfter = Absent.orEmpty(restartAfter);
    }

    private MaxPrefixes limits() {
      if (warnOnly.orElse(false) && restartAfter.isPresent()) {
        throw new InvalidInputException(
            "restartAfter", restartAfter.get().toString(), "nothing beside warnOnly");
      }
      return new MaxPrefixes(
          limit,
          warnAtPercent.orElse(MaxPrefixes.DEFAULT_WARN_PERCENT),
          warnOnly.orElse(false)
              ? new MaxPrefixes.Warn()
              : new MaxPrefixes.Shutdown(restartAfter.map(Duration::ofSeconds)));
    }
  }

  @JsonCreator
  public PeerFields {
    name = Absent.orEmpty(name);
    group = Absent.orEmpty(group);
    address = Absent.orEmpty(address);
    interfaceName = Absent.orEmpty(interfaceName);
    range = Absent.orEmpty(range);
    limit = Absent.orEmpty(limit);
    asNumber = Absent.orEmpty(asNumber);
    port = Absent.orEmpty(port);
    sourceAddress = Absent.orEmpty(sourceAddress);
    passive = Absent.orEmpty(passive);
    shutdown = Absent.orEmpty(shutdown);
    families = Absent.orEmpty(families);
    localAs = Absent.orEmpty(localAs);
    password = Absent.orEmpty(password);
    passwordFile = Absent.orEmpty(passwordFile);
    ttlSecurity = Absent.orEmpty(ttlSecurity);
    timers = Absent.orEmpty(timers);
    gracefulRestart = Absent.orEmpty(gracefulRestart);
    restartTime = Absent.orEmpty(restartTime);
    extendedMessages = Absent.orEmpty(extendedMessages);
    ipv4OverIpv6 = Absent.orEmpty(ipv4OverIpv6);
    addPath = Absent.orEmpty(addPath);
    bfd = Absent.orEmpty(bfd);
    filters = Absent.orEmpty(filters);
    requirePolicy = Absent.orEmpty(requirePolicy);
    transit = Absent.orEmpty(transit);
    allowAsIn = Absent.orEmpty(allowAsIn);
    nextHop = Absent.orEmpty(nextHop);
    routeReflectorClient = Absent.orEmpty(routeReflectorClient);
    gracefulShutdown = Absent.orEmpty(gracefulShutdown);
    maxPrefixes = maxPrefixes == null ? Map.of() : Map.copyOf(maxPrefixes);
  }

  /** A group, and what every peer has, says nothing of who the peer is. */
  void checkGroup() {
    Map<String, Optional<?>> own =
        Map.of(
            "name", name,
            "group", group,
            "address", address,
            "interface", interfaceName,
            "range", range,
            "limit", limit);
    own.forEach(
        (field, value) ->
            value.ifPresent(
                given -> {
                  throw new InvalidInputException(
                      field, given.toString(), "nothing here: it belongs to a peer");
                }));
  }

  /**
   * The peer for the speaker.
   *
   * @param isRange whether it stands in {@code listenRanges} and not in {@code peers}
   * @param known every filter of the file
   * @throws InvalidInputException when something is missing or does not fit together
   * @throws IOException when the password's file cannot be read
   */
  PeerConfig config(boolean isRange, Map<String, BgpFilter.Spec> known) throws IOException {
    PeerAddress where = where(isRange);
    String called =
        name.or(() -> isRange ? range.map(Cidr::toString) : Optional.empty()).orElse("");
    if (called.isEmpty()) {
      throw new InvalidInputException("name", "", "a name that no other peer has");
    }
    PeerConfig plain = PeerConfig.of(called, where, remoteAs());
    PeerSecurity security = security();
    PeerPolicy policy = policy(known);
    return plain.with(
        peer -> {
          peer.port(port.orElse(ListenAddress.BGP_PORT))
              .passive(passive.orElse(plain.passive()))
              .shutdown(shutdown)
              .security(security)
              .families(offered(plain))
              .gracefulRestart(gracefulRestart.orElse(true))
              .extendedMessages(extendedMessages.orElse(plain.extendedMessages()))
              .ipv4OverIpv6(ipv4OverIpv6.orElse(plain.ipv4OverIpv6()))
              .timers(at("timers", () -> timers.map(TimerFields::timers).orElse(Timers.DEFAULT)))
              .bfd(at("bfd", () -> bfd.flatMap(BfdFields::settings)))
              .policy(policy);
          sourceAddress.ifPresent(peer::sourceAddress);
          restartTime.map(Duration::ofSeconds).ifPresent(peer::restartTime);
          localAs.ifPresent(
              other -> peer.localAs(new LocalAs(other.asNumber(), other.replace().orElse(false))));
          addPath.ifPresent(
              paths ->
                  peer.addPath(
                      at(
                          "addPath",
                          () ->
                              new AddPath(paths.receive().orElse(false), paths.send().orElse(1)))));
        });
  }

  private PeerAddress where(boolean isRange) {
    long given = Stream.of(address, interfaceName, range).filter(Optional::isPresent).count();
    if (isRange) {
      if (range.isEmpty() || given != 1) {
        throw new InvalidInputException(
            "range", range.map(Cidr::toString).orElse(""), "a network such as 10.0.0.0/24, alone");
      }
      return new PeerAddress.Range(range.get(), limit.orElse(SpeakerFile.DEFAULT_RANGE_LIMIT));
    }
    if (range.isPresent() || limit.isPresent()) {
      throw new InvalidInputException(
          range.isPresent() ? "range" : "limit",
          range.map(Cidr::toString).orElseGet(() -> limit.orElseThrow().toString()),
          "nothing in a peer: it belongs to listenRanges");
    }
    if (given != 1) {
      throw new InvalidInputException(
          "address",
          address.map(IpAddress::toString).orElse(""),
          "the peer's address, or an interface, one of both");
    }
    return address
        .<PeerAddress>map(PeerAddress.Host::new)
        .orElseGet(() -> new PeerAddress.OnInterface(interfaceName.orElseThrow()));
  }

  private PeerAs remoteAs() {
    String text = asNumber.map(JsonNode::asText).orElse("");
    return switch (text) {
      case "" ->
          throw new InvalidInputException(
              "asNumber", "", "the peer's AS number, 1 to 4294967295, external or internal");
      case "external" -> new PeerAs.External();
      case "internal" -> new PeerAs.Internal();
      default -> new PeerAs.Exact(at("asNumber", () -> Asn.parse(text)));
    };
  }

  private Set<Family> offered(PeerConfig plain) {
    if (families.isEmpty()) {
      return plain.families();
    }
    EnumSet<Family> offered = EnumSet.noneOf(Family.class);
    families.forEach(name -> offered.add(name.family));
    return offered;
  }

  private PeerSecurity security() throws IOException {
    if (password.isPresent() && passwordFile.isPresent()) {
      throw new InvalidInputException(
          "passwordFile", passwordFile.get().toString(), "nothing beside password");
    }
    Optional<String> key = password;
    if (passwordFile.isPresent()) {
      List<String> lines;
      try {
        lines = Files.readAllLines(passwordFile.get(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new IOException("passwordFile " + passwordFile.get() + " cannot be read", e);
      }
      key = Optional.of(lines.isEmpty() ? "" : lines.getFirst());
    }
    return new PeerSecurity(key, ttlSecurity.map(OptionalInt::of).orElseGet(OptionalInt::empty));
  }

  private PeerPolicy policy(Map<String, BgpFilter.Spec> known) {
    List<FilterPolicy.Named> named = new ArrayList<>();
    for (int i = 0; i < filters.size(); i++) {
      BgpFilter.Spec spec = known.get(filters.get(i));
      if (spec == null) {
        throw new InvalidInputException(
            "filters[" + i + "]",
            filters.get(i),
            "one of the filters: " + (known.isEmpty() ? NONE : String.join(", ", known.keySet())));
      }
      named.add(new FilterPolicy.Named(filters.get(i), spec));
    }
    Map<Family, MaxPrefixes> limits = new EnumMap<>(Family.class);
    maxPrefixes.forEach(
        (family, fields) -> limits.put(family.family, at("maxPrefixes." + family, fields::limits)));
    return PeerPolicy.DEFAULT.with(
        rules -> {
          rules
              .transit(transit.orElse(true))
              .requirePolicy(requirePolicy.orElse(false))
              .nextHop(nextHop.map(name -> name.mode).orElse(NextHopMode.STANDARD))
              .reflectorClient(routeReflectorClient.orElse(false))
              .gracefulShutdown(gracefulShutdown.orElse(false))
              .allowOwnAs(allowAsIn.orElse(0));
          FilterPolicy.ofImport(named, interfaceName).ifPresent(rules::importPolicy);
          FilterPolicy.ofExport(named).ifPresent(rules::exportPolicy);
          limits.forEach(rules::maxPrefixes);
        });
  }

  /** What is refused in a part of the file is refused by its path. */
  static <T> T at(String path, Supplier<T> part) {
    try {
      return part.get();
    } catch (InvalidInputException e) {
      throw e.within(path);
    }
  }
}

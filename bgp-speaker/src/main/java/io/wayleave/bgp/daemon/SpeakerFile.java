package io.wayleave.bgp.daemon;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.Origination;
import io.wayleave.bgp.PathSelection;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.LargeCommunity;
import io.wayleave.model.Absent;
import io.wayleave.model.Asn;
import io.wayleave.model.BgpCommunity;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The file of a speaker that runs alone. Each field is explained in {@code docs/bgp.md}; a field
 * that does not exist is refused by its path.
 *
 * @param listen where peers may connect to; every address of the host on port 179 when absent, and
 *     nowhere when it is an empty list
 * @param adminSocket Unix socket of the admin API; none when absent
 * @param peerDefaults what every peer has that neither it nor its group says otherwise
 * @param peers with what they take from their groups
 */
public record SpeakerFile(
    RouterId routerId,
    Asn asNumber,
    Optional<RouterId> clusterId,
    Optional<List<Listen>> listen,
    Optional<IpAddress> ipv4NextHop,
    Optional<IpAddress> ipv6NextHop,
    Optional<Path> adminSocket,
    LogSetup.Level logLevel,
    LogSetup.Format logFormat,
    Optional<Restart> gracefulRestart,
    Optional<Selection> pathSelection,
    Map<String, BgpFilter.Spec> filters,
    Optional<PeerFields> peerDefaults,
    Map<String, PeerFields> peerGroups,
    List<PeerFields> peers,
    List<PeerFields> listenRanges,
    List<Route> routes) {
  /** How many dynamic neighbours a range may have when its file does not say. */
  static final int DEFAULT_RANGE_LIMIT = 100;

  /** Where to listen; port 179 when absent. */
  public record Listen(IpAddress address, Optional<Integer> port) {
    @JsonCreator
    public Listen {
      Absent.required("address", address, "an own address, or 0.0.0.0 or :: for all of them");
      port = Absent.orEmpty(port);
    }

    private ListenAddress listenAddress() {
      return new ListenAddress(address, port.orElse(ListenAddress.BGP_PORT));
    }
  }

  /** Graceful restart for all peers (RFC 4724), in seconds. */
  public record Restart(
      Optional<Boolean> enabled,
      Optional<Boolean> notification,
      Optional<Boolean> forwardingPreserved,
      Optional<Integer> restartTime,
      Optional<Integer> reconnectWait,
      Optional<Integer> selectionDeferral,
      Optional<Integer> staleTime) {
    @JsonCreator
    public Restart {
      enabled = Absent.orEmpty(enabled);
      notification = Absent.orEmpty(notification);
      forwardingPreserved = Absent.orEmpty(forwardingPreserved);
      restartTime = Absent.orEmpty(restartTime);
      reconnectWait = Absent.orEmpty(reconnectWait);
      selectionDeferral = Absent.orEmpty(selectionDeferral);
      staleTime = Absent.orEmpty(staleTime);
    }

    private GracefulRestart settings() {
      GracefulRestart defaults = GracefulRestart.DEFAULT;
      if (forwardingPreserved.orElse(false) && !enabled.orElse(true)) {
        throw new InvalidInputException(
            "forwardingPreserved", "true", "false where enabled is false");
      }
      return new GracefulRestart(
          enabled.orElse(true),
          notification.orElse(defaults.notification()),
          restartTime.map(Duration::ofSeconds).orElse(defaults.restartTime()),
          reconnectWait.map(Duration::ofSeconds).orElse(defaults.reconnectWait()),
          selectionDeferral.map(Duration::ofSeconds).orElse(defaults.selectionDeferral()),
          staleTime.map(Duration::ofSeconds).orElse(defaults.staleTime()));
    }
  }

  /** How best paths are chosen. */
  public record Selection(
      Optional<Integer> maximumPaths,
      Optional<Boolean> asPathRelax,
      Optional<Boolean> alwaysCompareMed) {
    @JsonCreator
    public Selection {
      maximumPaths = Absent.orEmpty(maximumPaths);
      asPathRelax = Absent.orEmpty(asPathRelax);
      alwaysCompareMed = Absent.orEmpty(alwaysCompareMed);
    }

    private PathSelection settings() {
      PathSelection defaults = PathSelection.DEFAULT;
      return new PathSelection(
          maximumPaths.orElse(defaults.maximumPaths()),
          asPathRelax.orElse(defaults.asPathRelax()),
          alwaysCompareMed.orElse(defaults.alwaysCompareMed()));
    }
  }

  /** A route that is originated here. */
  public record Route(
      Cidr prefix,
      List<BgpCommunity> communities,
      Optional<Long> med,
      Optional<IpAddress> nextHop) {
    private static final long MAX_MED = 0xffff_ffffL;

    @JsonCreator
    public Route {
      communities = Absent.orEmpty(communities);
      med = Absent.orEmpty(med);
      nextHop = Absent.orEmpty(nextHop);
    }

    private Origination origination() {
      Absent.required("prefix", prefix, "a network such as 10.1.0.0/16");
      List<Community> standard = new ArrayList<>();
      List<LargeCommunity> large = new ArrayList<>();
      for (BgpCommunity community : communities) {
        List<Long> parts = community.parts();
        if (community.isLarge()) {
          large.add(new LargeCommunity(parts.get(0), parts.get(1), parts.get(2)));
        } else {
          standard.add(Community.of(parts.get(0).intValue(), parts.get(1).intValue()));
        }
      }
      // IPv6 routes have no next hop of IPv4 in any message; the other way round see RFC 8950.
      if (prefix.family() == Family.IPV6
          && nextHop.filter(hop -> hop.family() == Family.IPV4).isPresent()) {
        throw new InvalidInputException("nextHop", nextHop.get().toString(), "an IPv6 address");
      }
      if (med.isPresent() && (med.get() < 0 || med.get() > MAX_MED)) {
        throw new InvalidInputException("med", med.get().toString(), "0 to " + MAX_MED);
      }
      return new Origination(
          standard, large, med.map(OptionalLong::of).orElseGet(OptionalLong::empty), nextHop);
    }
  }

  @JsonCreator
  public SpeakerFile {
    clusterId = Absent.orEmpty(clusterId);
    listen = Absent.orEmpty(listen).map(List::copyOf);
    ipv4NextHop = Absent.orEmpty(ipv4NextHop);
    ipv6NextHop = Absent.orEmpty(ipv6NextHop);
    adminSocket = Absent.orEmpty(adminSocket);
    logLevel = Absent.orElse(logLevel, LogSetup.Level.info);
    logFormat = Absent.orElse(logFormat, LogSetup.Format.text);
    gracefulRestart = Absent.orEmpty(gracefulRestart);
    pathSelection = Absent.orEmpty(pathSelection);
    filters = filters == null ? Map.of() : Collections.unmodifiableMap(new TreeMap<>(filters));
    peerDefaults = Absent.orEmpty(peerDefaults);
    peerGroups =
        peerGroups == null ? Map.of() : Collections.unmodifiableMap(new TreeMap<>(peerGroups));
    peers = Absent.orEmpty(peers);
    listenRanges = Absent.orEmpty(listenRanges);
    routes = Absent.orEmpty(routes);
  }

  /**
   * Reads a file.
   *
   * @throws InvalidInputException naming the field, its value and what is allowed
   * @throws IOException when it cannot be read
   */
  public static SpeakerFile load(Path file) throws IOException {
    return parse(Files.readString(file, StandardCharsets.UTF_8));
  }

  /** Reads the text of a file. */
  public static SpeakerFile parse(String text) {
    JsonNode tree = ResourceCodec.readYaml(text);
    if (!(tree instanceof ObjectNode fields)) {
      throw new InvalidInputException(
          "", tree.asText(""), "an object with routerId, asNumber and peers");
    }
    // Read once as it is written, so that what is wrong in a group is refused there and not in each
    // of its peers.
    ResourceCodec.read(ResourceCodec.yamlMapper(), fields, SpeakerFile.class).checkGroups();
    ObjectNode merged = fields.deepCopy();
    inherit(merged, "peers");
    inherit(merged, "listenRanges");
    return ResourceCodec.read(ResourceCodec.yamlMapper(), merged, SpeakerFile.class);
  }

  private void checkGroups() {
    peerDefaults.ifPresent(
        defaults ->
            PeerFields.at(
                "peerDefaults",
                () -> {
                  defaults.checkGroup();
                  return defaults;
                }));
    peerGroups.forEach(
        (name, group) ->
            PeerFields.at(
                "peerGroups." + name,
                () -> {
                  group.checkGroup();
                  return group;
                }));
  }

  /** Puts below each peer's own fields those of its group, and below these the defaults. */
  private static void inherit(ObjectNode file, String list) {
    if (!(file.get(list) instanceof ArrayNode peers)) {
      return;
    }
    for (int i = 0; i < peers.size(); i++) {
      ObjectNode own = (ObjectNode) peers.get(i);
      ObjectNode merged = file.objectNode();
      if (file.get("peerDefaults") instanceof ObjectNode defaults) {
        merged.setAll(defaults.deepCopy());
      }
      if (own.hasNonNull("group")) {
        String name = own.get("group").asText();
        if (!(file.path("peerGroups").get(name) instanceof ObjectNode group)) {
          List<String> names = new ArrayList<>();
          file.path("peerGroups").fieldNames().forEachRemaining(names::add);
          throw new InvalidInputException(
              list + "[" + i + "].group",
              name,
              "one of peerGroups: " + (names.isEmpty() ? "none" : String.join(", ", names)));
        }
        merged.setAll(group.deepCopy());
      }
      merged.setAll(own);
      peers.set(i, merged);
    }
  }

  /**
   * The same for the speaker.
   *
   * @throws InvalidInputException when something is missing or does not fit together
   * @throws IOException when the file of a password cannot be read
   */
  public SpeakerConfig config() throws IOException {
    Absent.required("routerId", routerId, "a router id such as 10.0.0.1");
    Absent.required("asNumber", asNumber, "this speaker's AS number, 1 to 4294967295");
    List<PeerConfig> configs = new ArrayList<>();
    for (int i = 0; i < peers.size(); i++) {
      configs.add(config(peers.get(i), false, "peers[" + i + "]"));
    }
    for (int i = 0; i < listenRanges.size(); i++) {
      configs.add(config(listenRanges.get(i), true, "listenRanges[" + i + "]"));
    }
    GracefulRestart restart =
        PeerFields.at(
            "gracefulRestart",
            () -> gracefulRestart.map(Restart::settings).orElse(GracefulRestart.DEFAULT));
    PathSelection selection =
        PeerFields.at(
            "pathSelection",
            () -> pathSelection.map(Selection::settings).orElse(PathSelection.DEFAULT));
    List<ListenAddress> addresses = listenAddresses();
    return SpeakerConfig.of(routerId, asNumber)
        .with(
            speaker -> {
              speaker
                  .listen(addresses)
                  .gracefulRestart(restart)
                  .pathSelection(selection)
                  .peers(configs);
              clusterId.ifPresent(speaker::clusterId);
              nextHop("ipv4NextHop", ipv4NextHop, Family.IPV4).ifPresent(speaker::nextHop);
              nextHop("ipv6NextHop", ipv6NextHop, Family.IPV6).ifPresent(speaker::nextHop);
            });
  }

  /**
   * Whether what carries packets by our routes outlives this program (RFC 4724 section 4.1). The
   * program itself writes no routes anywhere, so only who wrote the file can know.
   */
  boolean forwardingPreserved() {
    return gracefulRestart.flatMap(Restart::forwardingPreserved).orElse(false);
  }

  /**
   * What peers are told of the time before the start. Where forwarding is preserved each start is a
   * restart: a peer that has kept nothing loses nothing by the R and F bits, and a crash of this
   * program leaves no trace by which the first start could be told from the others.
   */
  StartMode startMode() {
    return forwardingPreserved()
        ? new StartMode.Restarted(EnumSet.allOf(Family.class))
        : new StartMode.Fresh();
  }

  /** Whether a password stands in a file of its own. */
  boolean hasPasswordFiles() {
    return Stream.concat(peers.stream(), listenRanges.stream())
        .anyMatch(peer -> peer.passwordFile().isPresent());
  }

  private PeerConfig config(PeerFields peer, boolean isRange, String path) throws IOException {
    try {
      return peer.config(isRange, filters);
    } catch (InvalidInputException e) {
      throw e.within(path);
    } catch (IOException e) {
      throw new IOException(path + "." + e.getMessage(), e);
    }
  }

  private static Optional<IpAddress> nextHop(
      String field, Optional<IpAddress> address, Family family) {
    return address.map(
        own -> {
          if (own.family() != family) {
            throw new InvalidInputException(field, own.toString(), "an address of " + family);
          }
          return own;
        });
  }

  private List<ListenAddress> listenAddresses() {
    if (listen.isEmpty()) {
      // One socket on :: takes the connections of both families.
      boolean ipv6 = Files.exists(Path.of("/proc/net/if_inet6"));
      IpAddress any = IpAddress.parse(ipv6 ? "::" : "0.0.0.0");
      return List.of(new ListenAddress(any, ListenAddress.BGP_PORT));
    }
    List<ListenAddress> addresses = new ArrayList<>();
    for (int i = 0; i < listen.get().size(); i++) {
      Listen where = listen.get().get(i);
      addresses.add(PeerFields.at("listen[" + i + "]", where::listenAddress));
    }
    return addresses;
  }

  /**
   * What is originated here.
   *
   * @throws InvalidInputException when a route is incomplete or named twice
   */
  public Map<Cidr, Origination> originations() {
    Map<Cidr, Origination> all = new LinkedHashMap<>();
    for (int i = 0; i < routes.size(); i++) {
      Route route = routes.get(i);
      Origination origination = PeerFields.at("routes[" + i + "]", route::origination);
      if (all.put(route.prefix(), origination) != null) {
        throw new InvalidInputException(
            "routes[" + i + "].prefix",
            route.prefix().toString(),
            "a prefix that is not named before");
      }
    }
    return all;
  }
}

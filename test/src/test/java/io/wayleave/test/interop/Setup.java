package io.wayleave.test.interop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How one speaker of a cell is configured: who it is, who its one peer is, what it announces, and
 * what else it is told. Each speaker writes its own file from it.
 *
 * @param at the speaker's side
 * @param address own address of the session
 * @param asn own AS
 * @param peerAddress where the peer is
 * @param announced routes of its own
 * @param options with their values; a flag has the value ""
 */
record Setup(
    Side at,
    String address,
    long asn,
    String peerAddress,
    long peerAsn,
    List<Route> announced,
    Map<Option, String> options) {
  static final int HOLD_SECONDS = 9;

  /** What a cell asks for beyond a plain session. */
  enum Option {
    /** The password of RFC 2385. */
    MD5,
    /** RFC 5082. */
    GTSM,
    /**
     * The restart time in seconds, as one that restarts itself. Without it each speaker does what
     * it does by default: ours offers it, most daemons help only.
     */
    GRACEFUL_RESTART,
    /** BFD, of 300 ms and 3 tries; the value {@code graceful} is BIRD's setting of that name. */
    BFD,
    /** RFC 7911, both ways. */
    ADD_PATH,
    /** RFC 8654. */
    EXTENDED_MESSAGES,
    /** How many prefixes the peer may send. */
    MAX_PREFIXES,
    /** The peer is a client of this route reflector; the value is the cluster id. */
    REFLECTOR,
    /** By interface: the peer has no address in the configuration. */
    UNNUMBERED,
    /** Learned routes go to the kernel, where the speaker can do so. */
    KERNEL,
    /** Starts as one that comes back and has kept forwarding. */
    RESTARTED,
    /** More peers: addresses with AS numbers, {@code 10.77.0.3=65003,…}. */
    MORE_PEERS
  }

  Setup {
    announced = List.copyOf(announced);
    EnumMap<Option, String> copy = new EnumMap<>(Option.class);
    copy.putAll(options);
    options = Collections.unmodifiableMap(copy);
  }

  /** A session over IPv4 or IPv6 that carries that family. */
  static Setup of(Side at, boolean ipv6, long asn, long peerAsn) {
    return new Setup(
        at,
        ipv6 ? at.ipv6() : at.ipv4(),
        asn,
        ipv6 ? at.other().ipv6() : at.other().ipv4(),
        peerAsn,
        List.of(),
        Map.of());
  }

  Setup announcing(Route... routes) {
    return new Setup(at, address, asn, peerAddress, peerAsn, List.of(routes), options);
  }

  Setup with(Option option) {
    return with(option, "");
  }

  Setup with(Option option, String value) {
    Map<Option, String> more = new EnumMap<>(Option.class);
    more.putAll(options);
    more.put(option, value);
    return new Setup(at, address, asn, peerAddress, peerAsn, announced, more);
  }

  boolean has(Option option) {
    return options.containsKey(option);
  }

  Optional<String> value(Option option) {
    return Optional.ofNullable(options.get(option));
  }

  boolean ipv6() {
    return address.contains(":");
  }

  boolean internal() {
    return asn == peerAsn;
  }

  String routerId() {
    return ipv6() ? at.ipv4() : address;
  }

  /** The same speaker at another address of its side. */
  Setup from(String own) {
    return new Setup(at, own, asn, peerAddress, peerAsn, announced, options);
  }

  /** The same speaker with a peer at another address. */
  Setup to(String peer) {
    return new Setup(at, address, asn, peer, peerAsn, announced, options);
  }

  /** The peer and those of {@link Option#MORE_PEERS}, addresses with AS numbers. */
  List<Neighbor> neighbors() {
    List<Neighbor> all = new ArrayList<>();
    all.add(new Neighbor(peerAddress, peerAsn, true));
    value(Option.MORE_PEERS)
        .ifPresent(
            text -> {
              for (String peer : text.split(",", -1)) {
                String[] parts = peer.split("=", -1);
                all.add(new Neighbor(parts[0], Long.parseLong(parts[1]), false));
              }
            });
    return all;
  }

  /**
   * One peer of the speaker.
   *
   * @param main the one that the cell is about
   */
  record Neighbor(String address, long asn, boolean main) {}
}

package io.wayleave.bgp;

import io.wayleave.bgp.bfd.BfdStatus;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A peer at one moment. All texts are for people.
 *
 * @param where as configured; of a peer that came by a range, the range
 * @param address absent as long as nobody was heard on the peer's interface
 * @param asNumber of the session, else as configured; absent while neither says
 * @param internal iBGP
 * @param since when the state was entered
 * @param established present while the session is up
 * @param whyDown present while it is not: what ended the last session or attempt, or what is waited
 *     for
 * @param lastError the last failure, also after the session came up again
 * @param lastNotificationSent with the time it was sent
 * @param prefixes counts for each family offered to the peer
 * @param staleFamilies families whose routes are kept although the session is down, or came back
 *     and has not sent all of them yet (RFC 4724)
 * @param bfd the path to the peer, while BFD watches it
 */
public record PeerStatus(
    String name,
    PeerAddress where,
    Optional<IpAddress> address,
    Optional<Asn> asNumber,
    boolean internal,
    Phase state,
    Instant since,
    Optional<Established> established,
    Optional<String> whyDown,
    Optional<Event> lastError,
    Optional<Event> lastNotificationSent,
    Optional<Event> lastNotificationReceived,
    Counters counters,
    Map<Family, Prefixes> prefixes,
    List<Family> staleFamilies,
    Optional<BfdStatus> bfd) {
  public PeerStatus {
    prefixes = Map.copyOf(prefixes);
    staleFamilies = List.copyOf(staleFamilies);
  }

  /**
   * What the two speakers agreed on, and how the session is.
   *
   * @param queuedOctets made for the peer and not taken by the kernel yet
   */
  public record Established(
      RouterId peerRouterId,
      IpAddress localAddress,
      Duration holdTime,
      Duration keepaliveInterval,
      Duration uptime,
      List<Family> families,
      boolean fourOctetAs,
      boolean routeRefresh,
      boolean gracefulRestart,
      long queuedOctets,
      List<Capability> sentCapabilities,
      List<Capability> peerCapabilities) {
    public Established {
      families = List.copyOf(families);
      sentCapabilities = List.copyOf(sentCapabilities);
      peerCapabilities = List.copyOf(peerCapabilities);
    }
  }

  /** Something that happened once. */
  public record Event(Instant when, String text) {}

  /**
   * Since the peer was configured.
   *
   * @param established how often the session came up
   * @param faults messages with an error in them, and limits that were exceeded
   * @param linesLeftOut lines that were not written to the log, so that the peer does not fill it
   */
  public record Counters(
      Messages received, Messages sent, long established, long faults, long linesLeftOut) {
    public long messagesReceived() {
      return received.total();
    }

    public long messagesSent() {
      return sent.total();
    }

    public long updatesReceived() {
      return received.update();
    }

    public long updatesSent() {
      return sent.update();
    }
  }

  /** Messages of one direction by type. */
  public record Messages(
      long open, long update, long notification, long keepalive, long routeRefresh) {
    public static final Messages NONE = new Messages(0, 0, 0, 0, 0);

    public long total() {
      return open + update + notification + keepalive + routeRefresh;
    }
  }

  /**
   * Prefixes of one family.
   *
   * @param received in the Adj-RIB-In, usable or not
   * @param accepted usable ones of these
   * @param advertised in the Adj-RIB-Out and sent
   */
  public record Prefixes(int received, int accepted, int advertised) {
    public static final Prefixes NONE = new Prefixes(0, 0, 0);
  }
}

package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.bgp.rib.AdjRibOut;
import io.wayleave.bgp.rib.Candidates;
import io.wayleave.bgp.rib.Export;
import io.wayleave.bgp.rib.Path;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.bgp.rib.PrefixMap;
import io.wayleave.bgp.rib.Route;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A session while it is Established: what the peer is told, in which order, and what was agreed.
 * Nothing of it outlives the session. Owned by the {@link Loop} thread.
 */
final class Session {
  private final Machine machine;
  private final Negotiated negotiated;
  private final PathSource.Peer source;
  private final Map<Family, AdjRibOut> tables = new EnumMap<>(Family.class);
  private final Set<Family> owedEndOfRib;
  private Export export;
  // The last translation of each family: the prefixes of one UPDATE share their path.
  private final Map<Family, Translation> last = new EnumMap<>(Family.class);

  private record Translation(Path best, Optional<Route> route) {}

  Session(
      Machine machine,
      Negotiated negotiated,
      PathSource.Peer source,
      PeerConfig peer,
      SpeakerConfig speaker) {
    this.machine = requireNonNull(machine, "machine is null");
    this.negotiated = requireNonNull(negotiated, "negotiated is null");
    this.source = requireNonNull(source, "source is null");
    for (Family family : negotiated.families()) {
      tables.put(family, new AdjRibOut(family));
    }
    owedEndOfRib = EnumSet.copyOf(negotiated.families());
    export = exportOf(peer, speaker);
  }

  Negotiated negotiated() {
    return negotiated;
  }

  PathSource.Peer source() {
    return source;
  }

  void setExport(PeerConfig peer, SpeakerConfig speaker) {
    export = exportOf(peer, speaker);
    last.clear();
  }

  /** The peer is to be told what was chosen for the prefix, as far as it concerns it. */
  void export(Cidr prefix, Optional<Candidates> selection) {
    AdjRibOut table = tables.get(prefix.family());
    if (table == null) {
      return;
    }
    table.set(prefix, selection.flatMap(chosen -> translate(prefix.family(), chosen.get(0))));
  }

  @SuppressWarnings("ReferenceEquality") // The same object, as the prefixes of an UPDATE have it.
  private Optional<Route> translate(Family family, Path best) {
    Translation known = last.get(family);
    if (known == null || known.best() != best) {
      known = new Translation(best, export.of(family, best));
      last.put(family, known);
    }
    return known.route();
  }

  /**
   * Sends what is pending, as long as the connection takes it.
   *
   * @param complete whether all that can be told now is in the tables: then End-of-RIB follows
   */
  void transmit(boolean complete) {
    for (Map.Entry<Family, AdjRibOut> entry : tables.entrySet()) {
      AdjRibOut table = entry.getValue();
      while (machine.canSend()) {
        Optional<BgpMessage.Update> next = table.next();
        if (next.isEmpty()) {
          break;
        }
        machine.send(next.get());
      }
      if (complete && !table.hasPending() && owedEndOfRib.remove(entry.getKey())) {
        machine.send(BgpMessage.Update.endOfRib(AddressFamily.unicast(entry.getKey())));
      }
    }
  }

  /** RFC 2918 section 4: everything of the family again. */
  void resend(Family family) {
    AdjRibOut table = tables.get(family);
    if (table != null) {
      table.resend();
    }
  }

  /** Asks for everything again, where the peer can do so. */
  void requestRefresh() {
    if (negotiated.routeRefresh()) {
      for (Family family : negotiated.families()) {
        machine.send(BgpMessage.RouteRefresh.request(AddressFamily.unicast(family)));
      }
    }
  }

  int advertised(Family family) {
    AdjRibOut table = tables.get(family);
    return table == null ? 0 : table.size();
  }

  void forEachAdvertised(Family family, PrefixMap.Visitor<Route> visitor) {
    AdjRibOut table = tables.get(family);
    if (table != null) {
      table.forEachSent(visitor);
    }
  }

  PeerStatus.Established status(Duration uptime) {
    return new PeerStatus.Established(
        source.routerId(),
        source.localAddress(),
        negotiated.holdTime(),
        negotiated.keepaliveInterval(),
        uptime,
        List.copyOf(negotiated.families()),
        negotiated.codec().fourOctetAs(),
        negotiated.routeRefresh(),
        negotiated.peerGracefulRestart().isPresent(),
        negotiated.remote().capabilities().stream().map(Object::toString).toList());
  }

  /**
   * Next hops that are ours: the session's own address for its family (RFC 4271 section 5.1.3), the
   * configured one for the other family, as the session has no address of that.
   */
  private Export exportOf(PeerConfig peer, SpeakerConfig speaker) {
    IpAddress own = source.localAddress();
    return new Export(
        peer.name(),
        negotiated.internal(),
        peer.policy().transit(),
        speaker.asNumber(),
        own.family() == Family.IPV4 ? Optional.of(own) : speaker.ipv4NextHop(),
        own.family() == Family.IPV6 ? Optional.of(own) : speaker.ipv6NextHop());
  }
}

package io.wayleave.bgp.admin;

import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.SpeakerStatus;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.CapabilityText;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.status.BgpReport;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/** Writes what the speaker says of itself in the words of the admin API. */
final class Reports {
  private Reports() {}

  static BgpReport of(SpeakerStatus status) {
    return new BgpReport(
        status.routerId().toString(),
        status.asNumber().number(),
        status.converged(),
        status.waitingFor(),
        status.listening().stream().map(Object::toString).toList(),
        status.listenErrors(),
        status.originated(),
        status.peers().stream().map(Reports::of).toList());
  }

  private static BgpReport.Neighbor of(PeerStatus peer) {
    return new BgpReport.Neighbor(
        peer.name(),
        peer.where().toString(),
        peer.address().map(IpAddress::toString),
        peer.asNumber().map(Asn::number),
        peer.internal() ? "internal" : "external",
        peer.state().toString(),
        time(peer.since()),
        peer.established().map(Reports::of),
        peer.whyDown(),
        peer.lastError().map(Reports::of),
        peer.lastNotificationSent().map(Reports::of),
        peer.lastNotificationReceived().map(Reports::of),
        peer.counters().established(),
        peer.counters().faults(),
        peer.counters().linesLeftOut(),
        of(peer.counters().received()),
        of(peer.counters().sent()),
        peer.prefixes().entrySet().stream()
            .sorted(java.util.Map.Entry.comparingByKey())
            .map(
                family ->
                    new BgpReport.Prefixes(
                        name(family.getKey()),
                        family.getValue().received(),
                        family.getValue().accepted(),
                        family.getValue().advertised()))
            .toList(),
        peer.staleFamilies().stream().map(Reports::name).toList());
  }

  private static BgpReport.Session of(PeerStatus.Established up) {
    return new BgpReport.Session(
        up.peerRouterId().toString(),
        up.localAddress().toString(),
        up.holdTime().toSeconds(),
        up.keepaliveInterval().toSeconds(),
        up.uptime().toSeconds(),
        up.families().stream().sorted().map(Reports::name).toList(),
        new BgpReport.Capabilities(
            texts(up.sentCapabilities()),
            texts(up.peerCapabilities()),
            CapabilityText.inForce(up.sentCapabilities(), up.peerCapabilities())));
  }

  private static List<String> texts(List<Capability> capabilities) {
    return capabilities.stream().map(CapabilityText::of).toList();
  }

  private static BgpReport.Event of(PeerStatus.Event event) {
    return new BgpReport.Event(time(event.when()), event.text());
  }

  private static BgpReport.Messages of(PeerStatus.Messages messages) {
    return new BgpReport.Messages(
        messages.open(),
        messages.update(),
        messages.notification(),
        messages.keepalive(),
        messages.routeRefresh());
  }

  static BgpReport.Route of(RouteStatus route) {
    return new BgpReport.Route(
        route.prefix().toString(), route.paths().stream().map(Reports::of).toList());
  }

  private static BgpReport.Path of(RouteStatus.PathStatus path) {
    PathAttributes attributes = path.attributes();
    List<String> communities = new ArrayList<>();
    attributes.communities().forEach(community -> communities.add(community.toString()));
    attributes.largeCommunities().forEach(community -> communities.add(community.toString()));
    attributes.extendedCommunities().forEach(community -> communities.add(community.toString()));
    return new BgpReport.Path(
        path.peer(),
        path.nextHop().map(NextHop::toString),
        attributes.origin().toString(),
        attributes.asPath().toString(),
        boxed(attributes.med()),
        boxed(attributes.localPref()),
        communities,
        attributes.originatorId().map(Object::toString),
        attributes.clusterList().stream().map(Object::toString).toList(),
        path.used(),
        path.stale(),
        path.verdict());
  }

  private static Optional<Long> boxed(OptionalLong number) {
    return number.isPresent() ? Optional.of(number.getAsLong()) : Optional.empty();
  }

  private static String name(Family family) {
    return family.name().toLowerCase(Locale.ROOT);
  }

  private static String time(Instant instant) {
    return instant.truncatedTo(ChronoUnit.SECONDS).toString();
  }
}

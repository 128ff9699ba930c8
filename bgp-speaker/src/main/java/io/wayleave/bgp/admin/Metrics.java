package io.wayleave.bgp.admin;

import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.SpeakerStatus;
import io.wayleave.bgp.fsm.Phase;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * A speaker in the text format of Prometheus, version 0.0.4. Each name is told of every peer before
 * the next name, as the format asks.
 */
final class Metrics {
  private final StringBuilder text = new StringBuilder();
  private final List<PeerStatus> peers;

  private Metrics(List<PeerStatus> peers) {
    this.peers = peers;
  }

  static String of(SpeakerStatus status) {
    Metrics metrics = new Metrics(status.peers());
    metrics.speaker(status);
    metrics.sessions();
    metrics.messages();
    metrics.prefixes();
    metrics.events();
    return metrics.text.toString();
  }

  private void speaker(SpeakerStatus status) {
    long established = peers.stream().filter(peer -> peer.state() == Phase.ESTABLISHED).count();
    one("wayleave_bgp_peers", "Configured peers.", peers.size());
    one("wayleave_bgp_sessions_established", "Sessions that are up.", established);
    one(
        "wayleave_bgp_converged",
        "1 when every peer that can be waited for has sent all of its routes.",
        status.converged() ? 1 : 0);
    one("wayleave_bgp_routes_originated", "Routes that are originated here.", status.originated());
  }

  private void sessions() {
    each(
        "wayleave_bgp_peer_up",
        "gauge",
        "1 while the session is up.",
        peer -> peer.state() == Phase.ESTABLISHED ? 1 : 0);
    head("wayleave_bgp_peer_state", "gauge", "1 for the state that the session is in.");
    for (PeerStatus peer : peers) {
      for (Phase phase : Phase.values()) {
        line(
            "wayleave_bgp_peer_state",
            peer,
            ",state=\"" + phase + "\"",
            peer.state() == phase ? 1 : 0);
      }
    }
    each(
        "wayleave_bgp_peer_state_since_seconds",
        "gauge",
        "When the session entered its state, in Unix time.",
        peer -> peer.since().getEpochSecond());
    each(
        "wayleave_bgp_peer_established_total",
        "counter",
        "How often the session came up.",
        peer -> peer.counters().established());
    each(
        "wayleave_bgp_peer_flaps_total",
        "counter",
        "How often the session was lost after it had come up.",
        peer -> peer.counters().established() - (peer.state() == Phase.ESTABLISHED ? 1 : 0));
    each(
        "wayleave_bgp_peer_output_queue_octets",
        "gauge",
        "Octets of messages for the peer that the kernel has not taken yet.",
        peer -> peer.established().map(PeerStatus.Established::queuedOctets).orElse(0L));
    each(
        "wayleave_bgp_peer_faults_total",
        "counter",
        "Messages with an error in them, and limits that were exceeded.",
        peer -> peer.counters().faults());
    each(
        "wayleave_bgp_peer_log_lines_left_out_total",
        "counter",
        "Lines that were not written, so that the peer does not fill the log.",
        peer -> peer.counters().linesLeftOut());
  }

  private void messages() {
    head("wayleave_bgp_peer_messages_received_total", "counter", "Messages received, by type.");
    peers.forEach(
        peer ->
            messages(
                "wayleave_bgp_peer_messages_received_total", peer, peer.counters().received()));
    head("wayleave_bgp_peer_messages_sent_total", "counter", "Messages sent, by type.");
    peers.forEach(
        peer -> messages("wayleave_bgp_peer_messages_sent_total", peer, peer.counters().sent()));
  }

  private void messages(String name, PeerStatus peer, PeerStatus.Messages messages) {
    line(name, peer, ",type=\"open\"", messages.open());
    line(name, peer, ",type=\"update\"", messages.update());
    line(name, peer, ",type=\"notification\"", messages.notification());
    line(name, peer, ",type=\"keepalive\"", messages.keepalive());
    line(name, peer, ",type=\"route_refresh\"", messages.routeRefresh());
  }

  private void prefixes() {
    prefixes("received", "Prefixes of the peer, usable or not.", PeerStatus.Prefixes::received);
    prefixes("accepted", "Prefixes of the peer that are usable.", PeerStatus.Prefixes::accepted);
    prefixes(
        "rejected",
        "Prefixes of the peer that may not be used.",
        prefixes -> prefixes.received() - prefixes.accepted());
    prefixes(
        "advertised", "Prefixes that the peer has been told.", PeerStatus.Prefixes::advertised);
  }

  private void prefixes(String what, String help, ToLongFunction<PeerStatus.Prefixes> value) {
    String name = "wayleave_bgp_peer_prefixes_" + what;
    head(name, "gauge", help);
    for (PeerStatus peer : peers) {
      peer.prefixes().entrySet().stream()
          .sorted(Map.Entry.comparingByKey())
          .forEach(
              family ->
                  line(
                      name,
                      peer,
                      ",family=\"" + family.getKey().name().toLowerCase(Locale.ROOT) + "\"",
                      value.applyAsLong(family.getValue())));
    }
  }

  private void events() {
    event("last_error", "When a session or an attempt last failed", PeerStatus::lastError);
    event(
        "last_notification_sent",
        "When a NOTIFICATION was last sent",
        PeerStatus::lastNotificationSent);
    event(
        "last_notification_received",
        "When a NOTIFICATION was last received",
        PeerStatus::lastNotificationReceived);
  }

  private void event(
      String what,
      String help,
      java.util.function.Function<PeerStatus, Optional<PeerStatus.Event>> of) {
    each(
        "wayleave_bgp_peer_" + what + "_timestamp_seconds",
        "gauge",
        help + ", in Unix time; 0 for never.",
        peer -> of.apply(peer).map(PeerStatus.Event::when).map(Instant::getEpochSecond).orElse(0L));
  }

  private void one(String name, String help, long value) {
    head(name, "gauge", help);
    text.append(name).append(' ').append(value).append('\n');
  }

  private void each(String name, String type, String help, ToLongFunction<PeerStatus> value) {
    head(name, type, help);
    peers.forEach(peer -> line(name, peer, "", value.applyAsLong(peer)));
  }

  private void head(String name, String type, String help) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
  }

  private void line(String name, PeerStatus peer, String labels, long value) {
    text.append(name)
        .append("{peer=\"")
        .append(escaped(peer.name()))
        .append('"')
        .append(labels)
        .append("} ")
        .append(value)
        .append('\n');
  }

  private static String escaped(String label) {
    return label.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }
}

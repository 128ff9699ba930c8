package io.wayleave.ctl;

import io.wayleave.model.status.BgpReport;
import java.util.List;
import java.util.Optional;

/** What {@code netctl bgp} prints for people. */
final class BgpText {
  private BgpText() {}

  static String summary(BgpReport report) {
    StringBuilder text = new StringBuilder();
    speaker(text, report);
    if (report.neighbors().isEmpty()) {
      return text.append("No BGP peers.\n").toString();
    }
    Table table =
        new Table(
            "PEER",
            "ADDRESS",
            "AS",
            "STATE",
            "SINCE",
            "RECEIVED",
            "ACCEPTED",
            "ADVERTISED",
            "INFO");
    for (BgpReport.Neighbor peer : report.neighbors()) {
      table.row(
          peer.name(),
          peer.address().orElse(peer.where()),
          peer.asNumber().map(Object::toString).orElse(""),
          peer.state(),
          peer.since(),
          sum(peer, BgpReport.Prefixes::received),
          sum(peer, BgpReport.Prefixes::accepted),
          sum(peer, BgpReport.Prefixes::advertised),
          peer.whyDown().orElse(stale(peer)));
    }
    return text.append(table.text()).toString();
  }

  private static void speaker(StringBuilder text, BgpReport report) {
    line(text, "Speaker", "AS " + report.asNumber() + ", router id " + report.routerId());
    line(
        text,
        "Listening",
        report.listening().isEmpty() ? "nowhere" : String.join(", ", report.listening()));
    report.listenErrors().forEach(error -> line(text, "Failing", error));
    line(
        text,
        "Originated",
        report.originated() + (report.originated() == 1 ? " route" : " routes"));
    line(
        text,
        "Converged",
        report.converged()
            ? "yes"
            : "no"
                + (report.waitingFor().isEmpty()
                    ? ""
                    : ", waiting for " + String.join(", ", report.waitingFor())));
  }

  static String neighbors(BgpReport report) {
    StringBuilder text = new StringBuilder();
    for (BgpReport.Neighbor peer : report.neighbors()) {
      text.append(text.isEmpty() ? "" : "\n");
      neighbor(text, peer);
    }
    return text.isEmpty() ? "No BGP peers.\n" : text.toString();
  }

  private static void neighbor(StringBuilder text, BgpReport.Neighbor peer) {
    line(text, "Peer", peer.name());
    line(
        text,
        "Address",
        peer.address()
            .map(at -> at.equals(peer.where()) ? at : at + " by " + peer.where())
            .orElse(peer.where()));
    line(
        text,
        "AS",
        peer.asNumber().map(Object::toString).orElse("not known yet") + ", " + peer.type());
    line(text, "State", peer.state() + " since " + peer.since());
    peer.whyDown().ifPresent(why -> line(text, "Down", why));
    peer.session().ifPresent(session -> session(text, session));
    line(text, "Came up", peer.timesEstablished() + " times");
    event(text, "Last error", peer.lastError());
    event(text, "Last NOTIFICATION sent", peer.lastNotificationSent());
    event(text, "Last NOTIFICATION received", peer.lastNotificationReceived());
    if (peer.faults() + peer.logLinesLeftOut() > 0) {
      line(
          text,
          "Faults",
          peer.faults() + " of the peer; " + peer.logLinesLeftOut() + " lines left out of the log");
    }
    line(text, "Messages received", messages(peer.messagesReceived()));
    line(text, "Messages sent", messages(peer.messagesSent()));
    for (BgpReport.Prefixes family : peer.prefixes()) {
      line(
          text,
          "Prefixes " + family.family(),
          family.received()
              + " received, "
              + (family.received() - family.accepted())
              + " of them not usable; "
              + family.advertised()
              + " advertised");
    }
    if (!stale(peer).isEmpty()) {
      line(text, "Stale", stale(peer));
    }
  }

  private static void session(StringBuilder text, BgpReport.Session session) {
    line(
        text,
        "Session",
        "up "
            + session.uptime()
            + " s, hold time "
            + session.holdTime()
            + " s, keepalive "
            + session.keepaliveInterval()
            + " s, "
            + String.join(" and ", session.families())
            + ", from "
            + session.localAddress());
    line(text, "Peer's router id", session.peerRouterId());
    line(text, "Capabilities sent", String.join(", ", session.capabilities().sent()));
    line(text, "Capabilities received", String.join(", ", session.capabilities().received()));
    line(text, "Capabilities in force", String.join(", ", session.capabilities().inForce()));
  }

  private static void event(StringBuilder text, String what, Optional<BgpReport.Event> event) {
    event.ifPresent(happened -> line(text, what, happened.when() + " " + happened.text()));
  }

  private static String messages(BgpReport.Messages messages) {
    return messages.open()
        + " OPEN, "
        + messages.update()
        + " UPDATE, "
        + messages.notification()
        + " NOTIFICATION, "
        + messages.keepalive()
        + " KEEPALIVE, "
        + messages.routeRefresh()
        + " ROUTE-REFRESH";
  }

  private static String stale(BgpReport.Neighbor peer) {
    return peer.staleFamilies().isEmpty()
        ? ""
        : String.join(" and ", peer.staleFamilies()) + " routes are kept over its restart";
  }

  /**
   * A line for each path.
   *
   * @param headings whether these are the first of the table
   */
  static String routes(List<BgpReport.Route> routes, boolean headings) {
    Table table =
        new Table(
            "PREFIX",
            "NEXT HOP",
            "PEER",
            "AS PATH",
            "ORIGIN",
            "MED",
            "LOCAL PREF",
            "COMMUNITIES",
            "VERDICT");
    for (BgpReport.Route route : routes) {
      for (BgpReport.Path path : route.paths()) {
        table.row(
            route.prefix(),
            path.nextHop().orElse(""),
            path.peer().orElse(""),
            path.asPath(),
            path.origin(),
            path.med().map(Object::toString).orElse(""),
            path.localPref().map(Object::toString).orElse(""),
            Table.cell(path.communities()),
            path.stale() ? path.verdict() + ", stale" : path.verdict());
      }
    }
    String text = table.text();
    return headings ? text : text.substring(text.indexOf('\n') + 1);
  }

  private static String sum(
      BgpReport.Neighbor peer, java.util.function.ToIntFunction<BgpReport.Prefixes> count) {
    return Integer.toString(peer.prefixes().stream().mapToInt(count).sum());
  }

  private static void line(StringBuilder text, String what, String value) {
    text.append(String.format("%-26s %s\n", what, Table.clean(value)));
  }
}

package io.wayleave.test.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What {@code lab status} prints. */
final class StatusReport {
  private final Lab lab;

  StatusReport(Lab lab) {
    this.lab = lab;
  }

  String text() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "lab "
            + lab.spec().name()
            + ", "
            + lab.store().kind().label()
            + (lab.store().isHealthy() ? " serves" : " is down"));
    if (!lab.routers().isEmpty()) {
      lines.add("");
      lines.add(row("ROUTER", "KIND", "PEER", "STATE"));
    }
    for (Router router : lab.routers()) {
      for (Router.Session session : router.sessions()) {
        lines.add(row(router.name(), router.kind().label(), session.peer(), session.state()));
      }
    }
    lines.add("");
    lines.add(row("HOST", "ADDRESS", "AS", "RUNTIME, SESSIONS"));
    for (LabHost host : lab.hosts()) {
      lines.add(
          row(
              host.name(),
              host.place().ipv4().toString(),
              host.place().asn().toString(),
              host.place().preferredRuntime().label() + sessions(host)));
    }
    List<LabContainer> containers = lab.containers();
    if (!containers.isEmpty()) {
      lines.add("");
      lines.add(row("CONTAINER", "ADDRESS", "RUNTIME", ""));
      for (LabContainer container : containers) {
        lines.add(
            row(
                container.toString(),
                container.address().toString(),
                container.runtimeKind().label(),
                ""));
      }
    }
    return String.join("\n", lines);
  }

  /** Established BGP sessions, as the host's agent has them. */
  private String sessions(LabHost host) {
    return lab.spec().agents() ? ", " + host.agent().establishedSessions() : "";
  }

  private static String row(String a, String b, String c, String d) {
    return String.format(Locale.ROOT, "%-20s %-16s %-12s %s", a, b, c, d).stripTrailing();
  }
}

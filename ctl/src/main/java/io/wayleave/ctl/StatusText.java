package io.wayleave.ctl;

import io.wayleave.model.status.AgentStatus;

/** How an agent is, for people: what `netctl node status` prints as a table. */
final class StatusText {
  private StatusText() {}

  static String of(AgentStatus status) {
    StringBuilder text = new StringBuilder();
    line(text, "Node", status.node());
    line(text, "Agent", status.version() + ", running since " + status.since());
    line(text, "Ready", status.ready() ? "yes" : "no: " + String.join("; ", status.notReady()));
    for (AgentStatus.NodeAddress address : status.addresses()) {
      line(
          text,
          "Address",
          address.address() + " on " + address.interfaceName() + ": " + address.reason());
    }
    line(text, "Datastore", datastore(status.datastore()));
    AgentStatus.BgpStatus bgp = status.bgp();
    line(text, "BGP", "AS " + bgp.asNumber() + ", router id " + bgp.routerId());
    line(text, "Mesh", bgp.mesh());
    AgentStatus.RouteCounts routes = status.routes();
    line(
        text,
        "Routes",
        routes.local()
            + " local, "
            + routes.learned()
            + " learned, "
            + routes.blackhole()
            + " blackhole");
    line(text, "Endpoints", Integer.toString(status.endpoints()));
    line(text, "Garbage", status.garbage().map(StatusText::garbage).orElse("not collected"));
    for (AgentStatus.Failure failure : status.failing()) {
      line(text, "Failing", failure.what() + ": " + failure.why());
    }
    text.append('\n');
    if (bgp.peers().isEmpty()) {
      return text.append("No BGP peers: no BGPPeer chooses this node.\n").toString();
    }
    Table table =
        new Table("PEER ADDRESS", "PEER TYPE", "STATE", "SINCE", "RECEIVED", "ADVERTISED", "INFO");
    for (AgentStatus.Peer peer : bgp.peers()) {
      table.row(
          peer.address(),
          peer.type(),
          peer.state(),
          peer.since(),
          Long.toString(peer.received()),
          Long.toString(peer.advertised()),
          peer.info());
    }
    return text.append(table.text()).toString();
  }

  private static String garbage(AgentStatus.GarbageStatus garbage) {
    if (garbage.last().isEmpty()) {
      return "not looked for yet";
    }
    return "looked for at "
        + garbage.last().get()
        + (garbage.fabric() ? " (of all nodes): " : ": ")
        + garbage.suspected()
        + " suspected, "
        + garbage.released()
        + " released and "
        + garbage.blocks()
        + " blocks returned since the start"
        + garbage.lastError().map(error -> "; last error: " + error).orElse("");
  }

  private static String datastore(AgentStatus.DatastoreStatus datastore) {
    return datastore.url()
        + (datastore.connected() ? ", connected since " : ", away since ")
        + datastore.since()
        + (datastore.inSync() ? ", in sync" : ", not in sync")
        + datastore.lastError().map(error -> "; last error: " + error).orElse("");
  }

  private static void line(StringBuilder text, String what, String value) {
    text.append(String.format("%-10s %s\n", what, Table.clean(value)));
  }
}

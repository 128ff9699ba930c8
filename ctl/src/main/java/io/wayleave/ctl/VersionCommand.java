package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.status.AgentStatus;
import io.wayleave.model.status.Presence;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code netctl version}: everything that has a version, in one view. What cannot be reached is
 * part of the answer and no failure, for this is what people run first when something is wrong.
 */
@Command(
    name = "version",
    description = "Show the versions of netctl, of this host's agent and of all agents.")
final class VersionCommand implements Callable<Integer> {
  private final Context context;

  @Option(names = "--client", description = "netctl's own version only; ask nobody")
  private boolean clientOnly;

  VersionCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Override
  public Integer call() {
    ObjectNode tree = ResourceCodec.jsonMapper().createObjectNode();
    StringBuilder text = new StringBuilder();
    tree.put("netctl", BuildVersion.own());
    text.append("netctl     ").append(BuildVersion.own()).append('\n');
    if (!clientOnly) {
      localAgent(tree, text);
      datastore(tree, text);
    }
    context.output().tree(tree, text::toString);
    return 0;
  }

  private void localAgent(ObjectNode tree, StringBuilder text) {
    AdminClient agent = context.agent();
    ObjectNode local = tree.putObject("agent").put("socket", agent.socket().toString());
    text.append("agent      ");
    if (!agent.socketExists()) {
      local.put("running", false);
      text.append("none on this host (no socket ").append(agent.socket()).append(")\n");
      return;
    }
    try {
      JsonNode answer = agent.get("/v1/status");
      AgentStatus status = agent.read(answer, AgentStatus.class);
      local.put("running", true).put("version", status.version()).put("node", status.node());
      text.append(Table.clean(status.version() + " on this host, node " + status.node()))
          .append('\n');
    } catch (CommandFailedException e) {
      local.put("running", false).put("error", e.getMessage());
      text.append(Table.clean(e.getMessage())).append('\n');
    }
  }

  private void datastore(ObjectNode tree, StringBuilder text) {
    ObjectNode datastore = tree.putObject("datastore");
    String url;
    try {
      url = context.datastoreUrl();
    } catch (CommandFailedException e) {
      datastore.put("reachable", false).put("error", e.getMessage());
      text.append("datastore  none: ").append(Table.clean(e.getMessage())).append('\n');
      return;
    }
    datastore.put("url", url);
    text.append("datastore  ").append(Table.clean(url));
    Map<String, Presence> presences;
    try {
      presences = Presences.of(context.datastore());
    } catch (DatastoreException e) {
      datastore.put("reachable", false).put("error", e.getMessage());
      text.append(" not reachable: ").append(Table.clean(e.getMessage())).append('\n');
      return;
    }
    datastore.put("reachable", true);
    text.append(" reachable\n");
    ArrayNode agents = tree.putArray("agents");
    Table table = new Table("NODE", "AGENT", "SINCE");
    presences.forEach(
        (node, presence) -> {
          agents
              .addObject()
              .put("node", node)
              .put("version", presence.version())
              .put("since", presence.since());
          table.row(node, presence.version(), presence.since());
        });
    if (!presences.isEmpty()) {
      text.append('\n').append(table.text());
    }
  }
}

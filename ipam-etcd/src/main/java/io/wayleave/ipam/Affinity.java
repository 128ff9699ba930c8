package io.wayleave.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;

/**
 * A host's claim on a block, kept under {@code ipam/affinities/<node>/<block>}.
 *
 * @param block the block's network
 * @param state a pending claim counts as none: another host may still get the block
 */
record Affinity(String node, Cidr block, State state) {
  private static final int SCHEMA = 1;

  enum State {
    PENDING("pending"),
    CONFIRMED("confirmed");

    private final String text;

    State(String text) {
      this.text = text;
    }
  }

  byte[] toJson() {
    ObjectNode tree = Json.object();
    tree.put("schema", SCHEMA);
    tree.put("node", node);
    tree.put("block", block.toString());
    tree.put("state", state.text);
    return Json.write(tree);
  }

  static Affinity fromJson(byte[] value) {
    JsonNode tree = Json.read(value, SCHEMA);
    String text = Json.text(tree, "state");
    for (State state : State.values()) {
      if (state.text.equals(text)) {
        return new Affinity(Json.text(tree, "node"), Json.cidr(tree, "block"), state);
      }
    }
    throw new InvalidInputException("state", text, "pending or confirmed");
  }
}

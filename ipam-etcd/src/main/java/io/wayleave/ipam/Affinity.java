package io.wayleave.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.datastore.Entry;
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

  /** Reads an entry, which must be what its key says. */
  static Affinity read(Entry entry) {
    try {
      Affinity affinity = fromJson(entry.value());
      if (!entry.key().equals(IpamKeys.affinity(affinity.node, affinity.block))) {
        throw new InvalidInputException(
            "", affinity.node + " " + affinity.block, "node and block of the key");
      }
      return affinity;
    } catch (InvalidInputException e) {
      throw e.within(entry.key());
    }
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

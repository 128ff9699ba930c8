package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;

/**
 * What the launcher prints and exits with.
 *
 * @param output for stdout; empty for commands that answer nothing when they succeed
 */
record CniReply(int exitStatus, String output) {
  /** Of DEL, CHECK, STATUS and GC. */
  static CniReply done() {
    return new CniReply(0, "");
  }

  static CniReply of(AddResult result, CniVersion version) {
    return new CniReply(0, write(result.toJson(version)));
  }

  static CniReply of(CniException error, CniVersion version) {
    ObjectNode json = ResourceCodec.jsonMapper().createObjectNode();
    json.put("cniVersion", version.toString());
    json.put("code", error.code().number());
    json.put("msg", error.getMessage());
    json.put("details", error.details());
    return new CniReply(1, write(json));
  }

  /** The payload of a reply frame: see {@code src/main/c/frame.h}. */
  byte[] encode() {
    byte[] text = output.getBytes(UTF_8);
    byte[] payload = new byte[1 + text.length];
    payload[0] = (byte) exitStatus;
    System.arraycopy(text, 0, payload, 1, text.length);
    return payload;
  }

  private static String write(ObjectNode json) {
    try {
      return ResourceCodec.jsonMapper().writeValueAsString(json) + "\n";
    } catch (IOException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
  }
}

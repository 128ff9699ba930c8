package io.wayleave.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;
import java.util.Base64;
import java.util.Optional;

/** IPAM's records as JSON in the store. Reading names the field that is wrong. */
final class Json {
  private Json() {}

  static ObjectNode object() {
    return ResourceCodec.jsonMapper().createObjectNode();
  }

  static byte[] write(JsonNode tree) {
    try {
      return ResourceCodec.jsonMapper().writeValueAsBytes(tree);
    } catch (IOException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
  }

  /** Reads an object whose {@code schema} is at most the one that this program knows. */
  static JsonNode read(byte[] value, int newestSchema) {
    JsonNode tree;
    try {
      tree = ResourceCodec.jsonMapper().readTree(value);
    } catch (IOException e) {
      InvalidInputException refusal =
          new InvalidInputException("", value.length + " bytes", "a JSON object");
      refusal.initCause(e);
      throw refusal;
    }
    if (tree == null || !tree.isObject()) {
      throw new InvalidInputException("", String.valueOf(tree), "a JSON object");
    }
    JsonNode schema = tree.path("schema");
    if (schema.canConvertToLong() && schema.longValue() > newestSchema) {
      throw new InvalidInputException(
          "schema",
          schema.toString(),
          "1 to " + newestSchema + "; a newer version of Wayleave wrote this");
    }
    int _ = number(tree, "schema", 1, newestSchema);
    return tree;
  }

  static String text(JsonNode tree, String field) {
    return optionalText(tree, field)
        .orElseThrow(() -> new InvalidInputException(field, "", "a text"));
  }

  static Optional<String> optionalText(JsonNode tree, String field) {
    JsonNode value = tree.get(field);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.isTextual()) {
      throw new InvalidInputException(field, value.toString(), "a text");
    }
    return Optional.of(value.textValue());
  }

  static int number(JsonNode tree, String field, int least, int most) {
    JsonNode value = tree.path(field);
    if (!value.isInt() || value.intValue() < least || value.intValue() > most) {
      throw new InvalidInputException(
          field, value.isMissingNode() ? "" : value.toString(), least + " to " + most);
    }
    return value.intValue();
  }

  static byte[] base64(JsonNode tree, String field) {
    String text = text(tree, field);
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      InvalidInputException refusal = new InvalidInputException(field, text, "base64");
      refusal.initCause(e);
      throw refusal;
    }
  }

  static Cidr cidr(JsonNode tree, String field) {
    try {
      return Cidr.parse(text(tree, field));
    } catch (InvalidInputException e) {
      throw e.field().equals(field) ? e : e.within(field);
    }
  }

  static IpAddress address(JsonNode tree, String field) {
    try {
      return IpAddress.parse(text(tree, field));
    } catch (InvalidInputException e) {
      throw e.field().equals(field) ? e : e.within(field);
    }
  }
}

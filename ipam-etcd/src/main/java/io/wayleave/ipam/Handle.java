package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The addresses of one attachment and everything known about them. It is written and deleted in the
 * same transaction as the bits in the blocks, so while it exists its addresses are nobody else's.
 *
 * @param id chosen by whoever allocates, such as an endpoint's name; releases go by it
 * @param node the host that allocated
 * @param generation tells this use of the id from an earlier or later one
 * @param attempt random; by it a program knows its own allocation again when the answer was lost
 * @param use what the addresses are for
 * @param attributes for people, such as a container's name
 * @param owners keys of the records that were written with it and go with it
 */
public record Handle(
    String id,
    String node,
    String generation,
    String attempt,
    IpPool.Use use,
    Map<String, String> attributes,
    List<String> owners,
    List<Assigned> assigned) {
  private static final int SCHEMA = 1;
  private static final String ALLOCATED_AT = "allocatedAt";
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:@-]{0,252}");

  /**
   * An address and the block that it was taken from.
   *
   * @param incarnation of the block: a release never touches a block that was made anew meanwhile
   */
  public record Assigned(IpAddress address, Cidr block, String incarnation) {
    public Assigned {
      requireNonNull(incarnation, "incarnation is null");
      if (!block.contains(address)) {
        throw new InvalidInputException(
            "address", address.toString(), "an address in the block " + block);
      }
    }
  }

  public Handle {
    checkId(id);
    requireNonNull(node, "node is null");
    requireNonNull(generation, "generation is null");
    requireNonNull(attempt, "attempt is null");
    requireNonNull(use, "use is null");
    attributes = java.util.Collections.unmodifiableMap(new TreeMap<>(attributes));
    owners = List.copyOf(owners);
    assigned = List.copyOf(assigned);
  }

  static String checkId(String id) {
    if (!ID.matcher(id).matches()) {
      throw new InvalidInputException(
          "handle", id, "1 to 253 letters, digits, '.', '_', ':', '@' and '-'");
    }
    return id;
  }

  /** The notes of an allocation, and when it was made. */
  static Map<String, String> noted(Map<String, String> attributes, long now) {
    Map<String, String> all = new TreeMap<>(attributes);
    all.put(ALLOCATED_AT, Instant.ofEpochSecond(now).toString());
    return all;
  }

  /** When it was allocated, in ISO 8601; empty when an earlier version did it. */
  public Optional<String> allocatedAt() {
    return Optional.ofNullable(attributes.get(ALLOCATED_AT));
  }

  /** The attributes that whoever allocated gave along. */
  public Map<String, String> notes() {
    Map<String, String> notes = new TreeMap<>(attributes);
    notes.remove(ALLOCATED_AT);
    return notes;
  }

  public List<IpAddress> addresses() {
    return assigned.stream().map(Assigned::address).toList();
  }

  byte[] toJson() {
    ObjectNode tree = Json.object();
    tree.put("schema", SCHEMA);
    tree.put("id", id);
    tree.put("node", node);
    tree.put("generation", generation);
    tree.put("attempt", attempt);
    tree.put("use", use.name());
    ObjectNode attributeTree = tree.putObject("attributes");
    attributes.forEach(attributeTree::put);
    ArrayNode ownerTree = tree.putArray("owners");
    owners.forEach(ownerTree::add);
    ArrayNode addressTree = tree.putArray("addresses");
    for (Assigned each : assigned) {
      ObjectNode item = addressTree.addObject();
      item.put("address", each.address().toString());
      item.put("block", each.block().toString());
      item.put("incarnation", each.incarnation());
    }
    return Json.write(tree);
  }

  private static IpPool.Use use(JsonNode tree) {
    // Absent in handles of an earlier version, which were all containers'.
    String text = Json.optionalText(tree, "use").orElse(IpPool.Use.Workload.name());
    for (IpPool.Use use : IpPool.Use.values()) {
      if (use.name().equals(text)) {
        return use;
      }
    }
    throw new InvalidInputException("use", text, Arrays.toString(IpPool.Use.values()));
  }

  static Handle fromJson(byte[] value) {
    JsonNode tree = Json.read(value, SCHEMA);
    Map<String, String> attributes = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : tree.path("attributes").properties()) {
      attributes.put(field.getKey(), Json.text(tree.path("attributes"), field.getKey()));
    }
    List<String> owners = new ArrayList<>();
    tree.path("owners").forEach(owner -> owners.add(owner.asText()));
    List<Assigned> assigned = new ArrayList<>();
    for (JsonNode item : tree.path("addresses")) {
      assigned.add(
          new Assigned(
              Json.address(item, "address"),
              Json.cidr(item, "block"),
              Json.text(item, "incarnation")));
    }
    return new Handle(
        Json.text(tree, "id"),
        Json.text(tree, "node"),
        Json.text(tree, "generation"),
        Json.text(tree, "attempt"),
        use(tree),
        attributes,
        owners,
        assigned);
  }
}

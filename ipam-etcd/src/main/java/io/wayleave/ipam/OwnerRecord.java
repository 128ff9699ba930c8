package io.wayleave.ipam;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.datastore.Keys;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Records that live exactly as long as an allocation: written in its transaction, where none of
 * them may exist, and deleted in that of its release.
 *
 * @param puts values by key of the datastore
 */
public record OwnerRecord(Map<String, byte[]> puts) {
  /** Of the records that {@link #plain} makes. */
  static final int SCHEMA = 1;

  public OwnerRecord {
    puts = Collections.unmodifiableMap(new TreeMap<>(puts));
    puts.keySet().forEach(Keys::checkKey);
  }

  /** No record of the caller's own; see {@link #plain}. */
  public static OwnerRecord none() {
    return new OwnerRecord(Map.of());
  }

  /**
   * The record of an owner that is no endpoint: a container whose runtime asks for the address
   * alone, or the host's own end of a tunnel.
   */
  static OwnerRecord plain(String handle, String node, IpPool.Use use, List<IpAddress> addresses) {
    ObjectNode tree = Json.object();
    tree.put("schema", SCHEMA);
    tree.put("handle", handle);
    tree.put("node", node);
    tree.put("use", use.name());
    ArrayNode list = tree.putArray("addresses");
    addresses.forEach(address -> list.add(address.toString()));
    return of(IpamKeys.owner(handle), Json.write(tree));
  }

  public static OwnerRecord of(String key, byte[] value) {
    return new OwnerRecord(Map.of(key, value));
  }
}

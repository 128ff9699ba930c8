package io.wayleave.ipam;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Kind;
import java.util.List;
import java.util.Optional;

/** The keys of IPAM's records. A network is part of a key with {@code -} for its slash. */
final class IpamKeys {
  /** Owner records of addresses that belong to no endpoint. */
  static final String OWNERS = "ipam/owners/";

  private IpamKeys() {}

  static String block(Cidr cidr) {
    return Keys.BLOCKS + segment(cidr);
  }

  static String affinity(String node, Cidr block) {
    return affinities(node) + segment(block);
  }

  /** The prefix of all affinities of a host. */
  static String affinities(String node) {
    return Keys.AFFINITIES + node + "/";
  }

  static String handle(String id) {
    return Keys.HANDLES + Handle.checkId(id);
  }

  static String owner(String handle) {
    return OWNERS + Handle.checkId(handle);
  }

  /** The keys that show that a node is there: it is gone when neither exists. */
  static List<String> signsOf(String node) {
    return List.of(ResourceStore.key(Kind.NODE, node), Keys.presence(node));
  }

  /** The network that the last segment of a block's or affinity's key names. */
  static Cidr cidr(String key) {
    String segment = Keys.lastSegment(key);
    int dash = segment.lastIndexOf('-');
    if (dash < 0) {
      throw new InvalidInputException(key, segment, "a network such as 10.0.0.0-26");
    }
    try {
      return Cidr.parse(segment.substring(0, dash) + "/" + segment.substring(dash + 1));
    } catch (InvalidInputException e) {
      throw e.within(key);
    }
  }

  /** As {@link #cidr}; empty for foreign data. */
  static Optional<Cidr> network(String key) {
    try {
      return Optional.of(cidr(key));
    } catch (InvalidInputException e) {
      return Optional.empty();
    }
  }

  private static String segment(Cidr cidr) {
    return cidr.address() + "-" + cidr.prefixLength();
  }
}

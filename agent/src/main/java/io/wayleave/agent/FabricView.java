package io.wayleave.agent;

import io.wayleave.datastore.ResourceStore;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.Node;
import io.wayleave.model.Update;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The resources of the fabric as the datastore has told them, as far as the agent's core needs
 * them.
 *
 * <p>NOT thread safe; owned by the core thread.
 */
final class FabricView {
  private final Map<String, Node> nodes = new HashMap<>();
  private final Map<String, BgpPeer> peers = new HashMap<>();
  private final Map<String, BgpFilter> filters = new HashMap<>();
  private final Map<String, BgpConfiguration> configurations = new HashMap<>();
  private final Map<String, IpPool> pools = new HashMap<>();
  // IPAM reads its settings itself, with each allocation that needs them; staged policies change
  // nothing that an agent does.
  private final Set<Kind> outstanding =
      EnumSet.complementOf(
          EnumSet.of(
              Kind.IPAM_CONFIGURATION,
              Kind.IP_RESERVATION,
              Kind.STAGED_GLOBAL_NETWORK_POLICY,
              Kind.STAGED_NETWORK_POLICY));
  private final Map<String, String> invalid = new TreeMap<>();

  void onNode(Update<String, Node> update) {
    keep(Kind.NODE, nodes, update);
  }

  void onPeer(Update<String, BgpPeer> update) {
    keep(Kind.BGP_PEER, peers, update);
  }

  void onFilter(Update<String, BgpFilter> update) {
    keep(Kind.BGP_FILTER, filters, update);
  }

  void onConfiguration(Update<String, BgpConfiguration> update) {
    keep(Kind.BGP_CONFIGURATION, configurations, update);
  }

  void onPool(Update<String, IpPool> update) {
    keep(Kind.IP_POOL, pools, update);
  }

  /** Everything of that kind has been told; for kinds that others keep. */
  void inSync(Kind kind) {
    outstanding.remove(kind);
  }

  /** An entry of the datastore that cannot be read counts as absent and is reported. */
  void onInvalid(String key, String reason) {
    invalid.put(key, reason);
  }

  /** It can be read now, or is gone. */
  void onInvalidGone(String key) {
    invalid.remove(key);
  }

  /** An entry that can be read, or is gone. */
  void onValid(Kind kind, String name) {
    invalid.remove(ResourceStore.key(kind, name));
  }

  /** The kinds that have not been told completely. */
  Set<Kind> outstanding() {
    return Collections.unmodifiableSet(outstanding);
  }

  Optional<Node> node(String name) {
    return Optional.ofNullable(nodes.get(name));
  }

  Collection<Node> nodes() {
    return Collections.unmodifiableCollection(nodes.values());
  }

  Collection<BgpPeer> peers() {
    return Collections.unmodifiableCollection(peers.values());
  }

  Collection<BgpFilter> filters() {
    return Collections.unmodifiableCollection(filters.values());
  }

  Collection<IpPool> pools() {
    return Collections.unmodifiableCollection(pools.values());
  }

  BgpConfiguration configuration() {
    return Optional.ofNullable(configurations.get(BgpConfiguration.DEFAULT_NAME))
        .orElseGet(BgpConfiguration::defaults);
  }

  Map<String, String> invalid() {
    return Collections.unmodifiableMap(invalid);
  }

  private <R> void keep(Kind kind, Map<String, R> map, Update<String, R> update) {
    switch (update) {
      case Update.Put<String, R>(String name, R value) -> {
        map.put(name, value);
        onValid(kind, name);
      }
      case Update.Delete<String, R>(String name) -> {
        map.remove(name);
      }
      case Update.InSync<String, R>() -> inSync(kind);
    }
  }
}

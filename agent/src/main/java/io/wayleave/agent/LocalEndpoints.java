package io.wayleave.agent;

import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which endpoints of this node are connected, told by two sources that know of each other only
 * later: the CNI server, which connects and disconnects, and the datastore, whose watch follows.
 * The generation in each record tells which of two attachments of the same name is meant, so that
 * the echo of an old one never disconnects a new one.
 *
 * <p>NOT thread safe; owned by the agent's core.
 */
final class LocalEndpoints {
  private final String node;
  private final Map<String, WorkloadEndpoint> stored = new HashMap<>();
  private final Map<String, WorkloadEndpoint> connected = new HashMap<>();
  private final Map<String, String> disconnected = new HashMap<>();

  LocalEndpoints(String node) {
    this.node = node;
  }

  /** CNI ADD: connected from now on, whatever the datastore has told so far. */
  void connect(WorkloadEndpoint endpoint) {
    connected.put(endpoint.name(), endpoint);
    disconnected.remove(endpoint.name());
  }

  /** CNI DEL: no longer connected, though the datastore still has the endpoint for a while. */
  void disconnect(WorkloadEndpoint endpoint) {
    WorkloadEndpoint present = connected.get(endpoint.name());
    if (present != null && !sameGeneration(present, endpoint)) {
      return;
    }
    connected.remove(endpoint.name());
    disconnected.put(endpoint.name(), endpoint.spec().generation());
  }

  /** The datastore tells an endpoint of any node. */
  void onUpdate(Update<String, WorkloadEndpoint> update) {
    switch (update) {
      case Update.Put<String, WorkloadEndpoint>(String name, WorkloadEndpoint endpoint) -> {
        if (!endpoint.spec().node().equals(node)) {
          return;
        }
        stored.put(name, endpoint);
        WorkloadEndpoint mine = connected.get(name);
        if (mine != null && sameGeneration(mine, endpoint)) {
          connected.remove(name);
        }
        if (!endpoint.spec().generation().equals(disconnected.get(name))) {
          disconnected.remove(name);
        }
      }
      case Update.Delete<String, WorkloadEndpoint>(String name) -> {
        stored.remove(name);
        disconnected.remove(name);
      }
      case Update.InSync<String, WorkloadEndpoint>() -> {}
    }
  }

  /** The endpoint of that name, when it is connected. */
  Optional<WorkloadEndpoint> find(String name) {
    WorkloadEndpoint mine = connected.get(name);
    if (mine != null) {
      return Optional.of(mine);
    }
    return Optional.ofNullable(stored.get(name))
        .filter(endpoint -> !endpoint.spec().generation().equals(disconnected.get(name)));
  }

  /** Every endpoint of this node that the datastore has, connected or not, by name. */
  Map<String, WorkloadEndpoint> stored() {
    return Map.copyOf(stored);
  }

  /** Every connected endpoint, by name. */
  Map<String, WorkloadEndpoint> all() {
    Set<String> names = new HashSet<>(stored.keySet());
    names.addAll(connected.keySet());
    Map<String, WorkloadEndpoint> all = new HashMap<>();
    for (String name : names) {
      find(name).ifPresent(endpoint -> all.put(name, endpoint));
    }
    return all;
  }

  private static boolean sameGeneration(WorkloadEndpoint a, WorkloadEndpoint b) {
    return a.spec().generation().equals(b.spec().generation());
  }
}

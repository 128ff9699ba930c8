package io.wayleave.ipam;

import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What hosts of a model were told about their allocations and releases, to be compared with what
 * the store has. NOT thread safe.
 */
final class ModelLedger {
  // Acknowledged allocations, and those whose outcome their owner does not know.
  private final Map<String, List<IpAddress>> acknowledged = new TreeMap<>();
  private final Set<String> unsettled = new LinkedHashSet<>();
  // Containers of nodes that are gone: whoever looks may release them, until their node is back.
  private final Map<Integer, Map<String, List<IpAddress>>> stranded = new HashMap<>();
  // Allocations that were told not to have happened, and not to happen.
  private final Set<String> refused = new HashSet<>();
  // Handles that a transaction wrote for which nobody waited any more, as they came.
  private final List<String> arrived = new ArrayList<>();

  /** Handles whose owners have them, in order. */
  List<String> held() {
    return List.copyOf(acknowledged.keySet());
  }

  boolean isHeld(String id) {
    return acknowledged.containsKey(id);
  }

  /** Of a handle that its owner has. */
  List<IpAddress> addresses(String id) {
    return acknowledged.get(id);
  }

  /** Handles that may or may not be there. */
  Set<String> unsettled() {
    return unsettled;
  }

  /** From now on it may be there or not. */
  void unsettle(Collection<String> ids) {
    acknowledged.keySet().removeAll(ids);
    unsettled.addAll(ids);
  }

  /**
   * An allocation was acknowledged.
   *
   * @return false when the handle had been given, and not taken back
   */
  boolean given(String id, List<IpAddress> addresses) {
    unsettled.remove(id);
    return acknowledged.putIfAbsent(id, addresses) == null;
  }

  /** Nothing of it was written, and nothing will be. */
  void refused(String id) {
    unsettled.remove(id);
    refused.add(id);
  }

  /** It is not there, for certain. */
  void gone(Collection<String> ids) {
    unsettled.removeAll(ids);
  }

  /** Somebody releases these; their node, when it comes back, has them no more. */
  void releasing(Collection<String> ids) {
    stranded.values().forEach(left -> left.keySet().removeAll(ids));
    unsettle(ids);
  }

  /** A transaction has written a handle for which nobody waits. */
  void arrived(String id) {
    arrived.add(id);
    // Of a container that is gone, or that another attempt served and that is gone since: for the
    // collector. After a refusal it must not come.
    if (!refused.contains(id) && !acknowledged.containsKey(id)) {
      unsettled.add(id);
    }
  }

  /** How many have arrived so far. */
  int arrivals() {
    return arrived.size();
  }

  /** Whether it has arrived after so many. */
  boolean arrivedSince(int before, String id) {
    return arrived.subList(before, arrived.size()).contains(id);
  }

  /** A node is gone, and who has its addresses does not count any more. */
  void strand(int node, List<Handle> stored) {
    Map<String, List<IpAddress>> left = new TreeMap<>();
    stranded.put(node, left);
    for (Handle handle : stored) {
      if (handle.node().equals("h" + node) && acknowledged.remove(handle.id()) != null) {
        unsettled.add(handle.id());
        left.put(handle.id(), handle.addresses());
      }
    }
  }

  /** Its containers have lived on, and those that still have their addresses keep them. */
  void adopt(int node, List<Handle> stored) {
    Map<String, List<IpAddress>> left = stranded.remove(node);
    for (Handle handle : stored) {
      if (handle.node().equals("h" + node)
          && handle.addresses().equals(left.get(handle.id()))
          && unsettled.remove(handle.id())) {
        acknowledged.put(handle.id(), handle.addresses());
      }
    }
  }

  /**
   * What the store has that it must not have, or has not.
   *
   * @param asked handles that it may have as well, since they are asked for this moment
   */
  List<String> compare(List<Handle> handles, Collection<String> asked) {
    List<String> found = new ArrayList<>();
    Map<String, List<IpAddress>> stored = new TreeMap<>();
    for (Handle handle : handles) {
      stored.put(handle.id(), handle.addresses());
    }
    acknowledged.forEach(
        (id, addresses) -> {
          if (!addresses.equals(stored.get(id))) {
            found.add(id + " was given " + addresses + ", and the store has " + stored.get(id));
          }
        });
    for (String id : stored.keySet()) {
      if (!acknowledged.containsKey(id) && !unsettled.contains(id) && !asked.contains(id)) {
        found.add(id + " was released, or never given, and the store has it");
      }
    }
    return found;
  }
}

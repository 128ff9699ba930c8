package io.wayleave.policy.calc;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.policy.Subject;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The endpoints and network sets of all nodes as they are stored, which of them name a profile, and
 * which have changed since somebody asked. One that is gone stays until that was told.
 *
 * <p>NOT thread safe.
 */
final class Items {
  private final Map<Kind, Map<String, Item>> items = new EnumMap<>(Kind.class);

  /** By the profiles that they name. */
  private final Groups<Item> naming = new Groups<>();

  private final SharedSubjects shared = new SharedSubjects();

  /** A new list each time, as clearing costs what was ever in it. */
  private List<Item> changed = new ArrayList<>();

  Items(Set<Kind> kinds) {
    for (Kind kind : kinds) {
      items.put(kind, new HashMap<>());
    }
  }

  /**
   * One that is new or may have changed.
   *
   * @param own how rules see it, without what profiles apply
   * @param local whether it is an endpoint of this node
   */
  void put(Resource resource, Subject own, List<String> profileNames, boolean local) {
    Map<String, Item> ofKind = items.get(resource.kind());
    String id = resource.id();
    Item item = ofKind.get(id);
    Optional<Resource> endpoint = local ? Optional.of(resource) : Optional.empty();
    if (item == null) {
      item = new Item(resource.kind(), id, shared.share(own));
      ofKind.put(id, item);
    } else if (item.present
        && item.own.equals(own)
        && item.profiles.equals(profileNames)
        && item.endpoint.equals(endpoint)) {
      return;
    } else {
      Subject before = item.own;
      item.own = shared.share(own);
      if (item.present) {
        shared.release(before);
      }
    }
    item.present = true;
    item.endpoint = endpoint;
    if (!item.profiles.equals(profileNames)) {
      nameProfiles(item, profileNames);
    }
    changed(item);
  }

  void remove(Kind kind, String id) {
    Item item = items.get(kind).get(id);
    if (item != null && item.present) {
      item.present = false;
      item.endpoint = Optional.empty();
      shared.release(item.own);
      nameProfiles(item, List.of());
      changed(item);
    }
  }

  private void nameProfiles(Item item, List<String> names) {
    item.profiles.forEach(name -> naming.leave(name, item));
    names.forEach(name -> naming.join(name, item));
    item.profiles = names;
  }

  /** What a profile applies has changed. */
  void profileChanged(String name) {
    naming.of(name).forEach(this::changed);
  }

  private void changed(Item item) {
    if (!item.changed) {
      item.changed = true;
      changed.add(item);
    }
  }

  /** What has changed since the last call; those that are gone are forgotten now. */
  List<Item> takeChanged() {
    List<Item> taken = changed;
    changed = new ArrayList<>();
    for (Item item : taken) {
      item.changed = false;
      if (!item.present) {
        items.get(item.kind).remove(item.id);
      }
    }
    return taken;
  }

  Optional<Item> find(Kind kind, String id) {
    return Optional.ofNullable(items.get(kind)).map(ofKind -> ofKind.get(id));
  }

  boolean isEmpty() {
    return items.values().stream().allMatch(Map::isEmpty) && naming.isEmpty() && shared.isEmpty();
  }
}

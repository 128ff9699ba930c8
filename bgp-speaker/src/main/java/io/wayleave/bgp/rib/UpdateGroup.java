package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.bgp.wire.WeakInterner;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Sessions that are told the same in the same form: one Adj-RIB-Out and one encoding for all of
 * them. The fastest member sets the pace; what the others have not sent yet is shared, so it costs
 * nothing for each. NOT thread safe.
 */
final class UpdateGroup {
  /** What members have in common. */
  record Key(Export export, CodecContext codec) {
    Key {
      requireNonNull(export, "export is null");
      requireNonNull(codec, "codec is null");
    }
  }

  private final Key key;
  private final LocRib rib;
  private final Map<Family, GroupTable> tables = new EnumMap<>(Family.class);
  private final List<Member> members = new ArrayList<>();
  // Counts encodings: as long as it is the same, all members have been told the same.
  private int version;

  UpdateGroup(Key key, LocRib rib, WeakInterner<PathAttributes> exportedSets, PathIds pathIds) {
    this.key = requireNonNull(key, "key is null");
    this.rib = requireNonNull(rib, "rib is null");
    for (AddressFamily family : key.codec().families()) {
      family
          .unicastFamily()
          .ifPresent(
              unicast ->
                  tables.put(
                      unicast,
                      new GroupTable(
                          rib.prefixes(unicast),
                          key.export(),
                          key.codec(),
                          exportedSets,
                          pathIds)));
    }
  }

  Key key() {
    return key;
  }

  Map<Family, GroupTable> tables() {
    return tables;
  }

  List<Member> members() {
    return members;
  }

  int version() {
    return version;
  }

  /** Whether nothing has been sent yet, so that anybody may join. */
  boolean isFresh() {
    return version == 0;
  }

  void add(Member member) {
    members.add(member);
    tables.values().forEach(table -> table.join(member));
    member.setGroup(this);
  }

  void remove(Member member) {
    members.remove(member);
    tables.values().forEach(table -> table.leave(member));
  }

  void selected(Family family, int id, Candidates selection) {
    GroupTable table = tables.get(family);
    if (table != null) {
      set(table, family, id, selection);
    }
  }

  /** The members shall know everything that is chosen now, and nothing else. */
  void setAll() {
    tables.forEach(
        (family, table) -> {
          for (int id = 0; id < rib.prefixes(family).limit(); id++) {
            set(table, family, id, rib.selected(family, id));
          }
        });
  }

  private void set(GroupTable table, Family family, int id, Candidates selection) {
    if (!table.tellsSeveral()) {
      table.set(id, selection);
    } else if (selection.count() == 0) {
      table.setAll(id, List.of());
    } else {
      table.setAll(id, rib.bestPath().ranked(rib.known(family, id), key.export().addPaths()));
    }
  }

  /** Whether several paths to a prefix are told. */
  boolean tellsSeveral() {
    return tables.values().stream().anyMatch(GroupTable::tellsSeveral);
  }

  /** Whether all of the family is being sent once more. */
  boolean isResending(Family family) {
    GroupTable table = tables.get(family);
    return table != null && table.isResending();
  }

  boolean hasPending() {
    for (GroupTable table : tables.values()) {
      if (table.hasPending()) {
        return true;
      }
    }
    return false;
  }

  /** Whether every member has been sent everything. */
  boolean isIdle() {
    return !hasPending() && members.stream().noneMatch(Member::isBehind);
  }

  /**
   * Sends what is pending, as long as any member takes it and none is too far behind.
   *
   * @param octets bound on what is encoded, nearly
   * @return whether there is more that could be sent at once
   */
  boolean transmit(int octets, UpdateGroups.Limits limits) {
    int left = octets;
    for (Map.Entry<Family, GroupTable> entry : tables.entrySet()) {
      GroupTable table = entry.getValue();
      while (table.hasPending()) {
        if (left <= 0 || laggard(limits.maxLag()).isPresent()) {
          return true;
        }
        if (members.stream().noneMatch(Member::isReady)) {
          return false;
        }
        version++;
        GroupTable.Encoded encoded = table.next(Math.min(limits.chunkOctets(), left));
        left -= Math.max(1, encoded.shared().size());
        deliver(entry.getKey(), encoded);
      }
    }
    return false;
  }

  private void deliver(Family family, GroupTable.Encoded encoded) {
    encoded.alone().forEach((member, chunk) -> member.deliver(family, chunk));
    if (encoded.shared().size() > 0) {
      for (Member member : members) {
        member.deliver(family, encoded.shared());
      }
    }
  }

  /** Members with nothing to come are told so, once. */
  void announceEnd() {
    for (Map.Entry<Family, GroupTable> entry : tables.entrySet()) {
      if (!entry.getValue().hasPending()) {
        members.forEach(member -> member.settled(entry.getKey()));
      }
    }
  }

  /** The first member that is too far behind the others. */
  Optional<Member> laggard(long maxLag) {
    if (members.size() == 1) {
      return Optional.empty();
    }
    for (Member member : members) {
      if (member.lag() > maxLag) {
        return Optional.of(member);
      }
    }
    return Optional.empty();
  }

  void release() {
    tables.values().forEach(GroupTable::release);
  }
}

package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.bgp.wire.WeakInterner;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All update groups of a speaker, and who is in which.
 *
 * <pre>
 * session up ──> a group that has sent nothing yet ──┐
 * lags too far, ─> a group of its own ──────────────┤ all sent
 * refresh,                                          v
 * other rules                    the group of all that have been told everything
 * </pre>
 *
 * <p>Two groups of equal rules that have both told everything have told the same, so they become
 * one. NOT thread safe.
 */
public final class UpdateGroups {
  /**
   * Bounds on work and memory.
   *
   * @param turnOctets written to all members of a group in one turn, nearly
   * @param chunkOctets of messages that are encoded at once
   * @param maxLag octets that a member may be behind its group before it leaves it
   */
  public record Limits(int turnOctets, int chunkOctets, long maxLag) {
    public static final Limits DEFAULT = new Limits(16 << 20, 64 << 10, 2 << 20);
  }

  /** Groups of equal rules that send a whole table at the same time; later ones wait. */
  private static final int MAX_TABLES_IN_WORK = 4;

  /** What a member's rules are to be. */
  private record Change(Export export, Map<Family, NextHop> ownNextHops) {
    Change {
      ownNextHops = Map.copyOf(ownNextHops);
    }
  }

  /** Members of one group that go over to the same rules. */
  private record Move(UpdateGroup group, UpdateGroup.Key key) {}

  /** Members of one group that are sent the same again. */
  private record Again(UpdateGroup group, Set<Family> families) {}

  /** Sees one route that a member has been told. */
  @FunctionalInterface
  public interface Visitor {
    void visit(Cidr prefix, NextHop nextHop, PathAttributes attributes);
  }

  private final LocRib rib;
  private final Limits limits;
  private final WeakInterner<PathAttributes> exportedSets = new WeakInterner<>();
  private final PathIds pathIds = new PathIds();
  private final List<UpdateGroup> groups = new ArrayList<>();
  // What members are to go over to with the next turn.
  private final Map<Member, Change> changes = new LinkedHashMap<>();
  // Who asked for which families again, and was not served since.
  private final Map<Member, Set<Family>> asked = new LinkedHashMap<>();

  public UpdateGroups(LocRib rib, Limits limits) {
    this.rib = requireNonNull(rib, "rib is null");
    this.limits = requireNonNull(limits, "limits is null");
  }

  /**
   * A session is up and shall be told everything.
   *
   * @param peer its name; at most one session of a peer at a time
   * @param ownNextHops what the session's own next hops are, as {@code export} expects them
   */
  public Member join(
      String peer,
      Member.Sink sink,
      Export export,
      CodecContext codec,
      Set<Family> families,
      Map<Family, NextHop> ownNextHops) {
    Member member = new Member(peer, sink, families, ownNextHops);
    UpdateGroup.Key key = new UpdateGroup.Key(export, codec);
    Optional<UpdateGroup> open =
        groups.stream()
            .filter(group -> group.isFresh() && group.key().equals(key) && isNew(group))
            .findFirst();
    UpdateGroup group = open.orElseGet(() -> newGroup(key));
    group.add(member);
    if (open.isEmpty()) {
      group.setAll();
    }
    return member;
  }

  /** Whether its members have been told nothing; a group that split off has a history. */
  private static boolean isNew(UpdateGroup group) {
    return group.tables().values().stream().allMatch(table -> table.sentTotal() == 0);
  }

  /** The session is over. */
  public void leave(Member member) {
    asked.remove(member);
    changes.remove(member);
    UpdateGroup group = member.group();
    group.remove(member);
    if (group.members().isEmpty()) {
      drop(group);
    }
  }

  /**
   * The member's rules of export, or its own next hops, are others now: routes are looked at again
   * with the next turn, and what differs is sent. Members of a group that change alike cost one
   * pass over the table together.
   */
  public void change(Member member, Export export, Map<Family, NextHop> ownNextHops) {
    changes.put(member, new Change(export, ownNextHops));
  }

  private void applyChanges() {
    Map<Move, List<Member>> moves = new LinkedHashMap<>();
    changes.forEach(
        (member, change) -> {
          UpdateGroup group = member.group();
          UpdateGroup.Key key = new UpdateGroup.Key(change.export(), group.key().codec());
          if (!key.equals(group.key())) {
            moves.computeIfAbsent(new Move(group, key), _ -> new ArrayList<>()).add(member);
          }
        });
    moves.forEach((move, members) -> split(members, move.key()));
    Map<Member, Set<Family>> others = new LinkedHashMap<>();
    changes.forEach(
        (member, change) -> {
          if (member.setOwnNextHops(change.ownNextHops())) {
            others.put(member, member.group().tables().keySet());
          }
        });
    changes.clear();
    sendAgain(others);
  }

  /**
   * Everything of the family shall go to this member again (RFC 2918 section 4). That is a pass
   * over the table, so it begins with the next turn, once however often it is asked for; and when
   * that is still under way, once more after it: what was sent before the last request may have
   * been thrown away by the peer, which has other rules since. So a peer that floods us with
   * requests costs a pass for each whole table that it reads.
   */
  public void resend(Member member, Family family) {
    asked.computeIfAbsent(member, _ -> EnumSet.noneOf(Family.class)).add(family);
  }

  private void sendAgainWhatWasAsked() {
    Map<Member, Set<Family>> now = new LinkedHashMap<>();
    asked.forEach(
        (member, families) -> {
          Set<Family> begun = EnumSet.copyOf(families);
          begun.removeIf(family -> member.group().isResending(family));
          families.removeAll(begun);
          if (!begun.isEmpty()) {
            now.put(member, begun);
            begun.forEach(member::beginRefresh);
          }
        });
    asked.values().removeIf(Set::isEmpty);
    sendAgain(now);
  }

  /** Those of a group that are sent the same again stay together. */
  private void sendAgain(Map<Member, Set<Family>> families) {
    Map<Again, List<Member>> together = new LinkedHashMap<>();
    families.forEach(
        (member, which) ->
            together
                .computeIfAbsent(new Again(member.group(), which), _ -> new ArrayList<>())
                .add(member));
    together.forEach(
        (again, members) -> {
          UpdateGroup group =
              members.size() < again.group().members().size()
                  ? split(members, again.group().key())
                  : again.group();
          group
              .tables()
              .forEach(
                  (family, table) -> {
                    if (again.families().contains(family)) {
                      table.resend();
                    }
                  });
        });
  }

  /** Puts the members of one group into a group of their own that has told them the same. */
  private UpdateGroup split(List<Member> members, UpdateGroup.Key key) {
    UpdateGroup former = members.getFirst().group();
    UpdateGroup group = newGroup(key);
    for (Member member : members) {
      former.remove(member);
      group.add(member);
    }
    for (Map.Entry<Family, GroupTable> entry : group.tables().entrySet()) {
      GroupTable from = former.tables().get(entry.getKey());
      from.copySentTo(entry.getValue());
    }
    group.setAll();
    group.tables().forEach((family, table) -> former.tables().get(family).copyResendTo(table));
    if (former.members().isEmpty()) {
      drop(former);
    }
    return group;
  }

  private UpdateGroup newGroup(UpdateGroup.Key key) {
    UpdateGroup group = new UpdateGroup(key, rib, exportedSets, pathIds);
    groups.add(group);
    rib.setTellAll(groups.stream().anyMatch(UpdateGroup::tellsSeveral));
    return group;
  }

  private void drop(UpdateGroup group) {
    groups.remove(group);
    group.release();
  }

  /** What was chosen for the prefix changed. */
  public void selected(Family family, int id, Candidates selection) {
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).selected(family, id, selection);
    }
  }

  /**
   * Sends what is pending, as far as connections take it.
   *
   * @param complete whether all that can be told now is in the tables: then End-of-RIB follows
   * @return whether there is more that could be sent at once
   */
  public boolean transmit(boolean complete) {
    applyChanges();
    sendAgainWhatWasAsked();
    boolean more = false;
    List<UpdateGroup> waiting = new ArrayList<>();
    // Groups may come and go meanwhile.
    for (UpdateGroup group : List.copyOf(groups)) {
      group.members().forEach(Member::catchUp);
      if (group.hasPending() && !mayGoOn(group)) {
        waiting.add(group);
      } else if (group.hasPending()) {
        int octets = Math.max(limits.chunkOctets(), limits.turnOctets() / size(group));
        more |= group.transmit(octets, limits);
        more |= dismissLaggards(group);
      }
      if (complete) {
        group.announceEnd();
      }
    }
    merge();
    // Those they waited for may have finished, or got stuck, after them.
    return more || waiting.stream().anyMatch(this::mayGoOn);
  }

  private static int size(UpdateGroup group) {
    return Math.max(1, group.members().size());
  }

  /**
   * Sessions that come up one after the other wait for each other rather than take a table each. A
   * group whose members are stuck is not waited for.
   */
  private boolean mayGoOn(UpdateGroup group) {
    if (!group.isFresh()) {
      return true;
    }
    int inWork = 0;
    for (UpdateGroup other : groups) {
      if (!other.isFresh()
          && other.hasPending()
          && other.members().stream().anyMatch(Member::isReady)
          && other.key().equals(group.key())) {
        inWork++;
      }
    }
    return inWork < MAX_TABLES_IN_WORK;
  }

  private boolean dismissLaggards(UpdateGroup group) {
    boolean any = false;
    Optional<Member> laggard = group.laggard(limits.maxLag());
    while (laggard.isPresent()) {
      var _ = split(List.of(laggard.get()), group.key());
      any = true;
      laggard = group.laggard(limits.maxLag());
    }
    return any;
  }

  /** Two groups of equal rules that have nothing more to tell become one. */
  private void merge() {
    for (int i = 0; i < groups.size(); i++) {
      UpdateGroup group = groups.get(i);
      if (!group.isIdle()) {
        continue;
      }
      Iterator<UpdateGroup> others = groups.listIterator(i + 1);
      while (others.hasNext()) {
        UpdateGroup other = others.next();
        if (other.key().equals(group.key()) && other.isIdle()) {
          others.remove();
          for (Member member : List.copyOf(other.members())) {
            other.remove(member);
            group.add(member);
          }
          other.release();
        }
      }
    }
  }

  /** How many groups there are. */
  int size() {
    return groups.size();
  }

  /** How many prefixes of the family the member has been told. */
  public int sentTo(Member member, Family family) {
    GroupTable table = member.group().tables().get(family);
    return table == null ? 0 : table.sentTo(member);
  }

  /** What the member has been told of the prefixes with the numbers from one to below the other. */
  public void forEachSentTo(Member member, Family family, int from, int to, Visitor visitor) {
    GroupTable table = member.group().tables().get(family);
    if (table != null) {
      table.forEachSentTo(
          member,
          from,
          to,
          (prefix, route) ->
              visitor.visit(prefix, member.nextHop(family, route), route.attributes()));
    }
  }
}

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
  // Who asked for which families again since the last turn.
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
    UpdateGroup group = member.group();
    group.remove(member);
    if (group.members().isEmpty()) {
      drop(group);
    }
  }

  /**
   * The member's rules of export, or its own next hops, are others now: routes are looked at again,
   * and what differs is sent.
   */
  public void change(Member member, Export export, Map<Family, NextHop> ownNextHops) {
    UpdateGroup former = member.group();
    UpdateGroup.Key key = new UpdateGroup.Key(export, former.key().codec());
    if (!key.equals(former.key())) {
      split(member, key);
    }
    if (member.setOwnNextHops(ownNextHops)) {
      sendAgain(member, member.group().tables().keySet());
    }
  }

  /**
   * Everything of the family shall go to this member again (RFC 2918 section 4). That is a pass
   * over the table, so it is done with the next turn, once however often it is asked for.
   *
   * @return whether it was not asked for since the last turn
   */
  public boolean resend(Member member, Family family) {
    return asked.computeIfAbsent(member, _ -> EnumSet.noneOf(Family.class)).add(family);
  }

  private void sendAgainWhatWasAsked() {
    asked.forEach(this::sendAgain);
    asked.clear();
  }

  private void sendAgain(Member member, Set<Family> families) {
    if (member.group().members().size() > 1) {
      split(member, member.group().key());
    }
    member
        .group()
        .tables()
        .forEach(
            (family, table) -> {
              if (families.contains(family)) {
                table.resend();
              }
            });
  }

  /** Puts the member into a group of its own that has told it the same. */
  private void split(Member member, UpdateGroup.Key key) {
    UpdateGroup former = member.group();
    UpdateGroup group = newGroup(key);
    former.remove(member);
    group.add(member);
    for (Map.Entry<Family, GroupTable> entry : group.tables().entrySet()) {
      GroupTable from = former.tables().get(entry.getKey());
      from.copySentTo(entry.getValue());
    }
    group.setAll();
    group.tables().forEach((family, table) -> former.tables().get(family).copyResendTo(table));
    if (former.members().isEmpty()) {
      drop(former);
    }
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
      split(laggard.get(), group.key());
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

package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.model.Family;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * One session as a member of an update group: how far it is behind the others, and what it is still
 * owed. Its group changes when it lags too far, when its rules of export change, and when two
 * groups have become the same. NOT thread safe.
 */
public final class Member {
  /** Where messages go. */
  public interface Sink {
    /** Whether the connection takes more without piling up. */
    boolean canSend();

    /** An empty buffer of that capacity, to be given to {@link #send}. */
    ByteBuf buffer(int octets);

    /** Whole UPDATE messages, whose buffer is given away. */
    void send(ByteBuf updates, int messages);

    /** Everything of the family has been sent. */
    void sendEndOfRib(Family family);

    /** Whether the peer is told where a refresh begins and ends (RFC 7313). */
    boolean marksRefreshes();

    /** All of the family is about to be sent once more. */
    void sendBeginOfRefresh(Family family);

    /** Everything of the family has been sent once more. */
    void sendEndOfRefresh(Family family);
  }

  /**
   * A chunk and the octets that go into its places for an own next hop: of the look that the group
   * had when it was made, whatever the member's own next hops have become since.
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Queued(Chunk chunk, byte[] ownNextHop) {}

  private final String peer;
  private final Sink sink;
  private final Map<Family, NextHop> ownNextHops = new EnumMap<>(Family.class);
  // Of a family that has none any more the last one, by which its routes were told.
  private final Map<Family, NextHop> toldNextHops = new EnumMap<>(Family.class);
  private final Map<Family, byte[]> ownOctets = new EnumMap<>(Family.class);
  private final ArrayDeque<Queued> queue = new ArrayDeque<>();
  private final Set<Family> owedEndOfRib;
  private final Set<Family> refreshed = EnumSet.noneOf(Family.class);
  private long lag;
  private UpdateGroup group;

  Member(String peer, Sink sink, Set<Family> families, Map<Family, NextHop> ownNextHops) {
    this.peer = requireNonNull(peer, "peer is null");
    this.sink = requireNonNull(sink, "sink is null");
    owedEndOfRib = EnumSet.copyOf(families);
    setOwnNextHops(ownNextHops);
  }

  /** Name of the peer: routes that came from it are not told to it. */
  String peer() {
    return peer;
  }

  UpdateGroup group() {
    return group;
  }

  void setGroup(UpdateGroup joined) {
    group = joined;
  }

  /** Returns whether they differ from the former ones. */
  boolean setOwnNextHops(Map<Family, NextHop> changed) {
    if (ownNextHops.equals(changed)) {
      return false;
    }
    ownNextHops.clear();
    ownNextHops.putAll(changed);
    toldNextHops.putAll(changed);
    ownOctets.clear();
    changed.forEach((family, hop) -> ownOctets.put(family, OwnNextHop.bytes(hop)));
    return true;
  }

  /** The route as this member is told it. */
  NextHop nextHop(Family family, Route route) {
    return route.nextHop().orElseGet(() -> toldNextHops.get(family));
  }

  /** Whether it has sent everything so far and takes more. */
  boolean isReady() {
    return queue.isEmpty() && sink.canSend();
  }

  boolean isBehind() {
    return !queue.isEmpty();
  }

  /** Octets that the group has made and this member has not sent. */
  public long lag() {
    return lag;
  }

  void deliver(Family family, Chunk chunk) {
    Queued next = new Queued(chunk, ownOctets.getOrDefault(family, NO_ADDRESS));
    if (isReady()) {
      send(next);
    } else {
      queue.add(next);
      lag += chunk.size();
    }
  }

  /** Sends what it is behind with, as far as the connection takes it. */
  void catchUp() {
    while (!queue.isEmpty() && sink.canSend()) {
      Queued next = queue.remove();
      lag -= next.chunk().size();
      send(next);
    }
  }

  private void send(Queued next) {
    Chunk chunk = next.chunk();
    int size = chunk.size(this);
    if (size > 0) {
      ByteBuf buffer = sink.buffer(size);
      chunk.writeTo(buffer, this, next.ownNextHop());
      sink.send(buffer, chunk.messages(this));
    }
  }

  /** The group has nothing more to send of the family: End-of-RIB follows, once. */
  void settled(Family family) {
    if (!queue.isEmpty()) {
      return;
    }
    if (owedEndOfRib.remove(family)) {
      sink.sendEndOfRib(family);
    }
    if (refreshed.remove(family)) {
      sink.sendEndOfRefresh(family);
    }
  }

  /**
   * All of the family is about to be sent again. The marks (RFC 7313 section 4.2) are left out
   * before End-of-RIB: until then everything is on its way anyway.
   */
  void beginRefresh(Family family) {
    if (sink.marksRefreshes() && !owedEndOfRib.contains(family)) {
      refreshed.add(family);
      sink.sendBeginOfRefresh(family);
    }
  }

  private static final byte[] NO_ADDRESS = {};
}

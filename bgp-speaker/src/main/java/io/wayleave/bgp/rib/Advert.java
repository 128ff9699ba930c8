package io.wayleave.bgp.rib;

import io.wayleave.bgp.wire.PathAttributes;
import java.util.Optional;

/**
 * A path as it is told by one table: the bucket of prefixes that share their messages. One object
 * for each key, so comparing two is comparing references.
 */
final class Advert {
  /**
   * What an advert is made from.
   *
   * @param judged what the export policy made of the path's attributes
   */
  record Key(Path path, PathAttributes judged) {}

  private final Key key;
  private final Route route;
  private final Origin origin;
  // Numbers of prefixes that are to be told; an entry that was overtaken since is skipped.
  private final IntQueue waiting = new IntQueue();
  private boolean queued;
  // Prefixes that are told so, and those that shall be.
  private int users;

  Advert(Key key, Route route, Origin origin) {
    this.key = key;
    this.route = route;
    this.origin = origin;
  }

  Key key() {
    return key;
  }

  Route route() {
    return route;
  }

  Origin origin() {
    return origin;
  }

  IntQueue waiting() {
    return waiting;
  }

  boolean queued() {
    return queued;
  }

  void setQueued(boolean value) {
    queued = value;
  }

  void use() {
    if (users++ == 0) {
      origin.adverts++;
    }
  }

  /** Returns whether it is not used any more. */
  boolean unuse() {
    if (--users > 0) {
      return false;
    }
    origin.adverts--;
    return true;
  }

  boolean sameRoute(Advert other) {
    return route.equals(other.route);
  }

  /**
   * The peer that routes come from, as one table sees it. Routes are not sent back there, so a
   * table must know which of its members it is, if any.
   */
  static final class Origin {
    private final String peer;
    private Optional<Member> member = Optional.empty();
    // Numbers of prefixes that are to be withdrawn from all but that member.
    private final IntQueue withdrawals = new IntQueue();
    private boolean queued;
    private int sent;
    // Of this origin that are in use.
    private int adverts;

    Origin(String peer) {
      this.peer = peer;
    }

    String peer() {
      return peer;
    }

    Optional<Member> member() {
      return member;
    }

    void setMember(Optional<Member> changed) {
      member = changed;
    }

    /** Whether the table has no routes from there, and does not send there. */
    boolean isUnused() {
      return adverts == 0 && member.isEmpty();
    }

    IntQueue withdrawals() {
      return withdrawals;
    }

    boolean queued() {
      return queued;
    }

    void setQueued(boolean value) {
      queued = value;
    }

    /** How many prefixes the table's members have been told that come from there. */
    int sent() {
      return sent;
    }

    void addSent(int more) {
      sent += more;
    }
  }
}

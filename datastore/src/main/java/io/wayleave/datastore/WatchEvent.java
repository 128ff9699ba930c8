package io.wayleave.datastore;

/** What a {@link Watch} tells, in the order in which it happened. */
public sealed interface WatchEvent {
  /** The key has this value now. */
  record Put(Entry entry) implements WatchEvent {}

  /** The key is gone. */
  record Delete(String key) implements WatchEvent {}

  /**
   * Changes were or may have been missed: what is needed to tell them is gone. It is the last event
   * of its watch; list again and watch from there.
   */
  record Resync(String reason) implements WatchEvent {}

  /** No connection: nothing is lost yet, the watch tries on by itself. */
  record Disconnected(String reason) implements WatchEvent {}

  /**
   * The connection is back; what changed meanwhile follows. When that is not known, {@link Resync}
   * comes instead, or next.
   */
  record Reconnected() implements WatchEvent {}
}

package io.wayleave.model;

/**
 * What a source of state tells its followers: first every existing key, then {@link InSync}, then
 * each change. A follower that acts on absence (a sweep) waits for {@link InSync}. After a lost
 * connection the source repeats nothing: it compares and sends only what differs.
 */
public sealed interface Update<K, V> {
  /** The key has this value now. */
  record Put<K, V>(K key, V value) implements Update<K, V> {}

  /** The key is gone. */
  record Delete<K, V>(K key) implements Update<K, V> {}

  /** Everything that exists has been told. Sent once in the life of a source. */
  record InSync<K, V>() implements Update<K, V> {}
}

package io.wayleave.bgp.rib;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The identifiers that paths are told with where several go to a prefix: one for each source and
 * what it told them by itself (RFC 7911 section 3: it has no meaning but to tell them apart). It
 * stays the same as long as any table tells a path with it, and is given away again after that: a
 * peer may make up path identifiers without end. NOT thread safe.
 */
final class PathIds {
  private static final int INITIAL_CAPACITY = 64;

  private record Key(String peer, int pathId) {}

  private final Map<Key, Integer> ids = new HashMap<>();
  // By identifier; null stands for none here and nowhere else.
  private Key[] keys = new Key[INITIAL_CAPACITY];
  private int[] users = new int[INITIAL_CAPACITY];
  private final IntQueue free = new IntQueue();
  // 0 is left out, so that it never looks as if there was none.
  private int next = 1;

  /** The path's own, which is kept from its first {@link #use} on. */
  int of(Path path) {
    String peer =
        switch (path.source()) {
          case PathSource.Local() -> "";
          case PathSource.Peer source -> source.peer();
        };
    return ids.computeIfAbsent(new Key(peer, path.pathId()), this::newId);
  }

  private int newId(Key key) {
    int id = free.isEmpty() ? next++ : free.remove();
    if (id == keys.length) {
      keys = Arrays.copyOf(keys, 2 * id);
      users = Arrays.copyOf(users, 2 * id);
    }
    keys[id] = key;
    return id;
  }

  /** One more slot has it. */
  void use(int id) {
    users[id]++;
  }

  /** One slot less has it. */
  void unuse(int id) {
    if (--users[id] == 0) {
      ids.remove(keys[id]);
      keys[id] = null;
      free.add(id);
    }
  }
}

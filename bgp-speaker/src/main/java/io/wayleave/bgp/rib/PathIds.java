package io.wayleave.bgp.rib;

import java.util.HashMap;
import java.util.Map;

/**
 * The identifiers that paths are told with where several go to a prefix: one for each source and
 * what it told them by itself (RFC 7911 section 3: it has no meaning but to tell them apart). A
 * source keeps its own over its sessions. NOT thread safe.
 */
final class PathIds {
  private record Key(String peer, int pathId) {}

  private final Map<Key, Integer> ids = new HashMap<>();

  int of(Path path) {
    String peer =
        switch (path.source()) {
          case PathSource.Local() -> "";
          case PathSource.Peer source -> source.peer();
        };
    // 0 is left out, so that it never looks as if there was none.
    return ids.computeIfAbsent(new Key(peer, path.pathId()), _ -> ids.size() + 1);
  }
}

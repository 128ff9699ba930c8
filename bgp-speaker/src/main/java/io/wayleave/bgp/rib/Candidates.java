package io.wayleave.bgp.rib;

import java.util.Arrays;
import java.util.List;

/**
 * The paths to a prefix. Nearly every prefix has one, so a path is itself the set of one and costs
 * the table no object more; the same path object is shared by all prefixes of an UPDATE.
 */
public sealed interface Candidates permits Path, Candidates.Several, Candidates.None {
  Candidates NONE = new None();

  int count();

  Path get(int index);

  /** No path. */
  final class None implements Candidates {
    private None() {}

    @Override
    public int count() {
      return 0;
    }

    @Override
    public Path get(int index) {
      throw new IndexOutOfBoundsException(index);
    }

    @Override
    public String toString() {
      return "none";
    }
  }

  /** At least two paths. */
  final class Several implements Candidates {
    private final Path[] paths;

    private Several(Path[] paths) {
      this.paths = paths;
    }

    @Override
    public int count() {
      return paths.length;
    }

    @Override
    public Path get(int index) {
      return paths[index];
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Several that && Arrays.equals(paths, that.paths);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(paths);
    }

    @Override
    public String toString() {
      return Arrays.toString(paths);
    }
  }

  static Candidates of(List<Path> paths) {
    return switch (paths.size()) {
      case 0 -> NONE;
      case 1 -> paths.getFirst();
      default -> new Several(paths.toArray(Path[]::new));
    };
  }

  /** These with the path in place of the one of the same source and path id, or added. */
  default Candidates with(Path path) {
    int at = indexOf(path.source(), path.pathId());
    if (count() == 0 || (at >= 0 && count() == 1)) {
      return path;
    }
    Path[] changed = new Path[at >= 0 ? count() : count() + 1];
    for (int i = 0; i < count(); i++) {
      changed[i] = get(i);
    }
    changed[at >= 0 ? at : count()] = path;
    return new Several(changed);
  }

  /** Index of the path of that source with that path id, or -1. */
  default int indexOf(PathSource source, int pathId) {
    for (int i = 0; i < count(); i++) {
      Path path = get(i);
      if (path.pathId() == pathId && PathSource.same(path.source(), source)) {
        return i;
      }
    }
    return -1;
  }

  /** These without the path at the index. */
  default Candidates without(int index) {
    if (count() == 1) {
      return NONE;
    }
    if (count() == 2) {
      return get(1 - index);
    }
    Path[] fewer = new Path[count() - 1];
    for (int i = 0, to = 0; i < count(); i++) {
      if (i != index) {
        fewer[to++] = get(i);
      }
    }
    return new Several(fewer);
  }
}

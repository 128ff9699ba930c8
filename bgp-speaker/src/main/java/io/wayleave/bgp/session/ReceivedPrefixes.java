package io.wayleave.bgp.session;

import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.rib.PeerPaths;
import io.wayleave.model.Family;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * How many routes one peer has told, kept ones of an earlier session included, and how that is to
 * its limits. NOT thread safe.
 */
final class ReceivedPrefixes {
  /** How full a limit is. */
  enum Level {
    GOOD,
    /** From the warning threshold on. */
    NEAR,
    ABOVE
  }

  private final Map<Family, PeerPaths> paths = new EnumMap<>(Family.class);
  private final Map<Family, Level> levels = new EnumMap<>(Family.class);

  ReceivedPrefixes() {
    for (Family family : Family.values()) {
      paths.put(family, new PeerPaths());
    }
  }

  /** Those in the table. */
  PeerPaths paths(Family family) {
    return paths.get(family);
  }

  int count(Family family) {
    return paths(family).known();
  }

  /** The level of the family now, if it is another than when it was asked for last. */
  Optional<Level> changed(Family family, Map<Family, MaxPrefixes> limits) {
    Level level =
        Optional.ofNullable(limits.get(family))
            .map(limit -> level(count(family), limit))
            .orElse(Level.GOOD);
    Level former = levels.put(family, level);
    return level == Optional.ofNullable(former).orElse(Level.GOOD)
        ? Optional.empty()
        : Optional.of(level);
  }

  /** The limits are others: what is above or near one now has not been said yet. */
  void forgetLevels() {
    levels.clear();
  }

  private static Level level(int count, MaxPrefixes limit) {
    if (count > limit.limit()) {
      return Level.ABOVE;
    }
    return count * 100L >= (long) limit.limit() * limit.warnAtPercent() ? Level.NEAR : Level.GOOD;
  }
}

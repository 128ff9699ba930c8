package io.wayleave.linux.netlink;

import java.util.Locale;
import java.util.Optional;

/** What a route does with a packet (RTN_*). */
public enum RouteType {
  UNICAST(1),
  LOCAL(2),
  BROADCAST(3),
  ANYCAST(4),
  MULTICAST(5),
  /** Drops without a word. */
  BLACKHOLE(6),
  UNREACHABLE(7),
  PROHIBIT(8),
  THROW(9);

  private static final RouteType[] VALUES = values();
  private final int number;

  RouteType(int number) {
    this.number = number;
  }

  static Optional<RouteType> of(int number) {
    return number >= 1 && number <= VALUES.length
        ? Optional.of(VALUES[number - 1])
        : Optional.empty();
  }

  int number() {
    return number;
  }

  /** Whether packets leave by next hops. */
  public boolean hasNextHops() {
    return switch (this) {
      case UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST -> true;
      case BLACKHOLE, UNREACHABLE, PROHIBIT, THROW -> false;
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

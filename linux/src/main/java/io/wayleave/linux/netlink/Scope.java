package io.wayleave.linux.netlink;

import io.wayleave.model.InvalidInputException;

/**
 * How far an address or a route reaches (RT_SCOPE_*): the smaller the number, the further. IPv4
 * routes have one; IPv6 routes are all {@link #UNIVERSE}.
 */
public record Scope(int number) {
  public static final Scope UNIVERSE = new Scope(0);
  public static final Scope SITE = new Scope(200);
  public static final Scope LINK = new Scope(253);
  public static final Scope HOST = new Scope(254);
  public static final Scope NOWHERE = new Scope(255);

  public Scope {
    if (number < 0 || number > 255) {
      throw new InvalidInputException("scope", Integer.toString(number), "a scope of 0 to 255");
    }
  }

  /** As {@code ip route} writes it. */
  @Override
  public String toString() {
    return switch (number) {
      case 0 -> "global";
      case 200 -> "site";
      case 253 -> "link";
      case 254 -> "host";
      case 255 -> "nowhere";
      default -> Integer.toString(number);
    };
  }
}

package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import java.util.OptionalInt;

/** Which routes of a family to list; the kernel does the choosing. */
public record RouteFilter(
    Family family, OptionalInt table, OptionalInt protocol, OptionalInt interfaceIndex) {
  public RouteFilter {
    requireNonNull(family, "family is null");
    requireNonNull(table, "table is null");
    requireNonNull(protocol, "protocol is null");
    requireNonNull(interfaceIndex, "interfaceIndex is null");
  }

  /** All tables, the local one included. */
  public static RouteFilter all(Family family) {
    return new RouteFilter(family, OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());
  }

  public static RouteFilter mainTable(Family family) {
    return all(family).inTable(Route.TABLE_MAIN);
  }

  public RouteFilter inTable(int number) {
    return new RouteFilter(family, OptionalInt.of(number), protocol, interfaceIndex);
  }

  public RouteFilter ofProtocol(int number) {
    return new RouteFilter(family, table, OptionalInt.of(number), interfaceIndex);
  }

  /** Those with a next hop on that interface. */
  public RouteFilter onInterface(int index) {
    return new RouteFilter(family, table, protocol, OptionalInt.of(index));
  }

  boolean matches(Route route) {
    return route.family() == family
        && (table.isEmpty() || table.getAsInt() == route.table())
        && (protocol.isEmpty() || protocol.getAsInt() == route.protocol())
        && (interfaceIndex.isEmpty()
            || route.nextHops().stream()
                .anyMatch(hop -> hop.interfaceIndex() == interfaceIndex.getAsInt()));
  }
}

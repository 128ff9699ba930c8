package io.wayleave.route;

import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;

/** What the kernel takes for one place in a table: two routes with the same key replace another. */
record RouteKey(Cidr destination, long metric) {
  static RouteKey of(Route route) {
    return new RouteKey(route.destination(), route.metric());
  }
}

package io.wayleave.route;

import io.wayleave.linux.netlink.Route;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;

/**
 * How routes are marked and how often they are looked after.
 *
 * @param protocol marks our routes; every route of this protocol in the table is ours to delete
 * @param metric of all our routes; see the package
 * @param resyncInterval between two comparisons with everything that the kernel has
 * @param firstRetry after a refusal, doubled up to {@code lastRetry} with each further one
 */
public record RouteSettings(
    int protocol,
    int table,
    long metric,
    Duration resyncInterval,
    Duration firstRetry,
    Duration lastRetry) {
  /** The number of "wayleave" in rt_protos. */
  public static final int PROTOCOL = 77;

  public static final RouteSettings DEFAULT =
      new RouteSettings(
          PROTOCOL,
          Route.TABLE_MAIN,
          77,
          Duration.ofSeconds(90),
          Duration.ofMillis(200),
          Duration.ofSeconds(30));

  public RouteSettings {
    if (protocol <= Route.PROTOCOL_STATIC || protocol > 255) {
      throw new InvalidInputException(
          "routeProtocol", Integer.toString(protocol), "5 to 255, and one that nobody else uses");
    }
    if (metric < 1 || metric > 0xffff_ffffL) {
      throw new InvalidInputException("routeMetric", Long.toString(metric), "1 to 4294967295");
    }
    if (firstRetry.isNegative() || firstRetry.isZero() || lastRetry.compareTo(firstRetry) < 0) {
      throw new InvalidInputException(
          "firstRetry", firstRetry.toString(), "more than zero and at most " + lastRetry);
    }
  }

  /** The metric of the target's kernel route. */
  long metricOf(RouteTarget target) {
    return target.metric().orElse(metric);
  }
}

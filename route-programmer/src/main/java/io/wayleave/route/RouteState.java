package io.wayleave.route;

import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import java.time.Duration;
import java.util.Optional;

/**
 * One wanted destination, for display.
 *
 * @param kernel our route for it that the kernel has, which may still be an older one
 * @param problem why it is not as wanted, if it is not
 */
public record RouteState(
    Cidr destination,
    RouteSource source,
    RouteTarget target,
    Optional<Route> kernel,
    Optional<Problem> problem) {

  /** Whether the kernel has what is wanted. */
  public boolean programmed() {
    return problem.isEmpty() && kernel.isPresent();
  }

  /**
   * Why a route is not in the kernel as wanted.
   *
   * @param attempts how often it was tried in vain; 0 when there was no sense in trying
   * @param age since it began
   */
  public record Problem(String reason, int attempts, Duration age) {}
}

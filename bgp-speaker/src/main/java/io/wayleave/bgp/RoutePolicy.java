package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Cidr;
import java.util.OptionalInt;

/**
 * What decides whether a route is taken from, or told to, a peer, and what is changed of it.
 *
 * <p>Implementations are immutable, without side effects, and have {@code equals}: routes are
 * judged again when, and only when, a peer's policy is not equal to the former one.
 */
public interface RoutePolicy {
  Verdict judge(Subject subject);

  /**
   * A route in question.
   *
   * @param attributes as received, or as they are before what is specific to the session is added
   * @param origin where the route comes from
   * @param internalPeer whether the session that it comes in from or goes out to is iBGP
   */
  record Subject(
      Cidr prefix,
      PathAttributes attributes,
      NextHop nextHop,
      RouteOrigin origin,
      boolean internalPeer) {
    public Subject {
      requireNonNull(prefix, "prefix is null");
      requireNonNull(attributes, "attributes is null");
      requireNonNull(nextHop, "nextHop is null");
      requireNonNull(origin, "origin is null");
    }
  }

  /** Where a route comes from. */
  enum RouteOrigin {
    LOCAL,
    EXTERNAL,
    INTERNAL
  }

  /** The outcome. */
  sealed interface Verdict {
    /**
     * The route is used.
     *
     * @param attributes the subject's own object when nothing is changed
     * @param priority metric of the kernel route, where the filter sets one (import only)
     */
    record Accept(PathAttributes attributes, OptionalInt priority) implements Verdict {
      public Accept {
        requireNonNull(attributes, "attributes is null");
        requireNonNull(priority, "priority is null");
      }
    }

    /**
     * The route is not used.
     *
     * @param by filter and rule, for people
     */
    record Reject(String by) implements Verdict {
      public Reject {
        requireNonNull(by, "by is null");
      }
    }
  }
}

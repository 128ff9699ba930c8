package io.wayleave.bgp;

import io.wayleave.model.Cidr;

/**
 * Told of the routes to program. Called on the speaker's thread: it must neither block nor throw;
 * it stores what it hears and lets another thread write it to the kernel.
 *
 * <p>Routes that this speaker originates are never told. After a {@link StartMode.Restarted} start
 * nothing is told before the wait is over, then every route, then {@link #converged}. When the
 * speaker is closed nothing is told: what is in the kernel stays.
 */
public interface RouteListener {
  /** For a speaker whose routes nobody programs: then there is not even an object made for each. */
  RouteListener NONE =
      new RouteListener() {
        @Override
        public void changed(LearnedRoute route) {}

        @Override
        public void removed(Cidr prefix) {}

        @Override
        public void converged() {}
      };

  /** The prefix is reached this way now; replaces what was told of it before. */
  void changed(LearnedRoute route);

  /** No peer has a usable route to the prefix any more, or it is originated here now. */
  void removed(Cidr prefix);

  /**
   * Told once: every peer that can be waited for has sent all it has, so a route of an earlier run
   * that was not told by now may be swept.
   */
  void converged();
}

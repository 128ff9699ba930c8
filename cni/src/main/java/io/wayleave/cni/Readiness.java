package io.wayleave.cni;

import java.time.Duration;
import java.util.Optional;

/** Whether the agent can take containers: the datastore in sync, its policies known, and so on. */
public interface Readiness {
  /**
   * Waits until it can, for at most this long.
   *
   * @return empty when ready, otherwise what is missing, as the end of "the agent is not ready: …"
   */
  Optional<String> awaitReady(Duration timeout) throws InterruptedException;
}

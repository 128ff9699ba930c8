package io.wayleave.test.lab;

import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.List;

/** One echo request. */
final class Ping {
  private Ping() {}

  /**
   * Whether an answer comes within a second.
   *
   * @param network the words that put a command into the sender's network
   */
  static boolean once(List<String> network, IpAddress destination) {
    return Command.of("ping", "-n", "-q", "-c", "1", "-W", "1", destination.toString())
        .at(network)
        .within(Duration.ofSeconds(10))
        .run()
        .succeeded();
  }
}

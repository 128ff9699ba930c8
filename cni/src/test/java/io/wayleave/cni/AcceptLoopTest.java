package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.ClosedFdException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The loop of {@link CniServer} that takes launchers in. */
@Timeout(60)
class AcceptLoopTest {
  @Test
  void aFailedAcceptIsFollowedByAPauseAndAnotherTry() throws Exception {
    List<String> happened = new ArrayList<>();

    CniServer.acceptAll(
        timeout -> {
          happened.add("accept");
          return switch (happened.size()) {
            case 1, 3 -> throw new IOException("EMFILE (Too many open files)");
            case 5 -> Optional.empty();
            default -> throw new ClosedFdException();
          };
        },
        connection -> happened.add("serve"),
        pause -> {
          assertThat(pause).isBetween(Duration.ofMillis(50), Duration.ofSeconds(1));
          happened.add("pause");
        });

    assertThat(happened).containsExactly("accept", "pause", "accept", "pause", "accept", "accept");
  }
}

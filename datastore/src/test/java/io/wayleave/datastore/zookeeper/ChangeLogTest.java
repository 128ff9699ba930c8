package io.wayleave.datastore.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ChangeLogTest {
  private final ChangeLog log = new ChangeLog();
  private final Object client = new Object();

  @Test
  void changesThatWereDroppedAreNotPassedOver() {
    log.opened(client);
    log.connected(client);
    ChangeLog.Position first = log.state().end();
    log.watched("", first);
    log.append(client, "first");
    ChangeLog.Position second = log.state().end();
    for (int i = 0; i < 199_999; i++) {
      log.append(client, "many");
    }
    assertThat(log.covers("", first)).isTrue();
    assertThat(log.changes("", first, log.state().end().index(), Map.of()).orElseThrow())
        .containsExactly("first", "many");

    // Asked just now whether it covers that, it drops its older half.
    log.append(client, "last");
    assertThat(log.changes("", first, log.state().end().index(), Map.of())).isEmpty();
    assertThat(log.changes("", second, log.state().end().index(), Map.of())).isEmpty();
    assertThat(log.covers("", first)).isFalse();
    ChangeLog.Position kept = new ChangeLog.Position(first.epoch(), 100_000);
    assertThat(log.changes("", kept, log.state().end().index(), Map.of()).orElseThrow())
        .containsExactly("many", "last");
  }

  @Test
  void anotherConnectionBeginsAnew() {
    log.opened(client);
    log.connected(client);
    ChangeLog.Position before = log.state().end();
    log.append(client, "a");
    log.disconnected(client, "lost");
    log.connected(client);
    assertThat(log.changes("", before, 1, Map.of())).isEmpty();
  }
}

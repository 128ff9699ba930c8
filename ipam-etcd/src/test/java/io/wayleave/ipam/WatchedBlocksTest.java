package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A host's own changes count before the watch tells them, and not for ever. */
class WatchedBlocksTest {
  private static final Cidr BLOCK = Cidr.parse("10.0.0.0/26");

  private long nanos;
  private final WatchedBlocks blocks = new WatchedBlocks(_ -> {}, () -> nanos);

  @BeforeEach
  void inSync() {
    tell("1");
    blocks.onUpdate(new Update.InSync<>());
    blocks.onStatus(new Syncer.Status(true, Instant.EPOCH, ""));
  }

  @Test
  void whatTheHostWroteIsThereBeforeTheWatchTellsIt() {
    blocks.expect(BLOCK, Optional.of(held("2")));
    assertThat(version()).contains("2");
    tell("2");
    tell("3");
    assertThat(version()).contains("3");
  }

  @Test
  void whatTheWatchTellsLateDoesNotHideWhatTheHostWrote() {
    blocks.expect(BLOCK, Optional.of(held("3")));
    tell("2");
    assertThat(version()).contains("3");
  }

  @Test
  void whatTheHostDeletedIsGoneBeforeTheWatchTellsIt() {
    blocks.expect(BLOCK, Optional.empty());
    assertThat(version()).isEmpty();
    blocks.onUpdate(new Update.Delete<>(BLOCK));
    tell("3");
    assertThat(version()).contains("3");
  }

  @Test
  void whatTheWatchHasToldAlreadyIsNotExpected() {
    blocks.expect(BLOCK, Optional.of(held("1")));
    tell("2");
    assertThat(version()).contains("2");
  }

  @Test
  void aChangeThatTheWatchPassesOverIsForgottenSoon() {
    blocks.expect(BLOCK, Optional.of(held("2")));
    tell("3");
    assertThat(version()).contains("2");
    nanos += Duration.ofMillis(1001).toNanos();
    assertThat(version()).contains("3");
  }

  @Test
  void nothingIsKnownWithoutAConnection() {
    blocks.onStatus(new Syncer.Status(false, Instant.EPOCH, "away"));
    assertThat(blocks.current()).isEmpty();
  }

  private Optional<String> version() {
    return Optional.ofNullable(blocks.current().orElseThrow().blocks().get(BLOCK))
        .map(held -> held.version().token());
  }

  private void tell(String version) {
    blocks.onUpdate(new Update.Put<>(BLOCK, held(version)));
  }

  private static BlockView.Held held(String version) {
    return new BlockView.Held(
        Block.empty(BLOCK, "a", Optional.of("h1"), "1", 0), new Version(version));
  }
}

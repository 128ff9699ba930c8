package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Entry;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Version;
import io.wayleave.datastore.testing.Await;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UnreadableBlocksTest {
  private static final Cidr ONE = Cidr.parse("10.0.0.0/30");
  private static final Duration TOLD = Duration.ofSeconds(20);

  private final MemoryDatastore store = new MemoryDatastore();
  private final CountingDatastore counting = new CountingDatastore(store);

  private static WatchedBlocks inSync() {
    WatchedBlocks blocks = new WatchedBlocks(_ -> {});
    blocks.onStatus(new Syncer.Status(true, Instant.EPOCH, ""));
    blocks.onUpdate(new Update.InSync<>());
    return blocks;
  }

  private static BlockView.Held held(Cidr cidr, String version) {
    return new BlockView.Held(
        Block.empty(cidr, "a", Optional.of("h1"), "1", 0), new Version(version));
  }

  private static WatchedBlocks.Told told(WatchedBlocks blocks) {
    return blocks.current().orElseThrow();
  }

  private void put(String key, String value) {
    var _ = store.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  @Test
  void aBlockThatCannotBeReadIsKnownAsSuchUntilItCanOrIsGone() {
    WatchedBlocks blocks = inSync();
    String key = IpamKeys.block(ONE);
    blocks.onInvalid(key, "why");
    blocks.onInvalid("ipam/blocks/foreign", "what is this");
    assertThat(told(blocks).unreadable()).containsOnlyKeys(ONE);
    assertThat(told(blocks).blocks()).isEmpty();
    blocks.onInvalidGone(key);
    blocks.onInvalidGone("ipam/blocks/foreign");
    assertThat(told(blocks).unreadable()).isEmpty();
    blocks.onInvalid(key, "why");
    blocks.onUpdate(new Update.Put<>(ONE, held(ONE, "2")));
    assertThat(told(blocks).unreadable()).isEmpty();
    assertThat(told(blocks).blocks()).containsOnlyKeys(ONE);
  }

  @Test
  void aBadBlockCostsNoReadsAndIsUsedAsSoonAsItIsMended() {
    Fixture fixture = new Fixture(counting);
    fixture.pool("a", "10.0.0.0/29", 30);
    Ipam h1 = fixture.host("h1");
    h1.allocate(AllocationRequest.count("c", 4, 0), deadline());
    Cidr other = fixture.blocks().getFirst().cidr().equals(ONE) ? Cidr.parse("10.0.0.4/30") : ONE;
    String key = IpamKeys.block(other);
    put(key, "{\"schema\":7}");
    put("ipam/blocks/foreign", "?");
    ConcurrentLinkedQueue<String> heard = new ConcurrentLinkedQueue<>();
    Syncer.Listener<Cidr, Block> listener =
        new Syncer.Listener<>() {
          @Override
          public void onUpdate(Update<Cidr, Block> update) {
            heard.add(update.toString());
          }

          @Override
          public void onInvalid(String bad, String reason) {
            heard.add("invalid " + bad);
          }

          @Override
          public void onInvalidGone(String bad) {
            heard.add("gone " + bad);
          }
        };
    try (Syncer<?, ?> _ = h1.follow(listener)) {
      Await.until("told", TOLD, () -> heard.contains("invalid " + key));
      Await.until("in sync", TOLD, () -> !h1.poolUse().isEmpty());
      assertRefused(h1);
      counting.reset();
      for (int i = 0; i < 5; i++) {
        assertRefused(h1);
      }
      // The guards each time, and nothing else.
      assertThat(counting.reads()).isEqualTo(5);

      var _ = store.commit(Transaction.builder().delete(key).build(), deadline());
      Await.until("gone", TOLD, () -> heard.contains("gone " + key));
      assertThat(h1.allocate(endpoint("d"), deadline()).addresses()).allMatch(other::contains);
    }
  }

  private static void assertRefused(Ipam host) {
    assertThatThrownBy(() -> host.allocate(endpoint("d"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class);
  }

  @Test
  void theDecoderNamesTheKeyOfABlockOfANewerVersion() {
    Entry entry =
        new Entry(
            IpamKeys.block(ONE),
            "{\"schema\":2}".getBytes(StandardCharsets.UTF_8),
            new Version("1"));
    assertThatThrownBy(() -> new WatchedBlocks.Decoder().value(ONE, entry))
        .hasMessageContaining("ipam/blocks/10.0.0.0-30.schema: \"2\"")
        .hasMessageContaining("newer");
  }
}

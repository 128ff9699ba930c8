package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.testing.MortalOwner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The contract on an etcd, and what etcd does beyond it. Each test has a store of its own. */
abstract class EtcdContract extends DatastoreContractTest {
  private static final AtomicInteger PREFIX = new AtomicInteger();

  private final List<MortalOwner> owners = new ArrayList<>();
  private String url;

  /** What clients connect to, without a prefix. */
  protected abstract String server();

  /** Has etcd forget everything before a revision. */
  protected abstract void compact(String revision);

  @AfterEach
  void endOwners() {
    owners.forEach(MortalOwner::close);
  }

  @Override
  protected Datastore open() {
    url = server() + "/t" + PREFIX.incrementAndGet();
    return another();
  }

  @Override
  protected Datastore another() {
    return Datastores.open(url, DatastoreOptions.DEFAULTS);
  }

  @Override
  protected void compact() {
    compact(datastore.listAll("", deadline()).revision().token());
  }

  @Override
  protected Runnable mortalOwnerOf(String key) {
    MortalOwner owner = MortalOwner.start(url, key, 1);
    owners.add(owner);
    return owner::close;
  }

  @Test
  void everyFastChangeIsTold() throws Exception {
    checkThatEveryFastChangeIsTold();
  }

  @Test
  void storesOfDifferentPrefixesDoNotSeeEachOther() {
    committed(Transaction.builder().put("a", "1").build());
    try (Datastore longer = Datastores.open(url + "x", DatastoreOptions.DEFAULTS)) {
      assertThat(longer.get("a", deadline())).isEmpty();
      assertThat(longer.listAll("", deadline()).entries()).isEmpty();
    }
  }

  @Test
  void aListingOfManyLargeValuesIsRead() {
    byte[] large = new byte[8192];
    for (int i = 0; i < 1500; i += 100) {
      Transaction.Builder transaction = Transaction.builder();
      for (int j = i; j < i + 100; j++) {
        transaction.put("large/%04d".formatted(j), large);
      }
      committed(transaction.build());
    }
    assertThat(datastore.list("large/", Optional.empty(), 2000, deadline()).entries())
        .hasSize(1500);
    assertThat(datastore.listAll("large/", deadline()).entries()).hasSize(1500);
  }

  @Test
  void aValueThatIsTooLargeIsRefusedAndNotRetried() {
    long start = System.nanoTime();
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> committed(Transaction.builder().put("a", new byte[4 << 20]).build()))
        .isInstanceOf(DatastoreRefusedException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
  }
}

package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The contract on an etcd, and what etcd does beyond it. */
abstract class EtcdContract extends ServerContract {
  /** Has etcd forget everything before a revision. */
  protected abstract void compact(String revision);

  @Override
  protected void compact() {
    compact(datastore.listAll("", deadline()).revision().token());
  }

  @Test
  void everyFastChangeIsTold() throws Exception {
    checkThatEveryFastChangeIsTold();
  }

  @Test
  void storesOfDifferentPrefixesDoNotSeeEachOther() {
    committed(Transaction.builder().put("a", "1").build());
    try (Datastore longer = Datastores.open(url() + "x", DatastoreOptions.DEFAULTS)) {
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

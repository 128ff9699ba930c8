package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Hosts on a store into which everything is still being moved. */
class IncompleteStoreTest {
  private final MemoryDatastore target = new MemoryDatastore();
  private final DatastoreMover mover = new DatastoreMover(Duration.ofSeconds(20));

  @Test
  void noAddressIsGivenUntilTheMoveHasEnded() {
    MemoryDatastore source = new MemoryDatastore();
    Fixture before = new Fixture(source);
    before.pool("v4", "10.0.0.0/26", 28);
    IpAddress used = before.host("h1").allocate(endpoint("c1"), deadline()).addresses().getFirst();

    // The pool is there, the block and the handle are not: broken off in the middle.
    Datastore brokenOff =
        new DelegatingDatastore(target) {
          @Override
          public TransactionResult commit(Transaction transaction, Deadline deadline) {
            if (transaction.operations().stream().anyMatch(each -> each.key().startsWith("ipam"))) {
              throw new DatastoreUnavailableException("injected", null);
            }
            return super.commit(transaction, deadline);
          }
        };
    assertThatThrownBy(() -> mover.migrate(source, brokenOff))
        .isInstanceOf(DatastoreUnavailableException.class);
    new Fixture(target).pool("v4", "10.0.0.0/26", 28);
    List<Entry> left = target.listAll("", deadline()).entries();

    Ipam host = new Fixture(target).host("h2");
    assertThatThrownBy(() -> host.allocate(endpoint("c2"), deadline()))
        .isInstanceOf(IpamException.StoreIncomplete.class)
        .hasMessageContaining(DatastoreMover.INCOMPLETE)
        .hasMessageContaining("give that netctl datastore command again");
    assertThat(target.listAll("", deadline()).entries()).isEqualTo(left);

    for (Entry entry : left) {
      if (!entry.key().equals(DatastoreMover.INCOMPLETE)) {
        target.commit(Transaction.builder().delete(entry.key()).build(), deadline());
      }
    }
    mover.migrate(source, target);
    assertThat(host.allocate(endpoint("c2"), deadline()).addresses()).doesNotContain(used);
    Invariants.check(target);
  }

  @Test
  void aHostThatKnowsItsBlocksAsksToo() {
    Fixture fixture = new Fixture(target);
    fixture.pool("v4", "10.0.0.0/26", 28);
    Ipam host = fixture.host("h1");
    host.allocate(endpoint("c1"), deadline());
    mark(true);
    assertThatThrownBy(() -> host.allocate(endpoint("c2"), deadline()))
        .isInstanceOf(IpamException.StoreIncomplete.class);
    mark(false);
    host.allocate(endpoint("c2"), deadline());
    assertThat(target.listAll(Keys.HANDLES, deadline()).entries()).hasSize(2);
    Invariants.check(target);
  }

  private void mark(boolean exists) {
    Transaction.Builder transaction = Transaction.builder();
    target.commit(
        (exists
                ? transaction.put(DatastoreMover.INCOMPLETE, "{}")
                : transaction.delete(DatastoreMover.INCOMPLETE))
            .build(),
        deadline());
  }
}

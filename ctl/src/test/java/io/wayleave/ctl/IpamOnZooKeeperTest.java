package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.ZooKeeperProcess;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.model.Kind;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code netctl ipam check} on a real ZooKeeper, whole and half moved. */
@Tag("real")
@Timeout(120)
class IpamOnZooKeeperTest {
  @Test
  void aLostHandleIsFoundAndMendedButNotWhileAMoveHasNotEnded() {
    try (ZooKeeperProcess server = ZooKeeperProcess.start();
        Datastore datastore = Datastores.open(server.url(), DatastoreOptions.DEFAULTS)) {
      assertThat(run(server, "pool", "create", "web", "--cidr", "10.244.0.0/24").code()).isZero();
      commit(datastore, Transaction.builder().put(ResourceStore.key(Kind.NODE, "r1h1"), "{}"));
      Ipam host = new Ipam(datastore, "r1h1", Map::of, IpamOptions.defaults());
      var _ = host.allocate(AllocationRequest.count("c1", 1, 0), datastore.deadline());
      assertThat(run(server, "ipam", "check"))
          .isEqualTo(new NetctlRun.Result(0, "1 block and 1 handle checked: no problem\n", ""));
      commit(
          datastore,
          Transaction.builder()
              .delete(Keys.HANDLES + "c1")
              .delete("ipam/owners/c1")
              .put(DatastoreMover.INCOMPLETE, "{}"));
      assertThat(run(server, "ipam", "check").out()).contains("address-without-handle");

      NetctlRun.Result refused = run(server, "ipam", "check", "--fix");
      assertThat(refused.code()).isEqualTo(1);
      assertThat(refused.out()).isEmpty();
      assertThat(refused.err().lines())
          .singleElement()
          .asString()
          .contains(DatastoreMover.INCOMPLETE)
          .contains("give that netctl datastore command again");
      assertThat(run(server, "ipam", "check").code()).isEqualTo(1);

      commit(datastore, Transaction.builder().delete(DatastoreMover.INCOMPLETE));
      NetctlRun.Result fixed = run(server, "ipam", "check", "--fix");
      assertThat(fixed.out()).contains("1 problem, 1 fixed");
      assertThat(fixed.code()).isZero();
      assertThat(run(server, "ipam", "check").code()).isZero();
    }
  }

  private static NetctlRun.Result run(ZooKeeperProcess server, String... args) {
    return NetctlRun.real(Map.of("WAYLEAVE_DATASTORE", server.url()), args);
  }

  private static void commit(Datastore datastore, Transaction.Builder transaction) {
    assertThat(datastore.commit(transaction.build(), datastore.deadline()).isCommitted()).isTrue();
  }
}

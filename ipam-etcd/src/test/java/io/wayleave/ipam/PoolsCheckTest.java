package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpPool;
import io.wayleave.model.Metadata;
import java.util.List;
import org.junit.jupiter.api.Test;

class PoolsCheckTest {
  private final MemoryDatastore datastore = new MemoryDatastore();
  private final Pools pools = new Pools(datastore);

  @Test
  void acceptsWhatCouldBeWrittenTogetherAndWritesNothing() {
    List<IpPool> wanted = List.of(pool("a", "10.1.0.0/16"), pool("b", "10.2.0.0/16"));
    wanted.forEach(pool -> pools.check(pool, wanted, datastore.deadline()));
    assertThat(datastore.listAll("", datastore.deadline()).entries()).isEmpty();
  }

  @Test
  void refusesAPoolThatOverlapsOneBesideIt() {
    List<IpPool> wanted = List.of(pool("a", "10.1.0.0/16"), pool("b", "10.1.2.0/24"));
    assertThatThrownBy(() -> pools.check(wanted.get(1), wanted, datastore.deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "spec.cidr: \"10.1.2.0/24\" is not allowed; allowed: a range that overlaps no other"
                + " pool, here a 10.1.0.0/16");
  }

  @Test
  void namesAPoolOnceThatExistsAndStandsBesideIt() {
    IpPool existing = pool("a", "10.1.0.0/16");
    pools.create(existing, datastore.deadline());
    IpPool wanted = pool("b", "10.0.0.0/8");
    assertThatThrownBy(() -> pools.check(wanted, List.of(existing, wanted), datastore.deadline()))
        .hasMessageEndingWith("here a 10.1.0.0/16");
  }

  @Test
  void refusesToMoveAPoolThatExists() {
    pools.create(pool("a", "10.1.0.0/16"), datastore.deadline());
    assertThatThrownBy(() -> pools.check(pool("a", "10.3.0.0/16"), List.of(), datastore.deadline()))
        .hasMessage(
            "spec.cidr: \"10.3.0.0/16\" is not allowed; allowed: 10.1.0.0/16, as it was created;"
                + " make a new pool for another range");
  }

  private static IpPool pool(String name, String cidr) {
    return new IpPool(Metadata.of(name), IpPool.Spec.of(Cidr.parse(cidr)));
  }
}

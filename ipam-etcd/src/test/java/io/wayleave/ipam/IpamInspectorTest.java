package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Cidr;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class IpamInspectorTest {
  private final MemoryDatastore store = new MemoryDatastore();
  private final Fixture fixture = new Fixture(store);
  private final IpamInspector inspector = new IpamInspector(store);

  @Test
  void usageIsCountedPerPoolAndBlock() {
    fixture.pool("a", "10.0.0.0/24", 26);
    fixture.pool("b", "10.1.0.0/24", 26);
    fixture.pool("c", "fd00::/48", 122);
    Ipam h1 = fixture.host("h1");
    for (int i = 0; i < 3; i++) {
      h1.allocate(endpoint("c" + i), deadline());
    }
    IpamInspector.Report report = inspector.report(deadline());
    assertThat(report.pools())
        .extracting(usage -> usage.pool().name())
        .containsExactly("a", "b", "c");
    IpamInspector.PoolUsage a = report.pools().getFirst();
    assertThat(a.capacity()).isEqualTo(256);
    assertThat(a.allocated()).isEqualTo(3);
    assertThat(a.free()).isEqualTo(253);
    assertThat(a.blocks())
        .containsExactly(
            new IpamInspector.BlockUsage(
                fixture.blocks().getFirst().cidr(), Optional.of("h1"), 64, 3));
    assertThat(report.pools().get(1).blocks()).isEmpty();
    assertThat(report.pools().get(2).free()).isEqualTo(Long.MAX_VALUE);
    assertThat(report.outside()).isEmpty();
    assertThat(report.unreadable()).isEmpty();
  }

  @Test
  void addressesAreShownWithTheirHandlesInOrder() {
    fixture.pool("a", "10.0.0.0/26", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("z"), deadline());
    h1.allocate(endpoint("a"), deadline());
    assertThat(inspector.addresses(Cidr.parse("10.0.0.0/26"), deadline()))
        .extracting(usage -> usage.address() + " " + usage.handle().id())
        .containsExactly("10.0.0.0 z", "10.0.0.1 a");
    assertThat(inspector.addresses(Cidr.parse("10.0.0.1"), deadline()))
        .singleElement()
        .extracting(usage -> usage.handle().id())
        .isEqualTo("a");
  }

  @Test
  void whatIsOutsideAnyPoolOrUnreadableIsShownAsSuch() {
    fixture.pool("a", "10.0.0.0/26", 26);
    fixture.host("h1").allocate(endpoint("c"), deadline());
    fixture.pools.delete("a", true, deadline());
    store.commit(
        Transaction.builder()
            .put("ipam/blocks/10.9.0.0-26", "{\"schema\":2}")
            .put("ipam/handles/bad", "x")
            .put("resources/ippools/bad", "{}")
            .build(),
        deadline());
    IpamInspector.Report report = inspector.report(deadline());
    assertThat(report.pools()).isEmpty();
    assertThat(report.outside())
        .extracting(IpamInspector.BlockUsage::block)
        .containsExactly(Cidr.parse("10.0.0.0/26"));
    assertThat(report.unreadable())
        .extracting(ResourceStore.Unreadable::key)
        .containsExactly("resources/ippools/bad", "ipam/blocks/10.9.0.0-26");
    assertThat(inspector.handles(deadline()).handles()).extracting(Handle::id).containsExactly("c");
    assertThat(inspector.handles(deadline()).unreadable())
        .extracting(ResourceStore.Unreadable::key)
        .containsExactly("ipam/handles/bad");
  }
}

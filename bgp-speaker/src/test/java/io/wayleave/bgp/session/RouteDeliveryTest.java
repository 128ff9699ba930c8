package io.wayleave.bgp.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.rib.Candidates;
import io.wayleave.bgp.rib.Path;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RouteDeliveryTest {
  private static final Cidr PREFIX = Cidr.parse("10.2.1.0/24");
  private static final int WAYS = 1000;

  private final RouteRecorder routes = new RouteRecorder();
  private final RouteDelivery delivery = new RouteDelivery(routes, _ -> Optional.empty());

  private static Path via(int n) {
    IpAddress address = IpAddress.ofIpv4(0x0a00_0000 + n);
    return new Path(
        new PathSource.Peer(
            "p" + n,
            address,
            IpAddress.parse("10.255.0.1"),
            Asn.of(65001),
            false,
            RouterId.parse("7.7.7.7"),
            false,
            1),
        PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65001))).build(),
        NextHop.of(address),
        Optional.empty());
  }

  @Test
  void waysThatNothingGoesAnyMoreAreForgotten() {
    for (int n = 0; n < WAYS; n++) {
      delivery.selected(PREFIX, via(n));
      delivery.selected(PREFIX, Candidates.NONE);
    }
    assertThat(routes.changes()).hasSize(2 * WAYS);
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (delivery.ways() > 0 && System.nanoTime() < deadline) {
      System.gc();
    }
    assertThat(delivery.ways()).isZero();
  }
}

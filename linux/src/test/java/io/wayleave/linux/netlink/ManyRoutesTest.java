package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.TestNamespace;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * As many routes as a large fabric has. Processor time is measured, the kernel's included, because
 * other tests may run beside this one; the bounds are several times what was seen.
 */
@Tag("real")
class ManyRoutesTest {
  private static final int COUNT = 100_000;

  @Test
  void aHundredThousandRoutesCostLittle() throws IOException {
    try (TestNamespace namespace = TestNamespace.create();
        NetlinkSocket socket = namespace.open()) {
      socket.links().create(VethPair.of("up0", "up1").setUp());
      socket.links().setUp(socket.links().get("up1").index());
      int dev = socket.links().get("up0").index();
      socket.addresses().add(InterfaceAddress.of(dev, IpAddress.parse("10.9.0.1"), 24));
      NextHop gateway = NextHop.via(IpAddress.parse("10.9.0.2"), dev);
      List<NetlinkRequest> adds = new ArrayList<>();
      List<NetlinkRequest> deletes = new ArrayList<>();
      for (int i = 0; i < COUNT; i++) {
        Route route =
            Route.unicast(IpAddress.parse("10.64.0.0").plus(i).toCidr(), 77, gateway)
                .withMetric(77);
        adds.add(Routes.adding(route));
        deletes.add(Routes.deleting(route));
      }

      long start = cpuTime();
      assertThat(socket.executeAll(adds)).isEmpty();
      long added = cpuTime();
      assertThat(socket.routes().list(RouteFilter.mainTable(Family.IPV4).ofProtocol(77)))
          .hasSize(COUNT);
      long listed = cpuTime();
      assertThat(socket.executeAll(deletes)).isEmpty();
      long deleted = cpuTime();

      System.getLogger(getClass().getName())
          .log(
              System.Logger.Level.INFO,
              "{0} routes: add {1} ms, list {2} ms, delete {3} ms",
              COUNT,
              (added - start) / 1_000_000,
              (listed - added) / 1_000_000,
              (deleted - listed) / 1_000_000);
      assertThat(added - start).isLessThan(2_000_000_000L);
      assertThat(listed - added).isLessThan(1_000_000_000L);
    }
  }

  private static long cpuTime() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }
}

package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.TestNamespace;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Dumps of more than one datagram, while others change what is dumped. */
@Tag("real")
class DumpTest {
  private static final int COUNT = 3000;

  @Test
  void aDumpThatWasInterruptedIsAskedForAgainAndIsWhole() throws Exception {
    try (TestNamespace namespace = TestNamespace.create();
        NetlinkSocket socket = namespace.open()) {
      socket.links().create(VethPair.of("a", "b"));
      int dev = socket.links().get("a").index();
      List<NetlinkRequest> adds = new ArrayList<>();
      Set<IpAddress> constant = new HashSet<>();
      for (int i = 0; i < COUNT; i++) {
        IpAddress address = IpAddress.parse("10.1.0.0").plus(i);
        constant.add(address);
        adds.add(Addresses.adding(InterfaceAddress.of(dev, address, 32)));
      }
      assertThat(socket.executeAll(adds)).isEmpty();

      // For each dump a few changes while it runs, then none, so that it can end.
      Semaphore dumps = new Semaphore(0);
      AtomicBoolean stop = new AtomicBoolean();
      AtomicReference<Exception> failure = new AtomicReference<>();
      Thread changer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (NetlinkSocket other = namespace.open()) {
                      InterfaceAddress passing =
                          InterfaceAddress.of(dev, IpAddress.parse("10.9.9.9"), 32);
                      while (!stop.get()) {
                        dumps.acquire();
                        for (int change = 0; change < 3; change++) {
                          other.addresses().add(passing);
                          other.addresses().delete(passing);
                        }
                      }
                    } catch (IOException | InterruptedException e) {
                      failure.set(e);
                    }
                  });
      try {
        long end = System.nanoTime() + 20_000_000_000L;
        while (socket.interruptedDumps() < 3 && System.nanoTime() < end) {
          dumps.release();
          Set<IpAddress> found = new HashSet<>();
          socket.addresses().list().forEach(address -> found.add(address.address()));
          assertThat(found).containsAll(constant);
        }
      } finally {
        stop.set(true);
        dumps.release();
        changer.join();
      }

      assertThat(failure.get()).isNull();
      assertThat(socket.interruptedDumps()).isGreaterThanOrEqualTo(3);
    }
  }
}

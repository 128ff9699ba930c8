package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.TestNamespace;
import io.wayleave.linux.Tool;
import io.wayleave.linux.netlink.NftablesEvent.Committed;
import io.wayleave.linux.netlink.NftablesEvent.Touched;
import io.wayleave.model.Family;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
class NftablesMonitorTest {
  private static final Duration LONG = Duration.ofSeconds(10);

  private TestNamespace namespace;
  private NftablesMonitor monitor;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    monitor = NftablesMonitor.open(namespace.namespace());
  }

  @AfterEach
  void close() throws IOException {
    monitor.close();
    namespace.close();
  }

  @Test
  void tellsWhichChainsWereTouchedAndByWhom() throws Exception {
    Process process =
        new ProcessBuilder(
                "nsenter", "--net=/run/netns/" + namespace.name(), "ip6tables-nft-restore")
            .start();
    process
        .getOutputStream()
        .write(
            "*filter\n:wl-a - [0:0]\n-A wl-a -j DROP\n-A wl-a -j DROP\nCOMMIT\n"
                .getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();
    assertThat(process.waitFor()).isZero();
    List<Committed> events = await(1);
    assertThat(events.getFirst().pid()).isEqualTo(OptionalLong.of(process.pid()));
    assertThat(events.getFirst().touched())
        .contains(touched(Family.IPV6, Optional.empty()), touched(Family.IPV6, Optional.of("wl-a")))
        .allMatch(touched -> touched.table().equals("filter"));

    Tool.run(namespace, "iptables-nft", "-A", "FORWARD", "-j", "ACCEPT");
    Tool.run(namespace, "iptables-nft", "-F", "FORWARD");
    Tool.run(namespace, "iptables-nft", "-X");
    List<Committed> later = await(2);
    assertThat(later.getFirst().touched()).contains(touched(Family.IPV4, Optional.of("FORWARD")));
    assertThat(later.get(1).touched())
        .containsExactly(touched(Family.IPV4, Optional.of("FORWARD")));
    assertThat(later.get(1).pid()).isNotEqualTo(events.getFirst().pid());
  }

  @Test
  void tellsOfReplacedTablesAndNothingOfAnotherNamespace() throws IOException {
    try (TestNamespace other = TestNamespace.create()) {
      Tool.run(other, "iptables-nft", "-A", "OUTPUT", "-j", "ACCEPT");
    }
    Tool.run(namespace, "iptables-nft", "-A", "FORWARD", "-j", "ACCEPT");
    assertThat(await(1).getFirst().touched())
        .contains(touched(Family.IPV4, Optional.of("FORWARD")))
        .doesNotContain(touched(Family.IPV4, Optional.of("OUTPUT")));
    Tool.feed(namespace, "*filter\nCOMMIT\n", "iptables-nft-restore");
    assertThat(await(1).getFirst().touched()).contains(touched(Family.IPV4, Optional.empty()));
  }

  @Test
  void aClosedMonitorSaysSo() {
    monitor.wakeUp();
    monitor.close();
    assertThatThrownBy(() -> monitor.poll(LONG)).isInstanceOf(ClosedFdException.class);
  }

  private static Touched touched(Family family, Optional<String> chain) {
    return new Touched(family, "filter", chain);
  }

  private List<Committed> await(int count) throws IOException {
    long end = System.nanoTime() + LONG.toNanos();
    List<Committed> all = new ArrayList<>();
    while (all.size() < count) {
      Duration left = Duration.ofNanos(end - System.nanoTime());
      assertThat(left).as("only these came: " + all).isPositive();
      for (NftablesEvent event : monitor.poll(left)) {
        all.add((Committed) event);
      }
    }
    return all;
  }
}

package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is told of what, with the drivers as writers. */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class KernelWatchTest {
  private static final String SET = "wl-4-a";
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** More than any of the watch's own intervals. */
  private static final Duration SILENCE = Duration.ofMillis(1300);

  private final IptablesBackend backend;
  private final TestHost host = new TestHost();
  private final ProcessRunner runner = ProcessRunner.in(host.namespace(), Duration.ofSeconds(30));
  private final NetlinkIpsets kernel = new NetlinkIpsets(host.namespace());
  private final IpsetDriver sets = new IpsetDriver(kernel);
  private final Map<Family, TableDriver> tables = new EnumMap<>(Family.class);
  private final BlockingQueue<Long> told = new LinkedBlockingQueue<>();
  private TableWatch watch = TableWatch.none();

  KernelWatchTest(IptablesBackend backend) {
    this.backend = backend;
  }

  private static void dispatch(String chain, String option, TableDriver table) {
    DispatchTree tree = new DispatchTree(chain, option);
    tree.put("wl1", List.of("-g wl-in-wl1"));
    tree.flush(table::put, table::remove);
  }

  @BeforeEach
  void start() throws InterruptedException {
    for (Family family : Family.values()) {
      TableDriver table = new TableDriver(family, backend, runner, FrameRenderer.hooks());
      FrameRenderer.frame(HostRules.DEFAULT, family, false).forEach(table::put);
      FrameRenderer.hostDispatch(List.of()).forEach(table::put);
      dispatch(ChainNames.FROM_TREE, "-i", table);
      dispatch(ChainNames.TO_TREE, "-o", table);
      table.put(Chain.structure("wl-in-wl1", List.of("-j DROP")));
      tables.put(family, table);
    }
    sets.putSet(SET, IpsetType.NET, Family.IPV4);
    sets.addMember(SET, Cidr.parse("10.0.0.1"));
    watch =
        TableWatch.start(
            host.namespace(),
            backend,
            EnumSet.allOf(Family.class),
            runner::ran,
            () -> told.add(System.nanoTime()));
    write();
    assertSilence();
  }

  @AfterEach
  void close() {
    watch.close();
    kernel.close();
    runner.close();
    host.close();
  }

  @Test
  void isSilentAboutOurOwnWritesAndWhatDoesNotConcernUs() throws InterruptedException {
    for (int i = 0; i < 10; i++) {
      for (TableDriver table : tables.values()) {
        table.put(Chain.policy("wl-pi-" + i, List.of("-p tcp -j ACCEPT")));
      }
      sets.addMember(SET, Cidr.parse("10.1.0." + i));
      write();
    }
    host.run(program(Family.IPV4), "-N", "others");
    host.run(program(Family.IPV4), "-A", "others", "-j", "ACCEPT");
    host.run("ipset", "create", "others", "hash:net");
    assertSilence();
  }

  @Test
  void tellsOfEachThingThatOthersDo() throws InterruptedException {
    for (Family family : Family.values()) {
      String program = program(family);
      assertTold(program, "-F", "wl-to-wl");
      assertTold(program, "-I", "FORWARD", "-j", "ACCEPT");
      assertTold(program, "-A", "wl-in-wl1", "-j", "ACCEPT");
      assertTold(program, "-N", "wl-stranger");
      assertTold(program, "-F");
    }
    assertTold("ipset", "add", SET, "10.9.9.9");
    assertTold("ipset", "flush", SET);
    assertTold("ipset", "destroy", SET);
  }

  @Test
  void aChangeOfTheSameShapeIsFoundToo() throws InterruptedException {
    // The rule is as long as ours, and there are as many as before.
    assertTold(
        program(Family.IPV4),
        "-R",
        "wl-in-wl1",
        "1",
        "-m",
        "comment",
        "--comment",
        "wl:other",
        "-j",
        "ACCEPT");
  }

  @Test
  void othersWhoGoOnAreToldOfAtMostEveryFifthOfASecond() throws InterruptedException {
    long start = System.nanoTime();
    for (int i = 0; i < 30; i++) {
      host.run(program(Family.IPV4), "-A", "FORWARD", "-j", "ACCEPT");
    }
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start) + 1;
    assertThat(told.size()).isLessThanOrEqualTo(Math.toIntExact(5 * seconds) + 1);
  }

  @Test
  void idleItCostsNextToNothing() throws InterruptedException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread =
        Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
            .filter(info -> info != null && info.getThreadName().equals("wayleave-policy-watch"))
            .findFirst()
            .orElseThrow()
            .getThreadId();
    long before = threads.getThreadCpuTime(thread);
    long start = System.nanoTime();
    TimeUnit.SECONDS.sleep(3);
    double percent =
        100.0 * (threads.getThreadCpuTime(thread) - before) / (System.nanoTime() - start);
    System.getLogger(getClass().getName())
        .log(System.Logger.Level.INFO, "{0}: {1} % of a processor", backend, percent);
    assertThat(percent).isLessThan(5);
  }

  /** Somebody does it, it is told in time, and repaired without being told again. */
  private void assertTold(String... command) throws InterruptedException {
    host.run(command);
    assertThat(told.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS))
        .as(String.join(" ", command))
        .isNotNull();
    tables.values().forEach(TableDriver::invalidate);
    sets.invalidate();
    write();
    TimeUnit.MILLISECONDS.sleep(300);
    told.clear();
  }

  private void assertSilence() throws InterruptedException {
    assertThat(told.poll(SILENCE.toMillis(), TimeUnit.MILLISECONDS)).isNull();
  }

  private void write() {
    watch.writing();
    sets.applyAdditions();
    tables.values().forEach(table -> table.apply(Mode.FULL));
    sets.applyRemovals();
    watch.written(
        () -> {
          Map<Family, TableState> states = new HashMap<>();
          tables.forEach((family, table) -> states.put(family, table.state().orElseThrow()));
          return new KernelState(states, Optional.of(sets.sizes().orElseThrow()));
        });
  }

  private String program(Family family) {
    String name =
        switch (backend) {
          case NFT -> "tables-nft";
          case LEGACY -> "tables-legacy";
        };
    return (family == Family.IPV4 ? "ip" : "ip6") + name;
  }
}

package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How long it takes until the chains of one more endpoint are in both families' tables, when 1,000
 * are there, each with a policy of ten rules of its own.
 */
@Tag("full")
final class TableSpeedTest {
  private static final int ENDPOINTS = 1000;
  private static final int RULES = 10;
  private static final int ROUNDS = 21;
  private static final Random RANDOM = new Random(1);

  private final Map<String, Integer> numbers = new LinkedHashMap<>();
  private List<Chain> dispatch = List.of();

  @ParameterizedTest
  @EnumSource(IptablesBackend.class)
  void oneEndpointAmongAThousand(IptablesBackend backend) {
    try (TestHost host = new TestHost()) {
      List<TableDriver> tables = new ArrayList<>();
      for (Family family : Family.values()) {
        TableDriver table = new TableDriver(family, backend, host.runner(), FrameRenderer.hooks());
        FrameRenderer.frame().forEach(table::put);
        tables.add(table);
      }
      for (int i = 0; i < ENDPOINTS; i++) {
        add(tables);
      }
      dispatch(tables);
      double all = apply(tables);
      List<Double> one = new ArrayList<>();
      List<Double> gone = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        String name = add(tables);
        dispatch(tables);
        one.add(apply(tables));
        if (round % 4 == 0) {
          remove(name, tables);
          dispatch(tables);
          gone.add(apply(tables));
        }
      }
      List<Double> none = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        tables.forEach(TableDriver::invalidate);
        none.add(apply(tables));
      }
      one.sort(null);
      gone.sort(null);
      System.getLogger(getClass().getName())
          .log(
              System.Logger.Level.INFO,
              "{0}: {1} endpoints at once {2} ms; one more, ms: median {3}, all {4}; one less {5};"
                  + " read and compared {6}",
              backend,
              ENDPOINTS,
              all,
              one.get(ROUNDS / 2),
              one,
              gone,
              none);
      String saved = host.run(backend.saveCommand(Family.IPV4).toArray(String[]::new));
      assertThat(saved.lines().filter(line -> line.startsWith("-A wl-")).count())
          .isGreaterThan((long) ENDPOINTS * (RULES + 8));
      // Several times what was seen, so that a busy machine is no failure.
      assertThat(one.get(ROUNDS / 2)).isLessThan(1000);
    }
  }

  private String add(List<TableDriver> tables) {
    String name = "wl%011x".formatted(RANDOM.nextLong(1L << 44));
    numbers.put(name, numbers.size());
    for (TableDriver table : tables) {
      chains(name, table.family()).forEach(table::put);
    }
    return name;
  }

  private void remove(String name, List<TableDriver> tables) {
    numbers.remove(name);
    for (TableDriver table : tables) {
      chains(name, table.family()).forEach(chain -> table.remove(chain.name()));
    }
  }

  private void dispatch(List<TableDriver> tables) {
    List<Chain> now = FrameRenderer.dispatch(new TreeSet<>(numbers.keySet()));
    Collection<String> names = now.stream().map(Chain::name).toList();
    for (TableDriver table : tables) {
      now.forEach(table::put);
      dispatch.stream()
          .map(Chain::name)
          .filter(name -> !names.contains(name))
          .forEach(table::remove);
    }
    dispatch = now;
  }

  private List<Chain> chains(String name, Family family) {
    int number = numbers.getOrDefault(name, 0);
    String address =
        family == Family.IPV4
            ? "10.1." + (number >> 8) + "." + (number & 255) + "/32"
            : "fd00::" + Integer.toHexString(number) + "/128";
    String policy = "wl-pi-" + name;
    List<String> rules = new ArrayList<>();
    for (int i = 0; i < RULES; i++) {
      String net = family == Family.IPV4 ? "10." + i + ".0.0/16" : "fd00:" + (i + 1) + "::/32";
      rules.add(
          "-s " + net + " -p tcp -m multiport --dports " + (1000 + number) + ",443 -g wl-allow");
    }
    String established = "-m conntrack --ctstate RELATED,ESTABLISHED -g wl-allow";
    String invalid = "-m conntrack --ctstate INVALID -j DROP";
    return List.of(
        Chain.structure("wl-fw-" + name, List.of("-s " + address + " -g wl-eg-" + name, "-j DROP")),
        Chain.structure("wl-eg-" + name, List.of(established, invalid, "-g wl-allow")),
        Chain.structure(
            "wl-in-" + name,
            List.of(
                established,
                invalid,
                "-j MARK --set-xmark 0x0/0x10000",
                "-j " + policy,
                "-m mark --mark 0x10000/0x10000 -j RETURN",
                "-j DROP")),
        Chain.policy(policy, rules));
  }

  /** Both families at once, as the dataplane does it; in milliseconds. */
  private static double apply(List<TableDriver> tables) {
    long start = System.nanoTime();
    List<CompletableFuture<Void>> writes =
        tables.stream()
            .map(
                table ->
                    CompletableFuture.runAsync(
                        () -> table.apply(Mode.FULL),
                        task -> Thread.ofPlatform().name("table").start(task)))
            .toList();
    writes.forEach(CompletableFuture::join);
    return Math.round((System.nanoTime() - start) / 1e4) / 1e2;
  }
}

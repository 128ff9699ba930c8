package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Family;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.Fixtures;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.RuleBlock;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How long it takes until one more endpoint is in both families' tables, when 1,000 are there, each
 * with a policy of ten rules of its own.
 */
@Tag("full")
final class TableSpeedTest {
  private static final int ENDPOINTS = 1000;
  private static final int RULES = 10;
  private static final int ROUNDS = 21;
  private static final Random RANDOM = new Random(1);

  private int number;

  @ParameterizedTest
  @EnumSource(IptablesBackend.class)
  void oneEndpointAmongAThousand(IptablesBackend backend) {
    try (TestHost host = new TestHost();
        Dataplane dataplane =
            new Dataplane(
                EnumSet.allOf(Family.class),
                backend,
                HostRules.DEFAULT,
                host.runner(),
                new NetlinkIpsets(host.namespace()),
                Map::of,
                TableWatch.none())) {
      for (int i = 0; i < ENDPOINTS; i++) {
        add(dataplane);
      }
      double all = apply(dataplane);
      List<Double> one = new ArrayList<>();
      List<Double> gone = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        WorkloadEndpoint last = add(dataplane);
        one.add(apply(dataplane));
        if (round % 4 == 0) {
          remove(last, dataplane);
          gone.add(apply(dataplane));
        }
      }
      List<Double> none = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        dataplane.invalidate();
        none.add(apply(dataplane));
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
          .isGreaterThan((long) ENDPOINTS * (RULES + 2));
      // Several times what was seen, so that a busy machine is no failure.
      assertThat(one.get(ROUNDS / 2)).isLessThan(1000);
    }
  }

  private WorkloadEndpoint add(Dataplane dataplane) {
    number++;
    String name = "wl%011x".formatted(RANDOM.nextLong(1L << 44));
    List<String> rules = new ArrayList<>();
    for (int i = 0; i < RULES; i++) {
      rules.add(
          "{action: Allow, protocol: TCP, source: {nets: [10."
              + i
              + ".0.0/16, 'fd00:"
              + (i + 1)
              + "::/32']}, destination: {ports: ["
              + (1000 + number)
              + ", 443]}}");
    }
    RuleBlock block = Fixtures.rules(name, "ingress: " + rules);
    WorkloadEndpoint endpoint =
        Fixtures.endpoint(
            "n1",
            name,
            name,
            Map.of(),
            "10.1." + (number >> 8) + "." + (number & 255),
            "fd00::" + Integer.toHexString(number));
    dataplane.putRules(block);
    dataplane.putEndpoint(
        endpoint,
        new ResolvedPolicies(
            List.of(
                new ResolvedPolicies.TierPolicies(
                    Tier.DEFAULT, Tier.DefaultAction.Deny, List.of(block.id()))),
            List.of(),
            List.of(),
            true));
    return endpoint;
  }

  private static void remove(WorkloadEndpoint endpoint, Dataplane dataplane) {
    dataplane.removeEndpoint(endpoint.id());
    dataplane.removeRules(Fixtures.rules(endpoint.spec().interfaceName(), "ingress: []").id());
  }

  /** In milliseconds. */
  private static double apply(Dataplane dataplane) {
    long start = System.nanoTime();
    dataplane.apply(Mode.FULL);
    return Math.round((System.nanoTime() - start) / 1e4) / 1e2;
  }
}

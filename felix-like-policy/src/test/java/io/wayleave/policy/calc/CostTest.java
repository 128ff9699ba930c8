package io.wayleave.policy.calc;

import static io.wayleave.policy.Fixtures.endpoint;
import static io.wayleave.policy.Fixtures.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import io.wayleave.model.Profile;
import io.wayleave.model.WorkloadEndpoint;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What changes costs what it affects, counted in comparisons of a selector with labels: the same in
 * a fleet of any size.
 */
final class CostTest {
  private ToldState told = new ToldState();

  @Test
  void aChangeCostsTheSameInFleetsOfAnySize() {
    for (int applications : new int[] {20, 200}) {
      PolicyCalculator calculator = fleet(applications);
      assertThat(calculator.evaluations())
          .as("cold, of %s applications", applications)
          .isLessThan(30L * applications);

      // One label: its policy's selector and its rules' selectors, those of both applications.
      long changed =
          cost(
              calculator,
              () -> calculator.put(endpoint("n2", "c3-2", "wl1", Map.of("app", "5"), "10.0.3.2")));
      assertThat(changed).isBetween(1L, 4L);
      assertThat(told.takeEvents()).isEqualTo(2);

      // A new address compares nothing.
      long moved =
          cost(
              calculator,
              () -> calculator.put(endpoint("n2", "c3-2", "wl1", Map.of("app", "5"), "10.9.9.9")));
      assertThat(moved).isZero();
      assertThat(told.takeEvents()).isEqualTo(2);

      long fresh =
          cost(
              calculator,
              () -> calculator.put(endpoint("n1", "new", "wl9", Map.of("app", "7"), "10.1.1.1")));
      assertThat(fresh).isBetween(1L, 4L);

      long added =
          cost(
              calculator,
              () ->
                  calculator.put(
                      policy(
                          "new",
                          """
                          selector: app == '7'
                          ingress: [{action: Allow, source: {selector: "app in {'8', '9'}"}}]
                          """)));
      assertThat(added).isBetween(1L, 30L);

      long gone = cost(calculator, () -> calculator.remove(Kind.GLOBAL_NETWORK_POLICY, "new"));
      assertThat(gone).isZero();

      // Labels of a profile that one endpoint names.
      WorkloadEndpoint plain = endpoint("n2", "c3-3", "wl1", Map.of("app", "3"), "10.0.3.3");
      cost(calculator, () -> calculator.put(naming(plain, "p")));
      long labelled =
          cost(
              calculator,
              () ->
                  calculator.put(
                      new Profile(
                          Metadata.of("p"),
                          new Profile.Spec(List.of(), List.of(), Map.of("team", "one")))));
      assertThat(labelled).isBetween(1L, 2L);
    }
  }

  /** Ten endpoints an application on two nodes, and a policy that lets in the next application. */
  private PolicyCalculator fleet(int applications) {
    PolicyCalculator calculator = new PolicyCalculator("n1");
    for (int app = 0; app < applications; app++) {
      for (int i = 0; i < 10; i++) {
        calculator.put(
            endpoint(
                i == 0 ? "n1" : "n2",
                "c" + app + "-" + i,
                "wl" + app,
                Map.of("app", "" + app),
                "10.0." + app % 200 + "." + i));
      }
      calculator.put(
          policy(
              "p" + app,
              """
              selector: app == '%s'
              ingress: [{action: Allow, source: {selector: app == '%s'}}]
              """
                  .formatted(app, (app + 1) % applications)));
    }
    told = new ToldState();
    calculator.flush(told);
    return calculator;
  }

  private static WorkloadEndpoint naming(WorkloadEndpoint endpoint, String profile) {
    WorkloadEndpoint.Spec spec = endpoint.spec();
    return new WorkloadEndpoint(
        endpoint.metadata(),
        new WorkloadEndpoint.Spec(
            spec.node(),
            spec.containerID(),
            spec.endpoint(),
            spec.interfaceName(),
            spec.mac(),
            spec.ipNetworks(),
            spec.network(),
            spec.generation(),
            List.of(profile),
            List.of(),
            Map.of()));
  }

  private long cost(PolicyCalculator calculator, Runnable change) {
    long before = calculator.evaluations();
    told.takeEvents();
    change.run();
    calculator.flush(told);
    return calculator.evaluations() - before;
  }
}

package io.wayleave.policy.calc;

import static io.wayleave.policy.Fixtures.endpoint;
import static io.wayleave.policy.Fixtures.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Resource;
import io.wayleave.model.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Named states of the fleet and what node n1 must enforce in each. Every test walks them in other
 * orders, and within a step the resources in other orders; where it came from must never show.
 */
final class PolicyCalculatorTest {
  private static final WorkloadEndpoint WEB =
      endpoint("n1", "web", "wl1", Map.of("role", "web"), "10.0.0.1", "fd00::1");
  private static final WorkloadEndpoint WEB_MOVED =
      endpoint("n1", "web", "wl1", Map.of("role", "web"), "10.0.0.9");
  private static final WorkloadEndpoint DB =
      endpoint("n1", "db", "wl2", Map.of("role", "db"), "10.0.0.2");
  private static final WorkloadEndpoint DB_AS_WEB =
      endpoint("n1", "db", "wl2", Map.of("role", "web"), "10.0.0.2");
  private static final WorkloadEndpoint FAR_WEB =
      endpoint("n2", "web", "wl1", Map.of("role", "web"), "10.0.1.1");

  /** An old record with the address of WEB: both are one member. */
  private static final WorkloadEndpoint FAR_SAME_ADDRESS =
      endpoint("n2", "old", "wl5", Map.of("role", "web"), "10.0.0.1");

  private static final GlobalNetworkPolicy FROM_WEB =
      policy(
          "from-web",
          """
          order: 10
          selector: role == 'db'
          ingress:
          - action: Allow
            source: {selector: "role in {'web'}"}
          """);
  private static final GlobalNetworkPolicy FROM_WEB_TO_ALL =
      policy(
          "from-web",
          """
          order: 10
          ingress:
          - action: Allow
            source: {selector: role == 'web'}
          """);
  private static final GlobalNetworkPolicy FROM_DB =
      policy(
          "from-web",
          """
          selector: role == 'db'
          egress:
          - action: Deny
            destination: {selector: role == 'db'}
          """);
  private static final GlobalNetworkPolicy LAST =
      policy("a-last", "selector: all()\ntypes: [Ingress, Egress]");
  private static final GlobalNetworkPolicy FIRST =
      policy("z-first", "order: -1\nselector: all()\negress: [{action: Allow}]");
  private static final GlobalNetworkPolicy TIE =
      policy("z-tie", "order: 10\nselector: all()\ningress: [{action: Allow}]");

  /** State by name: its resources, and what must be told of it. */
  private static final Map<String, List<Resource>> STATES = new LinkedHashMap<>();

  private static final Map<String, String> EXPECTED = new LinkedHashMap<>();

  static {
    state("empty", List.of(), "");
    state(
        "endpoints without policies",
        List.of(WEB, DB, FAR_WEB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in  out  open
        endpoint n1.web.eth0 [10.0.0.1/32, fd00::1/128] in  out  open
        """);
    state("policies that select nothing here", List.of(FAR_WEB, FROM_WEB, LAST), "");
    state(
        "members of both families and nodes",
        List.of(WEB, DB, FAR_WEB, FROM_WEB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in default[from-web]Deny out  open
        endpoint n1.web.eth0 [10.0.0.1/32, fd00::1/128] in  out  open
        rules GlobalNetworkPolicy from-web %s
        role == "web" IPV4 [10.0.0.1, 10.0.1.1]
        role == "web" IPV6 [fd00::1]
        """
            .formatted(rules(FROM_WEB)));
    state(
        "another address",
        List.of(WEB_MOVED, DB, FROM_WEB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in default[from-web]Deny out  open
        endpoint n1.web.eth0 [10.0.0.9/32] in  out  open
        rules GlobalNetworkPolicy from-web %s
        role == "web" IPV4 [10.0.0.9]
        role == "web" IPV6 []
        """
            .formatted(rules(FROM_WEB)));
    state(
        "one address twice",
        List.of(WEB, FAR_SAME_ADDRESS, DB, FROM_WEB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in default[from-web]Deny out  open
        endpoint n1.web.eth0 [10.0.0.1/32, fd00::1/128] in  out  open
        rules GlobalNetworkPolicy from-web %s
        role == "web" IPV4 [10.0.0.1]
        role == "web" IPV6 [fd00::1]
        """
            .formatted(rules(FROM_WEB)));
    state(
        "one address of which one is left",
        List.of(FAR_SAME_ADDRESS, DB, FROM_WEB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in default[from-web]Deny out  open
        rules GlobalNetworkPolicy from-web %s
        role == "web" IPV4 [10.0.0.1]
        role == "web" IPV6 []
        """
            .formatted(rules(FROM_WEB)));
    state(
        "labels changed so that nothing is selected",
        List.of(WEB, DB_AS_WEB, FROM_WEB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in  out  open
        endpoint n1.web.eth0 [10.0.0.1/32, fd00::1/128] in  out  open
        """);
    state(
        "equal selectors, written in two ways, share their sets",
        List.of(WEB, FROM_WEB_TO_ALL),
        """
        endpoint n1.web.eth0 [10.0.0.1/32, fd00::1/128] in default[from-web]Deny out  open
        rules GlobalNetworkPolicy from-web %s
        role == "web" IPV4 [10.0.0.1]
        role == "web" IPV6 [fd00::1]
        """
            .formatted(rules(FROM_WEB_TO_ALL)));
    state(
        "the same policy with another direction and selector",
        List.of(WEB, DB, FROM_DB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in  out default[from-web]Deny open
        endpoint n1.web.eth0 [10.0.0.1/32, fd00::1/128] in  out  open
        rules GlobalNetworkPolicy from-web %s
        role == "db" IPV4 [10.0.0.2]
        role == "db" IPV6 []
        """
            .formatted(rules(FROM_DB)));
    state(
        "order, then name, absent order last",
        List.of(DB, LAST, TIE, FIRST, FROM_WEB),
        """
        endpoint n1.db.eth0 [10.0.0.2/32] in default[from-web, z-tie, a-last]Deny out default[z-first, a-last]Deny open
        rules GlobalNetworkPolicy a-last %s
        rules GlobalNetworkPolicy from-web %s
        rules GlobalNetworkPolicy z-first %s
        rules GlobalNetworkPolicy z-tie %s
        role == "web" IPV4 []
        role == "web" IPV6 []
        """
            .formatted(rules(LAST), rules(FROM_WEB), rules(FIRST), rules(TIE)));
  }

  private static String rules(GlobalNetworkPolicy policy) {
    return policy.spec().ingress() + " / " + policy.spec().egress();
  }

  private static void state(String name, List<Resource> resources, String expected) {
    STATES.put(name, resources);
    EXPECTED.put(name, String.join("\n", new TreeSet<>(expected.lines().toList())));
  }

  @Test
  void statesForwards() {
    walk(List.copyOf(STATES.keySet()), new Random(1));
  }

  @Test
  void statesBackwards() {
    walk(List.copyOf(STATES.keySet()).reversed(), new Random(2));
  }

  @Test
  void statesShuffled() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      List<String> names = new ArrayList<>(STATES.keySet());
      Collections.shuffle(names, random);
      walk(names, random);
    }
  }

  @Test
  void statesPassedThroughUnobserved() {
    // Several states between two flushes: only the last may be seen.
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      PolicyCalculator calculator = new PolicyCalculator("n1");
      ToldState told = new ToldState();
      Map<String, Resource> current = new LinkedHashMap<>();
      List<String> names = new ArrayList<>(STATES.keySet());
      for (int i = 0; i < 12; i++) {
        String name = names.get(random.nextInt(names.size()));
        move(calculator, current, STATES.get(name), random);
        if (random.nextBoolean()) {
          calculator.flush(told);
          assertThat(told.text()).as("seed %s, %s", seed, name).isEqualTo(EXPECTED.get(name));
        }
      }
    }
  }

  @Test
  void whatIsToldAgainIsNotPassedOn() {
    PolicyCalculator calculator = new PolicyCalculator("n1");
    ToldState told = new ToldState();
    List<Resource> resources = STATES.get("order, then name, absent order last");
    resources.forEach(resource -> put(calculator, resource));
    calculator.flush(told);
    assertThat(told.takeEvents()).isPositive();
    resources.forEach(resource -> put(calculator, resource));
    calculator.flush(told);
    assertThat(told.takeEvents()).isZero();
  }

  @Test
  void aNewMemberIsOneEvent() {
    PolicyCalculator calculator = new PolicyCalculator("n1");
    ToldState told = new ToldState();
    List.of(WEB, DB, FROM_WEB).forEach(resource -> put(calculator, resource));
    for (int i = 0; i < 100; i++) {
      put(calculator, endpoint("n2", "w" + i, "wl" + i, Map.of("role", "web"), "10.1.0." + i));
    }
    calculator.flush(told);
    told.takeEvents();
    put(calculator, FAR_WEB);
    calculator.flush(told);
    assertThat(told.takeEvents()).isEqualTo(1);
  }

  private static void walk(List<String> names, Random random) {
    PolicyCalculator calculator = new PolicyCalculator("n1");
    ToldState told = new ToldState();
    Map<String, Resource> current = new LinkedHashMap<>();
    for (String name : names) {
      move(calculator, current, STATES.get(name), random);
      calculator.flush(told);
      assertThat(told.text()).as(name).isEqualTo(EXPECTED.get(name));
    }
    move(calculator, current, List.of(), random);
    calculator.flush(told);
    assertThat(told.text()).isEmpty();
    assertThat(calculator.localEndpoints()).isZero();
  }

  /** From the current resources to the wanted ones, in any order. */
  private static void move(
      PolicyCalculator calculator,
      Map<String, Resource> current,
      List<Resource> wanted,
      Random random) {
    Map<String, Resource> target = new LinkedHashMap<>();
    wanted.forEach(resource -> target.put(resource.kind() + "/" + resource.name(), resource));
    List<Runnable> steps = new ArrayList<>();
    target.values().forEach(resource -> steps.add(() -> put(calculator, resource)));
    current.forEach(
        (key, resource) -> {
          if (!target.containsKey(key)) {
            steps.add(() -> remove(calculator, resource));
          }
        });
    Collections.shuffle(steps, random);
    steps.forEach(Runnable::run);
    current.clear();
    current.putAll(target);
  }

  private static void put(PolicyCalculator calculator, Resource resource) {
    calculator.put(resource);
  }

  private static void remove(PolicyCalculator calculator, Resource resource) {
    calculator.remove(resource.kind(), resource.id());
  }
}

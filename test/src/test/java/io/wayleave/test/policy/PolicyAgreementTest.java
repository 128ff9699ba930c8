package io.wayleave.test.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Policy;
import io.wayleave.model.PolicySpec;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Picture;
import io.wayleave.test.policy.Agreement.Dispute;
import io.wayleave.test.policy.Agreement.Judge;
import io.wayleave.test.policy.NaiveEvaluator.Judgement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Those who say what policies mean say the same of random flows in random fleets: the evaluator
 * that reads the policies anew for each flow, the explanation, and the engine's calculation. Judges
 * that overlook something are found out, so that agreement means something.
 */
final class PolicyAgreementTest {
  private static final int FLOWS_PER_FLEET = 200;

  /** Enough for the rarest field to matter; most disputes arise in the first fleets. */
  private static final int FLEETS_TO_FIND_A_FAULT = 400;

  private static final int LEAST_RULES_OF_A_FIELD = 50;

  @Test
  void allJudgesAgree() {
    agree(100);
  }

  @Tag("full")
  @Test
  void allJudgesAgreeAtLength() {
    agree(500);
  }

  private static void agree(int fleets) {
    long seed = System.nanoTime();
    Agreement agreement = new Agreement(judges());
    long start = System.nanoTime();
    for (int i = 0; i < fleets; i++) {
      Optional<Dispute> dispute = agreement.compare(seed + i, FLOWS_PER_FLEET);
      assertThat(dispute.map(Dispute::toString)).as("disagreement").isEmpty();
    }
    System.out.printf(
        "policy agreement: seed=%d flows=%d denied=%d ms=%d rules by field=%s%n",
        seed,
        agreement.flows(),
        agreement.denied(),
        (System.nanoTime() - start) / 1_000_000,
        agreement.fields().counts());
    assertThat(agreement.flows()).isEqualTo(fleets * FLOWS_PER_FLEET);
    assertThat(agreement.denied()).isGreaterThan(agreement.flows() * 3 / 10);
    // As much must be open, or whoever denies everything would do well.
    assertThat(agreement.flows() - agreement.denied()).isGreaterThan(agreement.flows() * 2 / 10);
    assertThat(agreement.fields().rarerThan(LEAST_RULES_OF_A_FIELD)).isEmpty();
  }

  /** Each field of a rule, overlooked. */
  static Stream<Arguments> faultsInRules() {
    return RuleEdits.withoutEach().entrySet().stream()
        .map(
            edit ->
                Arguments.of(
                    edit.getKey(),
                    (UnaryOperator<Picture>) fleet -> RuleEdits.edit(fleet, edit.getValue())));
  }

  /** What else there is to overlook. */
  static Stream<Arguments> faultsInOrderAndDefaults() {
    return Stream.of(
        Arguments.of(
            "what agents say of their hosts",
            (UnaryOperator<Picture>) fleet -> fleet.withHosts(Map.of())),
        fault(
            "defaultAction of tiers",
            resource ->
                resource instanceof Tier tier
                    ? new Tier(
                        tier.metadata(),
                        new Tier.Spec(tier.spec().order(), Tier.DefaultAction.Deny))
                    : resource),
        fault(
            "order of tiers",
            resource ->
                resource instanceof Tier tier
                    ? new Tier(
                        tier.metadata(),
                        new Tier.Spec(Optional.of(1.0), tier.spec().defaultAction()))
                    : resource),
        fault(
            "order of policies",
            resource ->
                resource instanceof Policy policy
                    ? RuleEdits.withSpec(policy, withoutOrder(policy.spec()))
                    : resource),
        fault(
            "namespaceSelector of policies",
            resource ->
                resource instanceof Policy policy
                    ? RuleEdits.withSpec(policy, withoutNamespaceSelector(policy.spec()))
                    : resource),
        fault(
            "labels of profiles",
            resource ->
                resource instanceof Profile profile
                    ? new Profile(
                        profile.metadata(),
                        new Profile.Spec(
                            profile.spec().ingress(), profile.spec().egress(), Map.of()))
                    : resource),
        fault(
            "rules of profiles",
            resource ->
                resource instanceof Profile profile
                    ? new Profile(
                        profile.metadata(),
                        new Profile.Spec(List.of(), List.of(), profile.spec().labelsToApply()))
                    : resource),
        fault(
            "labels of namespaces",
            resource ->
                resource instanceof WorkloadEndpoint endpoint
                    ? withoutNamespaceLabels(endpoint)
                    : resource));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"faultsInRules", "faultsInOrderAndDefaults"})
  void whoOverlooksSomethingIsFoundOut(String what, UnaryOperator<Picture> overlooked) {
    Judge faulty = fleet -> new NaiveEvaluator(overlooked.apply(fleet))::judge;
    Agreement agreement =
        new Agreement(Map.of("naive", PolicyAgreementTest::naive, "faulty", faulty));
    Optional<Dispute> dispute =
        Stream.iterate(1L, seed -> seed + 1)
            .limit(FLEETS_TO_FIND_A_FAULT)
            .flatMap(seed -> agreement.compare(seed, FLOWS_PER_FLEET).stream())
            .findFirst();
    assertThat(dispute).as("a dispute over " + what).isPresent();
    // What is left of the fleet is to be read by people.
    assertThat(RandomFleet.rules(dispute.get().fleet())).hasSizeLessThanOrEqualTo(3);
  }

  private static Map<String, Judge> judges() {
    EngineJudge engine = new EngineJudge(FleetLayout.twoHosts());
    return Map.of(
        "naive",
        PolicyAgreementTest::naive,
        "explain",
        PolicyAgreementTest::explain,
        "engine",
        engine::tell);
  }

  private static Function<Flow, Judgement> naive(Picture fleet) {
    return new NaiveEvaluator(fleet)::judge;
  }

  private static Function<Flow, Judgement> explain(Picture fleet) {
    return flow -> ExplainJudge.judge(fleet, flow);
  }

  private static Arguments fault(String what, UnaryOperator<Resource> edit) {
    return Arguments.of(what, (UnaryOperator<Picture>) fleet -> Fleets.edit(fleet, edit));
  }

  private static PolicySpec withoutOrder(PolicySpec spec) {
    return new PolicySpec(
        spec.tier(),
        Optional.empty(),
        spec.selector(),
        spec.namespaceSelector(),
        spec.types(),
        spec.ingress(),
        spec.egress(),
        spec.stagedAction());
  }

  private static PolicySpec withoutNamespaceSelector(PolicySpec spec) {
    return new PolicySpec(
        spec.tier(),
        spec.order(),
        spec.selector(),
        Optional.empty(),
        spec.types(),
        spec.ingress(),
        spec.egress(),
        spec.stagedAction());
  }

  private static WorkloadEndpoint withoutNamespaceLabels(WorkloadEndpoint endpoint) {
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
            spec.profiles(),
            spec.ports(),
            Map.of()));
  }
}

package io.wayleave.test.policy;

import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.Picture;
import io.wayleave.test.policy.NaiveEvaluator.Judgement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Asks several judges about the same flows, and makes the first fleet small over which they differ.
 * NOT thread safe.
 */
final class Agreement {
  /** Reads a fleet once and then judges flows in it. */
  interface Judge extends Function<Picture, Function<Flow, Judgement>> {}

  private final Map<String, Judge> judges;
  private final RuleFields fields = new RuleFields();
  private int flows;
  private int denied;

  Agreement(Map<String, Judge> judges) {
    this.judges = new LinkedHashMap<>(judges);
  }

  int flows() {
    return flows;
  }

  int denied() {
    return denied;
  }

  RuleFields fields() {
    return fields;
  }

  /**
   * A fleet and a flow that the judges do not agree on, made small.
   *
   * @param answers what each said
   */
  record Dispute(long seed, Picture fleet, Flow flow, Map<String, Judgement> answers) {
    @Override
    public String toString() {
      return "seed "
          + seed
          + ": "
          + flow
          + "\n"
          + answers.entrySet().stream()
              .map(answer -> answer.getKey() + ": " + answer.getValue())
              .collect(Collectors.joining("\n"))
          + "\n"
          + Fleets.resources(fleet).stream()
              .map(ResourceCodec::toYaml)
              .collect(Collectors.joining("---\n"));
    }
  }

  /** Compares over one random fleet; the first dispute ends it. */
  Optional<Dispute> compare(long seed, int count) {
    RandomFleet fleet = new RandomFleet(seed, FleetLayout.twoHosts());
    fields.add(RandomFleet.rules(fleet.picture()));
    Map<String, Function<Flow, Judgement>> asked = new LinkedHashMap<>();
    judges.forEach((name, judge) -> asked.put(name, judge.apply(fleet.picture())));
    for (int i = 0; i < count; i++) {
      Flow flow = fleet.nextFlow();
      Map<String, Judgement> answers = new LinkedHashMap<>();
      asked.forEach((name, judge) -> answers.put(name, judge.apply(flow)));
      flows++;
      if (!answers.values().iterator().next().allowed()) {
        denied++;
      }
      if (differ(answers)) {
        Picture small =
            Minimiser.minimise(fleet.picture(), flow, other -> differ(answers(other, flow)));
        return Optional.of(new Dispute(seed, small, flow, answers(small, flow)));
      }
    }
    return Optional.empty();
  }

  private Map<String, Judgement> answers(Picture fleet, Flow flow) {
    Map<String, Judgement> answers = new LinkedHashMap<>();
    judges.forEach((name, judge) -> answers.put(name, judge.apply(fleet).apply(flow)));
    return answers;
  }

  private static boolean differ(Map<String, Judgement> answers) {
    return answers.values().stream().distinct().count() > 1;
  }
}

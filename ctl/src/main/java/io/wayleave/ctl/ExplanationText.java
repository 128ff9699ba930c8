package io.wayleave.ctl;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Kind;
import io.wayleave.model.PolicySpec.StagedAction;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.Explanation;
import io.wayleave.model.policy.Explanation.Outcome;
import io.wayleave.model.policy.Explanation.Place;
import io.wayleave.model.policy.Explanation.StagedEffect;
import io.wayleave.model.policy.Explanation.Verdict;
import io.wayleave.model.policy.Question;
import io.wayleave.model.policy.Walk;
import io.wayleave.model.policy.Walk.Decision;
import io.wayleave.model.policy.Walk.RuleStep;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** An {@link Explanation} for people and for programs. Rules are counted from 1 for people. */
final class ExplanationText {
  private ExplanationText() {}

  static String text(Explanation explanation) {
    StringBuilder text = new StringBuilder();
    Question question = explanation.question();
    text.append(
        new Table("PACKET", packet(question))
            .row("from", question.from().address() + ", " + place(explanation.from()))
            .row("to", question.to().address() + ", " + place(explanation.to()))
            .text());
    explanation.egress().ifPresent(walk -> walk(walk, text));
    explanation.ingress().ifPresent(walk -> walk(walk, text));
    text.append('\n').append("verdict: ").append(explanation.verdict()).append('\n');
    reasons(explanation.egress(), explanation.ingress())
        .forEach(reason -> text.append("  ").append(reason).append('\n'));
    explanation.notes().forEach(note -> text.append("  ").append(note.text()).append('\n'));
    if (!explanation.staged().isEmpty()) {
      text.append('\n').append("staged policies\n");
      explanation.staged().forEach(effect -> text.append("  ").append(staged(effect)).append('\n'));
      explanation
          .withAllStaged()
          .filter(_ -> explanation.staged().size() > 1)
          .ifPresent(
              all ->
                  text.append("  all of them in force: ")
                      .append(change(all.verdict() != explanation.verdict(), all))
                      .append('\n'));
    }
    return text.toString();
  }

  static ObjectNode tree(Explanation explanation) {
    ObjectNode tree = ResourceCodec.jsonMapper().createObjectNode();
    Question question = explanation.question();
    tree.put("verdict", explanation.verdict().toString());
    tree.put("packet", packet(question));
    tree.put("from", question.from().address() + ", " + place(explanation.from()));
    tree.put("to", question.to().address() + ", " + place(explanation.to()));
    explanation.egress().ifPresent(walk -> walk(walk, tree.putObject("egress")));
    explanation.ingress().ifPresent(walk -> walk(walk, tree.putObject("ingress")));
    ArrayNode notes = tree.putArray("notes");
    explanation.notes().forEach(note -> notes.add(note.text()));
    ArrayNode staged = tree.putArray("staged");
    for (StagedEffect effect : explanation.staged()) {
      staged
          .addObject()
          .put("kind", effect.kind().title())
          .put("name", effect.id())
          .put("action", effect.action().toString())
          .put("verdict", effect.outcome().verdict().toString())
          .put("changesVerdict", effect.changesVerdict());
    }
    explanation
        .withAllStaged()
        .ifPresent(all -> tree.put("verdictWithAllStaged", all.verdict().toString()));
    return tree;
  }

  private static void walk(Walk walk, ObjectNode into) {
    into.put("endpoint", walk.endpoint());
    into.put("verdict", walk.verdict().toString());
    into.put("decidedBy", decision(walk));
    ArrayNode tiers = into.putArray("tiers");
    for (Walk.TierStep tier : walk.tiers()) {
      ObjectNode step = tiers.addObject().put("tier", tier.tier());
      step.put("stored", tier.stored());
      step.put("result", tier.result().toString());
      ArrayNode policies = step.putArray("policies");
      for (Walk.PolicyStep policy : tier.policies()) {
        ObjectNode asked =
            policies.addObject().put("kind", policy.kind().title()).put("name", policy.id());
        asked.put("result", policy.result().toString());
        rules(policy.rules(), asked.putArray("rules"));
      }
    }
    ArrayNode profiles = into.putArray("profiles");
    for (Walk.ProfileStep profile : walk.profiles()) {
      ObjectNode asked = profiles.addObject().put("name", profile.name());
      asked.put("stored", profile.stored());
      asked.put("result", profile.result().toString());
      rules(profile.rules(), asked.putArray("rules"));
    }
  }

  private static void rules(List<RuleStep> rules, ArrayNode into) {
    for (RuleStep rule : rules) {
      ObjectNode step = into.addObject();
      step.put("rule", rule.index() + 1);
      step.put("action", rule.action().toString());
      step.put("matched", rule.matched());
      ArrayNode mismatches = step.putArray("mismatches");
      rule.mismatches()
          .forEach(
              mismatch ->
                  mismatches.addObject().put("field", mismatch.field()).put("why", mismatch.why()));
    }
  }

  private static void walk(Walk walk, StringBuilder into) {
    into.append('\n')
        .append(walk.direction())
        .append(" of ")
        .append(Names.of(walk.kind(), walk.endpoint()))
        .append('\n');
    for (Walk.TierStep tier : walk.tiers()) {
      into.append("  tier ")
          .append(tier.tier())
          .append(tier.stored() || tier.tier().equals("default") ? "" : " (not stored)")
          .append('\n');
      for (Walk.PolicyStep policy : tier.policies()) {
        into.append("    ").append(Names.of(policy.kind(), policy.id())).append('\n');
        rules(policy.rules(), into);
      }
      if (tier.policies().stream().allMatch(p -> p.result() == Walk.Result.UNDECIDED)) {
        into.append("    no rule matches: ").append(tier.defaultAction()).append('\n');
      }
    }
    for (Walk.ProfileStep profile : walk.profiles()) {
      into.append("  ")
          .append(Names.of(Kind.PROFILE, profile.name()))
          .append(profile.stored() ? "" : " (not stored: matches nothing)")
          .append('\n');
      rules(profile.rules(), into);
    }
    into.append("  ").append(walk.verdict()).append(": ").append(decision(walk)).append('\n');
  }

  private static void rules(List<RuleStep> rules, StringBuilder into) {
    for (RuleStep rule : rules) {
      into.append("      rule ").append(rule.index() + 1).append(", ").append(rule.action());
      into.append(rule.matched() ? ": matches" : ": no");
      into.append(
          rule.mismatches().stream()
              .map(mismatch -> ", " + mismatch.field() + ": " + mismatch.why())
              .reduce("", String::concat));
      into.append('\n');
    }
  }

  private static Stream<String> reasons(Optional<Walk> egress, Optional<Walk> ingress) {
    return Stream.of(egress, ingress)
        .flatMap(Optional::stream)
        .map(
            walk ->
                walk.direction()
                    + " of "
                    + walk.endpoint()
                    + ": "
                    + walk.verdict()
                    + ", "
                    + decision(walk));
  }

  private static String decision(Walk walk) {
    return switch (walk.decision()) {
      case Decision.ByRule(Kind kind, String id, int index, Verdict _) ->
          "by rule " + (index + 1) + " of " + Names.of(kind, id);
      case Decision.ByTier(String tier) -> "by the default action of tier " + tier;
      case Decision.ByProfiles(boolean named, Verdict verdict) ->
          verdict == Verdict.ALLOW
              ? "no policy decides, and the endpoint names no profile"
              : named
                  ? "no policy decides, and no profile of the endpoint allows it"
                  : "no policy decides, and a host endpoint without profiles is closed";
      case Decision.ByFailsafe failsafe ->
          "by the failsafe port " + failsafe.port().protocol() + " " + failsafe.port().port();
    };
  }

  private static String staged(StagedEffect effect) {
    return Names.of(effect.kind(), effect.id())
        + (effect.action() == StagedAction.Delete
            ? " would delete its policy"
            : effect.inForce() ? " would replace its policy" : " would be a new policy")
        + ": "
        + change(effect.changesVerdict(), effect.outcome());
  }

  private static String change(boolean changes, Outcome outcome) {
    return (changes ? "the verdict would become " : "the verdict would stay ")
        + outcome.verdict()
        + " ("
        + String.join("; ", reasons(outcome.egress(), outcome.ingress()).toList())
        + ")";
  }

  private static String packet(Question question) {
    return question.protocol()
        + question.icmp().map(icmp -> " " + icmp).orElse("")
        + (question.protocol().hasPorts()
            ? " from port " + question.sourcePort() + " to port " + question.port()
            : "");
  }

  private static String place(Place place) {
    return switch (place) {
      case Place.Workload(String endpoint, String node) -> "endpoint " + endpoint + " on " + node;
      case Place.Host(String node, Optional<String> hostEndpoint) ->
          "host " + node + hostEndpoint.map(id -> ", host endpoint " + id).orElse("");
      case Place.Outside() -> "outside";
    };
  }
}

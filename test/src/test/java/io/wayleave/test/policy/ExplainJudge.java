package io.wayleave.test.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Protocol;
import io.wayleave.model.policy.Explanation;
import io.wayleave.model.policy.Explanation.Note;
import io.wayleave.model.policy.Explanation.Verdict;
import io.wayleave.model.policy.Picture;
import io.wayleave.model.policy.Question;
import io.wayleave.model.policy.Question.End;
import io.wayleave.model.policy.Question.IcmpMessage;
import io.wayleave.test.policy.Flow.Place;
import io.wayleave.test.policy.NaiveEvaluator.Judgement;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** What {@code netctl policy explain} would say of a flow. */
final class ExplainJudge {
  private ExplainJudge() {}

  static Judgement judge(Picture fleet, Flow flow) {
    Explanation explanation = Explanation.explain(fleet, question(flow));
    Judgement judgement =
        new Judgement(
            explanation.egress().map(walk -> walk.verdict() == Verdict.ALLOW),
            explanation.ingress().map(walk -> walk.verdict() == Verdict.ALLOW),
            Collections.disjoint(
                explanation.notes(),
                List.of(Note.WORKLOAD_TO_OWN_HOST_DROP, Note.NOT_ITS_ADDRESS)));
    assertThat(explanation.verdict() == Verdict.ALLOW)
        .as("verdict on " + flow)
        .isEqualTo(judgement.allowed());
    return judgement;
  }

  static Question question(Flow flow) {
    return new Question(
        new End(flow.source(), endpoint(flow.from())),
        new End(flow.destination(), endpoint(flow.to())),
        Protocol.of(flow.protocol()),
        flow.sourcePort(),
        flow.destinationPort(),
        flow.isIcmp()
            ? Optional.of(new IcmpMessage(flow.icmpType(), flow.icmpCode()))
            : Optional.empty());
  }

  private static Optional<String> endpoint(Place place) {
    return switch (place) {
      case Place.Container(String name) -> Optional.of(name);
      case Place.Host(_, Optional<String> name) -> name;
      case Place.Outside _ -> Optional.empty();
    };
  }
}

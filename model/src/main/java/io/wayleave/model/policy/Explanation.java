package io.wayleave.model.policy;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Kind;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicySpec.StagedAction;
import java.util.List;
import java.util.Optional;

/**
 * Why a packet passes or does not: what its sender's egress and its receiver's ingress ask, in
 * order, which rule decides, why the others did not match, and what each staged policy would have
 * changed. Pure: it speaks of what is stored, not of what is programmed in a kernel. Immutable.
 *
 * <p>It speaks of the packet that opens a flow. Answers pass with the flow that they belong to.
 *
 * @param from what is at the sender's end
 * @param to what is at the receiver's end
 * @param egress what the sender's policies say; empty when none are asked
 * @param ingress what the receiver's policies say; empty when none are asked
 * @param notes what else must be known of the path
 * @param verdict denied when either end denies
 * @param staged what each staged policy would do alone, by kind and id
 * @param withAllStaged what all staged policies would do together; empty when there are none
 */
public record Explanation(
    Question question,
    Place from,
    Place to,
    Optional<Walk> egress,
    Optional<Walk> ingress,
    List<Note> notes,
    Verdict verdict,
    List<StagedEffect> staged,
    Optional<Outcome> withAllStaged) {
  public Explanation {
    notes = List.copyOf(notes);
    staged = List.copyOf(staged);
  }

  /** What becomes of a packet. */
  public enum Verdict {
    ALLOW,
    DENY;

    /** Both must allow. */
    Verdict and(Verdict other) {
      return this == ALLOW ? other : DENY;
    }
  }

  /** What is at one end. */
  public sealed interface Place {
    /** A container's interface, on a host of that name. */
    record Workload(String endpoint, String node) implements Place {}

    /**
     * A host itself.
     *
     * @param hostEndpoint the one that governs its traffic by that address; empty when none does
     */
    record Host(String node, Optional<String> hostEndpoint) implements Place {}

    /** Nothing that is known here. */
    record Outside() implements Place {}
  }

  /** What must be known of the path beside policies. */
  public enum Note {
    LOCAL("the packet does not leave its sender, so no policy is asked"),
    HOST_TO_OWN_WORKLOAD("a host may always reach its own containers"),
    WORKLOAD_TO_OWN_HOST(
        "after the container's egress, the agent's workloadToHostAction and the host's own rules"
            + " decide"),
    NOT_ITS_ADDRESS(
        "a container sends from its own addresses only: all else is dropped before any policy"),
    NEIGHBOUR_DISCOVERY("neighbour discovery is always allowed on the link (hop limit 255)"),
    WORKLOAD_TO_OWN_HOST_RETURN(
        "after the container's egress, the host's own rules decide (workloadToHostAction: Return)"),
    WORKLOAD_TO_OWN_HOST_ACCEPT(
        "what the container's egress allows, its host takes in, whatever its own rules say"
            + " (workloadToHostAction: Accept)"),
    WORKLOAD_TO_OWN_HOST_DROP(
        "a container opens no flow to its own host (workloadToHostAction: Drop)"),
    NO_HOST_ENDPOINT("no host endpoint governs the host, so it is open"),
    OTHER_HOST_ENDPOINTS(
        "by which of the host's interfaces the packet goes is not known, and another host endpoint"
            + " may govern that: ask with the name of the host endpoint"),
    USUAL_FAILSAFE_PORTS(
        "no agent says what failsafe ports the host has: the usual ones are taken for them");

    private final String text;

    Note(String text) {
      this.text = text;
    }

    /** One sentence without a full stop. */
    public String text() {
      return text;
    }
  }

  /** Both ends' answers and what follows from them. */
  public record Outcome(Optional<Walk> egress, Optional<Walk> ingress, Verdict verdict) {}

  /**
   * What a staged policy would change if it alone were put into force.
   *
   * @param kind StagedNetworkPolicy or StagedGlobalNetworkPolicy
   * @param id as {@link io.wayleave.model.Resource#id}
   * @param action what it would do
   * @param inForce whether a policy in force has its name, which it would replace or delete
   * @param outcome what the packet would meet
   * @param changesVerdict whether the outcome differs from the verdict in force
   */
  public record StagedEffect(
      Kind kind,
      String id,
      StagedAction action,
      boolean inForce,
      Outcome outcome,
      boolean changesVerdict) {}

  /**
   * Explains one packet.
   *
   * @throws io.wayleave.model.InvalidInputException when an end names an endpoint that is not in
   *     the picture
   */
  public static Explanation explain(Picture picture, Question question) {
    requireNonNull(question, "question is null");
    Path path = Path.of(picture, question);
    Outcome now = path.walk(picture);
    List<StagedEffect> effects =
        picture.stagedPolicies().stream()
            .sorted(Staging.ORDER)
            .map(staged -> effect(picture, path, now, staged))
            .toList();
    return new Explanation(
        question,
        path.from(),
        path.to(),
        now.egress(),
        now.ingress(),
        path.notes(),
        now.verdict(),
        effects,
        effects.isEmpty()
            ? Optional.empty()
            : Optional.of(path.walk(Staging.apply(picture, picture.stagedPolicies()))));
  }

  private static StagedEffect effect(Picture picture, Path path, Outcome now, Policy staged) {
    Outcome then = path.walk(Staging.apply(picture, List.of(staged)));
    return new StagedEffect(
        staged.kind(),
        staged.id(),
        Staging.action(staged),
        Staging.inForce(picture, staged),
        then,
        then.verdict() != now.verdict());
  }
}

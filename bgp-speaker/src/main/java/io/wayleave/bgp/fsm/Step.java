package io.wayleave.bgp.fsm;

import java.util.List;

/** The outcome of one event: the state that follows and what to do, in order. */
public record Step(State next, List<Action> actions) {
  public Step {
    actions = List.copyOf(actions);
  }

  static Step to(State next, Action... actions) {
    return new Step(next, List.of(actions));
  }
}

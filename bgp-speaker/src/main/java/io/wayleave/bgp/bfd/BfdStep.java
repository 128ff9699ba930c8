package io.wayleave.bgp.bfd;

import static java.util.Objects.requireNonNull;

import java.util.List;

/** Outcome of an event: the next state, and what to do in this order. */
record BfdStep(BfdState next, List<BfdAction> actions) {
  BfdStep {
    requireNonNull(next, "next is null");
    actions = List.copyOf(actions);
  }
}

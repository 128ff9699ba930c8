package io.wayleave.policy.dataplane;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.policy.calc.RuleBlock;
import java.util.List;
import java.util.Optional;

/**
 * The chain of a block of rules, and whose packets each of its rules counts.
 *
 * @param actsFor for each rule of the chain, as {@link PolicyRenderer.Rendering#actsFor}
 * @param closed why the chain denies everything in place of its rules, if it does
 */
record CountedChain(
    RuleBlock block,
    Direction direction,
    Family family,
    String name,
    List<Integer> actsFor,
    Optional<String> closed) {
  CountedChain {
    actsFor = List.copyOf(actsFor);
  }
}

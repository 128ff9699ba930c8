package io.wayleave.bgp;

import io.wayleave.model.InvalidInputException;

/**
 * How best paths are chosen among several. MEDs are compared within each neighbour AS first
 * ("deterministic MED"), so that the choice never depends on the order of arrival.
 *
 * @param maximumPaths how many equal paths a route may use at once; 1 turns ECMP off
 * @param asPathRelax paths of equal AS path length through different neighbour ASes count as equal.
 *     On by default: a host's two ToRs usually have an AS each (RFC 7938 section 5.2)
 * @param alwaysCompareMed the MEDs of different neighbour ASes are compared too, which RFC 4271
 *     section 9.1.2.2 c) does not do
 */
public record PathSelection(int maximumPaths, boolean asPathRelax, boolean alwaysCompareMed) {
  public static final PathSelection DEFAULT = new PathSelection(16, true, false);

  public PathSelection {
    if (maximumPaths < 1 || maximumPaths > 256) {
      throw new InvalidInputException("maximumPaths", Integer.toString(maximumPaths), "1 to 256");
    }
  }
}

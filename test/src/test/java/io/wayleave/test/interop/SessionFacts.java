package io.wayleave.test.interop;

import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * A session as one speaker's own CLI shows it.
 *
 * @param established whether it is up
 * @param peerAsn the peer's AS
 * @param offered what the speaker itself put into its OPEN, as far as it tells
 * @param heard what the peer's OPEN had, as far as the speaker tells
 * @param reasons all that the speaker says of why the session is or was down
 */
record SessionFacts(
    boolean established,
    long peerAsn,
    Set<Capability> offered,
    Set<Capability> heard,
    NavigableSet<String> reasons) {
  static final SessionFacts ABSENT =
      new SessionFacts(false, 0, Set.of(), Set.of(), new TreeSet<>());

  SessionFacts {
    offered = Set.copyOf(offered);
    heard = Set.copyOf(heard);
    reasons = new TreeSet<>(reasons);
  }
}

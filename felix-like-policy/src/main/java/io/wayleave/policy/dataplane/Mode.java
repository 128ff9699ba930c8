package io.wayleave.policy.dataplane;

/** How far a write may go. */
public enum Mode {
  /**
   * Before the datastore is in-sync: what is missing of the frame is added, so that unknown
   * interfaces of ours are dropped, and everything that an earlier agent left stays as it is.
   */
  ADOPT,
  /** Everything is made as desired, and what is ours and not desired is deleted. */
  FULL
}

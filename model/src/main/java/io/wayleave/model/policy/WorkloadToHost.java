package io.wayleave.model.policy;

/** What becomes of packets of a container, allowed by its egress policy, that are for its host. */
public enum WorkloadToHost {
  /** The host's own rules decide. */
  Return,
  /** They are taken in, whatever the host's own rules say. */
  Accept,
  /** They are dropped, but for answers. */
  Drop
}

package io.wayleave.model;

/** The way of a packet, seen from the endpoint whose policy is asked. */
public enum Direction {
  /** Towards the endpoint. */
  Ingress,
  /** From the endpoint. */
  Egress
}

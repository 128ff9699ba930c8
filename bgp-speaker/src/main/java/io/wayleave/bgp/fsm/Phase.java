package io.wayleave.bgp.fsm;

/** The name of a state, for people. */
public enum Phase {
  IDLE("Idle"),
  CONNECT("Connect"),
  ACTIVE("Active"),
  OPEN_SENT("OpenSent"),
  OPEN_CONFIRM("OpenConfirm"),
  ESTABLISHED("Established");

  private final String text;

  Phase(String text) {
    this.text = text;
  }

  /** As RFC 4271 writes it. */
  @Override
  public String toString() {
    return text;
  }
}

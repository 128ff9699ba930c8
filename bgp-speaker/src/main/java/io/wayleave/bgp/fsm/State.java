package io.wayleave.bgp.fsm;

import static java.util.Objects.requireNonNull;

/**
 * The six states of RFC 4271 section 8.2.2. Data that exists in one state only lives in that
 * state's record; the connection and the timers belong to the owner.
 */
public sealed interface State {
  /** ConnectRetryCounter: attempts that failed in a row. */
  int failures();

  Phase phase();

  /**
   * No connection, and none is accepted.
   *
   * @param held whether the IdleHoldTimer runs and will start the session again; otherwise only
   *     {@link Event.Start} does
   */
  record Idle(int failures, boolean held) implements State {
    @Override
    public Phase phase() {
      return Phase.IDLE;
    }
  }

  /** Our dial is under way. */
  record Connect(int failures) implements State {
    @Override
    public Phase phase() {
      return Phase.CONNECT;
    }
  }

  /** Waiting for the peer's connection, or for the ConnectRetryTimer to dial again. */
  record Active(int failures) implements State {
    @Override
    public Phase phase() {
      return Phase.ACTIVE;
    }
  }

  record OpenSent(int failures) implements State {
    @Override
    public Phase phase() {
      return Phase.OPEN_SENT;
    }
  }

  record OpenConfirm(int failures, Negotiated negotiated) implements State {
    public OpenConfirm {
      requireNonNull(negotiated, "negotiated is null");
    }

    @Override
    public Phase phase() {
      return Phase.OPEN_CONFIRM;
    }
  }

  /**
   * Routes are exchanged.
   *
   * @param sinceNanos the owner's monotonic time when the session came up
   */
  record Established(int failures, Negotiated negotiated, long sinceNanos) implements State {
    public Established {
      requireNonNull(negotiated, "negotiated is null");
    }

    @Override
    public Phase phase() {
      return Phase.ESTABLISHED;
    }
  }
}

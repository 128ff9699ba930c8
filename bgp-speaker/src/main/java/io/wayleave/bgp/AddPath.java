package io.wayleave.bgp;

import io.wayleave.model.InvalidInputException;

/**
 * Several paths to one prefix on one session (RFC 7911), for every family of the session.
 *
 * @param receive whether the peer may send several
 * @param send how many of the best paths the peer is sent, where it takes them; 1 turns it off
 */
public record AddPath(boolean receive, int send) {
  public static final AddPath OFF = new AddPath(false, 1);

  /** For {@code send}: every usable path. */
  public static final int ALL = 255;

  public AddPath {
    if (send < 1 || send > ALL) {
      throw new InvalidInputException("send", Integer.toString(send), "1 to " + ALL);
    }
  }

  /** Whether the peer is offered more than the best path. */
  public boolean sends() {
    return send > 1;
  }
}

package io.wayleave.test.interop;

import java.util.Set;

/**
 * A BGP speaker of a cell, ours or a daemon, driven and asked through what it offers its own users.
 * Used by the one thread of its cell.
 */
interface Speaker extends AutoCloseable {
  /** Starts with a configuration; may be called again after {@link #kill}. */
  void start(Setup setup);

  SessionFacts session();

  /** The routes that the peer has told, with attributes. */
  Set<Route> received();

  /**
   * The routes that the peer was told, as far as the speaker shows them; see {@link Route#payload}.
   */
  Set<Route> sent();

  /** Asks the peer to send its routes again. */
  void refresh();

  /** How many UPDATE messages came from the peer so far. */
  long updatesReceived();

  /** Takes the session down by its operator's command, with a text for the peer's operator. */
  void shutdown(String text);

  /** Ends as a crash does: SIGKILL. */
  void kill();

  /** What may explain a failure: logs and the CLI's own output. */
  String evidence();

  @Override
  void close();
}

package io.wayleave.bgp.bfd;

/** What can happen to a session. */
sealed interface BfdEvent {
  /** A packet that was found to belong to it. */
  record Received(BfdPacket packet) implements BfdEvent {}

  /** {@link BfdState#wakeAt} has come; harmless before it. */
  record Time() implements BfdEvent {}

  /** An administrator takes it down. */
  record Disabled() implements BfdEvent {}

  /** An administrator lets it work again. */
  record Enabled() implements BfdEvent {}

  /** The settings given with this step are new. */
  record Reconfigured() implements BfdEvent {}
}

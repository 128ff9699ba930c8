package io.wayleave.bgp.bfd;

/** What a step asks for. */
sealed interface BfdAction {
  record Send(BfdPacket packet) implements BfdAction {}

  /**
   * The session went to another phase; the new one is in the state.
   *
   * @param remote what the peer said last before it
   */
  record Changed(BfdPhase former, BfdPhase phase, Diagnostic diagnostic, BfdState.Remote remote)
      implements BfdAction {}
}

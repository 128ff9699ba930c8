package io.wayleave.bgp;

import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;
import java.util.List;

/**
 * A speaker at one moment.
 *
 * @param converged whether {@link RouteListener#converged} was told
 * @param waitingFor names of the peers whose End-of-RIB is still waited for
 * @param listening addresses that are bound
 * @param listenErrors addresses that could not be bound, and why
 * @param originated how many routes are originated here
 */
public record SpeakerStatus(
    RouterId routerId,
    Asn asNumber,
    boolean converged,
    List<String> waitingFor,
    List<ListenAddress> listening,
    List<String> listenErrors,
    int originated,
    List<PeerStatus> peers) {
  public SpeakerStatus {
    waitingFor = List.copyOf(waitingFor);
    listening = List.copyOf(listening);
    listenErrors = List.copyOf(listenErrors);
    peers = List.copyOf(peers);
  }
}

package io.wayleave.bgp.bfd;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;

/**
 * A session as it is now.
 *
 * @param diagnostic why {@code phase} changed last
 * @param remotePhase as the peer said last, DOWN when it is not heard
 * @param localDiscriminator unsigned
 * @param remoteDiscriminator unsigned, 0 when the peer is not heard
 * @param transmitInterval between our packets, before jitter
 * @param detectionTime silence of the peer for this long is a failure; zero when it is not heard
 * @param problem why nothing can be sent or received now, if so
 */
public record BfdStatus(
    BfdEndpoint endpoint,
    BfdPhase phase,
    Diagnostic diagnostic,
    BfdPhase remotePhase,
    Diagnostic remoteDiagnostic,
    int localDiscriminator,
    int remoteDiscriminator,
    Duration transmitInterval,
    Duration detectionTime,
    int remoteMultiplier,
    long packetsSent,
    long packetsReceived,
    Optional<String> problem) {
  public BfdStatus {
    requireNonNull(endpoint, "endpoint is null");
    requireNonNull(phase, "phase is null");
    requireNonNull(diagnostic, "diagnostic is null");
    requireNonNull(remotePhase, "remotePhase is null");
    requireNonNull(remoteDiagnostic, "remoteDiagnostic is null");
    requireNonNull(transmitInterval, "transmitInterval is null");
    requireNonNull(detectionTime, "detectionTime is null");
    requireNonNull(problem, "problem is null");
  }

  BfdStatus withProblem(String text) {
    return new BfdStatus(
        endpoint,
        phase,
        diagnostic,
        remotePhase,
        remoteDiagnostic,
        localDiscriminator,
        remoteDiscriminator,
        transmitInterval,
        detectionTime,
        remoteMultiplier,
        packetsSent,
        packetsReceived,
        Optional.of(text));
  }
}

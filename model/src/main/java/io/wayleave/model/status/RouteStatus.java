package io.wayleave.model.status;

import java.util.List;

/**
 * One route of the agent: the answer of {@code GET /v1/routes} is a list of these.
 *
 * @param destination the network
 * @param nextHops gateways, more than one for equal-cost paths; empty for local and blackhole
 *     routes
 * @param interfaceName of a local route, else empty
 * @param source {@code local}, {@code learned} or {@code blackhole}
 * @param state {@code programmed}, or why it is not
 */
public record RouteStatus(
    String destination, List<String> nextHops, String interfaceName, String source, String state) {}

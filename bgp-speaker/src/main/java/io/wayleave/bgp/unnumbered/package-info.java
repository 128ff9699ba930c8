/**
 * Finds the router at the other end of a link by router advertisements (RFC 4861), so that a peer
 * needs no configured address: each side advertises itself, and takes the link-local address that
 * the other's advertisements come from. What is sent there is the affair of the session.
 *
 * <p>{@code RouterMessage} is the codec, {@code LinkDiscovery} the behaviour on one interface
 * without I/O, {@link io.wayleave.bgp.unnumbered.NeighbourDiscovery} the thread with the sockets.
 *
 * <p>The advertisements carry a router lifetime of 0: this host is somebody to speak BGP with, not
 * a default router for others on the link. They carry no prefixes.
 */
package io.wayleave.bgp.unnumbered;

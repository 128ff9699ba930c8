/**
 * Bidirectional forwarding detection (RFC 5880) between direct neighbours (RFC 5881): asynchronous
 * mode, single hop, IPv4 and IPv6.
 *
 * <p>{@link io.wayleave.bgp.bfd.BfdMachine} is the protocol as a pure step; {@code BfdSessions}
 * runs many of them without I/O; {@link io.wayleave.bgp.bfd.BfdService} is the thread with the
 * sockets and the only door for the rest of the speaker.
 *
 * <p>Not here: authentication (a packet with it is refused), demand mode of our own, echo, several
 * hops (RFC 5883). The C bit is always 0: this runs in the same process as BGP, so when it is gone,
 * BGP is gone too, while the kernel goes on forwarding (RFC 5882 section 4.3.2).
 */
package io.wayleave.bgp.bfd;

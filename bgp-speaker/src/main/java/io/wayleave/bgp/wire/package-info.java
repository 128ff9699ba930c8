/**
 * BGP on the wire: bytes to messages and back, for IPv4 and IPv6 unicast.
 *
 * <h2>How it fits together</h2>
 *
 * <pre>
 *  bytes ── FrameSplitter ── BgpDecoder ──┬─ OPEN ──── CapabilityCodec
 *           header, 6.1      other messages└─ UPDATE ── UpdateDecoder ── PathAttribute (table)
 *                                                       RFC 7606          AttributeReader
 *                                                          │              MultiProtocolReader
 *                                                          ▼
 *                                                    DecodeOutcome
 *
 *  BgpMessage ── BgpEncoder ──┬─ OPEN ──── CapabilityCodec
 *                             └─ UPDATE ── UpdateEncoder ── AttributeWriter ── bytes
 *                                          packing
 * </pre>
 *
 * The session holds the bytes of a connection that are not a whole message yet and calls {@link
 * io.wayleave.bgp.wire.FrameSplitter} and {@link io.wayleave.bgp.wire.BgpDecoder}. All numbers of
 * IANA are in {@link io.wayleave.bgp.wire.Iana}; each path attribute is a row of {@link
 * io.wayleave.bgp.wire.PathAttribute}. Nothing here has state that outlives a message; values are
 * immutable, and none holds a buffer.
 *
 * <h2>Ideas</h2>
 *
 * <ul>
 *   <li><b>One way out.</b> Whatever a peer sends, the answer is a {@link
 *       io.wayleave.bgp.wire.DecodeOutcome}: a message, RFC 7606's treat-as-withdraw, something to
 *       ignore, or a reset with the NOTIFICATION that RFC 4271 section 6 asks for. No exception is
 *       part of the contract of reading. An error inside a NOTIFICATION resets without an answer.
 *   <li><b>Routes instead of fields.</b> An UPDATE is told as prefixes that are reachable, with
 *       attributes and next hop, and prefixes that are not. Whether they stood in the classic
 *       fields or in a multiprotocol attribute is forgotten on reading and decided anew on writing:
 *       IPv4 with an IPv4 next hop goes into the classic fields, all else into MP_REACH_NLRI.
 *   <li><b>Numbers for prefixes.</b> {@link io.wayleave.bgp.wire.PrefixList} holds no object for
 *       each prefix.
 *   <li><b>Attributes are encoded once.</b> {@link io.wayleave.bgp.wire.PathAttributes} keeps its
 *       canonical encoding, is compared by it, and is sent by copying it.
 *   <li><b>Four octets inside.</b> AS numbers are never two octets wide above this package: the AS4
 *       attributes of RFC 6793 come and go here.
 * </ul>
 *
 * <h2>Where the standards leave a choice</h2>
 *
 * <ul>
 *   <li>"AFI/SAFI disable" (RFC 7606) is not used; the session is reset instead.
 *   <li>Wrong flags of AGGREGATOR or ATOMIC_AGGREGATE fall under section 3 c) and section 3 f) of
 *       RFC 7606; the stronger, treat-as-withdraw, is taken.
 *   <li>An unrecognised well-known attribute resets the session, as RFC 4271 section 6.3 has it;
 *       RFC 7606 does not mention it.
 *   <li>ORIGINATOR_ID 0.0.0.0 counts as malformed, because no router has that identifier.
 *   <li>Routes of a family that is not exchanged are left out and reported, not an error.
 * </ul>
 *
 * <h2>Checks that are not made here</h2>
 *
 * <ul>
 *   <li>Whether a next hop is our own address, on a shared network, or reachable (RFC 4271 section
 *       6.3): the session and the RIB know. A loopback next hop passes, and so does an IPv4-mapped
 *       one, which FRR sends for IPv6 routes in an IPv4 session.
 *   <li>Whether AS_PATH starts with the peer's AS, or contains ours: the session's.
 *   <li>Whether LOCAL_PREF is there in an internal session (RFC 4271 section 5.1.5): the absence is
 *       accepted.
 *   <li>Confederation segments are accepted from every internal peer; that we are in a
 *       confederation at all is not checked.
 *   <li>Prefixes are not judged: multicast, loopback or a prefix twice in one message pass.
 *   <li>Whether a peer sends messages that it did not announce: ROUTE-REFRESH, or its begin and end
 *       markers, are read always.
 *   <li>The bits that must be zero (unused attribute flags, reserved octets of capabilities and of
 *       MP_REACH_NLRI) are ignored, and so is the Partial bit where it means nothing.
 *   <li>A FourOctetAs capability may contradict the two-octet field; the capability counts. Of
 *       several capabilities of one kind that can occur only once, the first counts.
 *   <li>Extended communities are not interpreted. AIGP, PMSI_TUNNEL, BGP-LS, OTC and other
 *       attributes without a row are unknown: passed on when transitive, else dropped.
 * </ul>
 */
package io.wayleave.bgp.wire;

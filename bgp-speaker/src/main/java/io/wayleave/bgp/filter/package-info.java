/**
 * Filters: which routes are taken from and told to a peer, and how they are changed. A {@link
 * io.wayleave.model.BgpFilter} is what people write; {@link io.wayleave.bgp.filter.FilterPolicy} is
 * what the tables ask. Pure: no I/O, no thread, no clock.
 */
package io.wayleave.bgp.filter;

/**
 * The kernel's routing netlink (rtnetlink): links, addresses, routes, neighbours, and notifications
 * of what happens to them; and of netfilter's netlink the ipsets, connection tracking, packets that
 * rules log, and the notifications of nf_tables.
 *
 * <p>A {@link io.wayleave.linux.netlink.NetlinkRequest} says one wish. The verbs of {@code Links},
 * {@code Addresses}, {@code Routes} and {@code Neighbours} make such requests, and a {@link
 * io.wayleave.linux.netlink.NetlinkSocket} executes one, or thousands with few system calls.
 */
package io.wayleave.linux.netlink;

/**
 * Makes the kernel's routes equal the desired ones.
 *
 * <p>{@link io.wayleave.route.RouteProgrammer} compares and decides, {@link
 * io.wayleave.route.RouteDriver} is its way to the kernel, and {@link
 * io.wayleave.route.RouteService} is the thread that owns both.
 *
 * <p><b>Metric.</b> All routes are written with one metric of our own (77 unless configured; a
 * filter may give learned routes another), in the main table, with route protocol 77. A route that
 * somebody else made for the same destination thus lives beside ours: with a smaller metric it wins
 * (a static route of an administrator, metric 0), with a larger one it waits (DHCP, metric 100 and
 * more). Only a foreign route with just our metric is a conflict: it is left alone, and ours is
 * reported as failing with its owner's protocol until it goes away. One metric for all sources has
 * one more reason: a destination that changes from one source to another is replaced in one step
 * and is never without a route. (A static IPv6 route has metric 1024 unless it says otherwise, and
 * so waits.)
 *
 * <p><b>Next hops.</b> A next hop that is no neighbour, as those of a mesh across routed racks, is
 * reached by the most specific route to it: of somebody else, the default route included, or a
 * learned one. Whoever runs such a mesh sees to it that the routers between know the destinations
 * too, because nothing is tunnelled.
 *
 * <p>A learned route for a network that is on a link of this host is not written at all.
 */
package io.wayleave.route;

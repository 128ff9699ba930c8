package io.wayleave.route;

import io.wayleave.linux.netlink.Route;
import io.wayleave.model.IpAddress;
import java.io.IOException;

/** A kernel that a test may do things to behind the programmer's back. */
interface TestKernel extends AutoCloseable {
  RouteDriver driver();

  /** Makes an interface that is up and can pass packets; returns its index. */
  int addLink(String name) throws IOException;

  void setUp(int interfaceIndex, boolean up) throws IOException;

  void removeLink(int interfaceIndex) throws IOException;

  /** Gives an interface an address, and so a network on its link. */
  void addAddress(int interfaceIndex, IpAddress address, int prefixLength) throws IOException;

  /** Adds or replaces a route as somebody else would. */
  void meddle(Route route) throws IOException;

  /** Deletes a route as somebody else would. */
  void meddleAway(Route route) throws IOException;

  @Override
  void close() throws IOException;
}

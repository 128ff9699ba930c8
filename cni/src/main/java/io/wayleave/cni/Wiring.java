package io.wayleave.cni;

import io.wayleave.model.Cidr;
import io.wayleave.model.MacAddress;
import java.io.IOException;
import java.util.List;

/**
 * The veth pair of an endpoint in the kernel: each method is one step of an ADD, a DEL or a CHECK.
 * Safe from any thread for different endpoints.
 */
interface Wiring {
  /**
   * Makes the pair, both ends down, the container's already in its namespace.
   *
   * @throws CniException with code INVALID_ENVIRONMENT when the container has an interface of that
   *     name
   */
  void create(WirePlan plan) throws IOException, CniException;

  /** Gives the host's end its settings and, for IPv6, the gateway's address. It stays down. */
  void configureHostEnd(WirePlan plan) throws IOException;

  /** Gives the container's end its addresses, routes and neighbours, and sets it up. */
  void configureContainerEnd(WirePlan plan) throws IOException;

  /** Sets the host's end up: from here on packets pass. */
  void raiseHostEnd(WirePlan plan) throws IOException;

  boolean exists(String hostInterface) throws IOException;

  /** Deletes both ends. No error when they are not there. */
  void delete(String hostInterface) throws IOException;

  /**
   * What is missing or different from what was made; empty when all is well.
   *
   * @param mac of the container's end, which a plugin after this one may have changed
   * @param addresses that the container must still have
   */
  List<String> findDamage(WirePlan plan, MacAddress mac, List<Cidr> addresses) throws IOException;
}

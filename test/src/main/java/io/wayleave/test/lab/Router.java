package io.wayleave.test.lab;

import io.wayleave.model.Cidr;
import java.util.List;
import java.util.Set;

/**
 * A routing daemon in a namespace of its own: the spine or a top-of-rack switch. Everything here
 * asks the daemon itself, by its own command line. Safe from any thread; calls block.
 */
public sealed interface Router permits BirdRouter, FrrRouter {
  String name();

  RouterKind kind();

  /** The network namespace that it is in. */
  String namespace();

  /** One BGP session as the router sees it. {@code state} is in the router's own words. */
  record Session(String peer, boolean established, String state) {}

  /** Starts the daemon and returns when it answers. */
  void start();

  /**
   * Starts the daemon that speaks BGP again after a crash: the kernel's routes are as it left them,
   * and it tells its neighbours so where its plan has that.
   */
  void recover();

  /** The daemon that speaks BGP: its process's name in the state file, after the router's. */
  String daemon();

  /**
   * The daemon's own command line: {@code birdc} or {@code vtysh}.
   *
   * @param words one command, or none for a prompt
   */
  List<String> cli(List<String> words);

  /** All configured sessions, in the order of configuration. */
  List<Session> sessions();

  default Session session(String peer) {
    return sessions().stream()
        .filter(s -> s.peer().equals(peer))
        .findFirst()
        .orElseThrow(() -> new LabException(name() + " has no session with " + peer));
  }

  /** The IPv4 networks for which the daemon has a route from BGP. */
  Set<Cidr> bgpRoutes();

  /** Ends the session with a peer, as an operator would, and keeps it down. */
  void disableSession(String peer);

  /** Lets the session come back. */
  void enableSession(String peer);
}

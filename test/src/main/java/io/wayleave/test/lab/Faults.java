package io.wayleave.test.lab;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What goes wrong with switches and cables, on demand. Each fault lasts until it is undone here.
 * Safe from any thread; calls block.
 */
public final class Faults {
  private static final String MUTE = "mute";

  private final Lab lab;
  private final StateFile state;

  Faults(Lab lab, StateFile state) {
    this.lab = lab;
    this.state = state;
  }

  /** A router loses power: its daemons are gone, and so is the carrier of each of its links. */
  public void powerOff(String router) {
    Router off = lab.router(router);
    // The links first: dead daemons close their connections, and a dead router tells nobody.
    links(off, "down");
    for (ProcessRecord process : state.require().processes()) {
      if (process.name().startsWith(router + "/")) {
        process.kill();
      }
    }
  }

  /** The router boots. */
  public void powerOn(String router) {
    Router on = lab.router(router);
    links(on, "up");
    on.start();
  }

  /**
   * The daemon of a router that speaks BGP dies; the kernel goes on with the routes that it has.
   */
  public void crash(String router) {
    ProcessRecord process =
        state
            .require()
            .process(router + "/" + lab.router(router).daemon())
            .orElseThrow(() -> new LabException(router + " has never been started"));
    process.kill();
  }

  /** The daemon is started again. */
  public void recover(String router) {
    lab.router(router).recover();
  }

  /** The cable between a host and its switch is cut: both ends lose carrier. */
  public void cut(String host, String tor) {
    Topology.Tor at = cable(host, tor);
    Command.of("ip", "-n", at.namespace(), "link", "set", "dev", host, "down").check();
  }

  /**
   * Nothing that the host sends gets through any more, and both ends keep their carrier: what a
   * hung switch does.
   */
  public void mute(String host, String tor) {
    String namespace = cable(host, tor).namespace();
    Command.Result _ =
        Command.of("ip", "-n", namespace, "link", "add", MUTE, "type", "bridge").run();
    // A port of a bridge that is down.
    Command.of("ip", "-n", namespace, "link", "set", "dev", host, "master", MUTE).check();
  }

  /** The cable is as it was. */
  public void mend(String host, String tor) {
    String namespace = cable(host, tor).namespace();
    List<String> argv = new ArrayList<>(List.of("ip", "-n", namespace, "link", "set", "dev", host));
    argv.addAll(
        lab.spec().shape().links() == Shape.Links.UNNUMBERED
            ? List.of("nomaster", "up")
            : List.of("master", "rack", "up"));
    Command.of(argv).check();
  }

  private static void links(Router router, String state) {
    for (JsonNode link :
        Json.read("ip link", Command.of("ip", "-n", router.namespace(), "-json", "link").check())) {
      String name = link.path("ifname").asText();
      if (!name.equals("lo")) {
        Command.of("ip", "-n", router.namespace(), "link", "set", "dev", name, state).check();
      }
    }
  }

  private Topology.Tor cable(String host, String tor) {
    Topology.Host end = lab.host(host).place();
    return lab.topology().tors(end.rack()).stream()
        .filter(t -> t.name().equals(tor))
        .findFirst()
        .orElseThrow(() -> new LabException("there is no cable from " + host + " to " + tor));
  }
}

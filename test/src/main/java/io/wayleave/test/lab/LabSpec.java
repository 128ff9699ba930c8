package io.wayleave.test.lab;

import io.wayleave.model.InvalidInputException;
import java.util.regex.Pattern;

/**
 * What a lab is made of.
 *
 * @param name becomes part of every namespace, cgroup and folder, so that labs do not collide
 * @param shape how hosts and switches are put together
 * @param racks 1 to {@value #MAX_RACKS}
 * @param hosts per rack, 1 to {@value #MAX_HOSTS}
 * @param tors the routing daemons of the top-of-rack switches
 * @param agents whether hosts run Wayleave. Without it, the lab is the fabric, etcd and the
 *     runtimes with the reference ptp plugin: enough to try routing daemons against each other
 * @param datastore what is in etcd's place
 */
public record LabSpec(
    String name,
    Shape shape,
    int racks,
    int hosts,
    RouterKind.Choice tors,
    boolean agents,
    StoreKind datastore) {
  public static final int MAX_RACKS = 100;
  public static final int MAX_HOSTS = 100;

  /** No dash: the namespace {@code a-b-r1h1} must belong to one lab only. */
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]{0,19}");

  public LabSpec {
    datastore = datastore == null ? StoreKind.ETCD : datastore; // a lab of an earlier build
    requireName(name);
    requireRange("--racks", racks, MAX_RACKS);
    requireRange("--hosts", hosts, MAX_HOSTS);
  }

  /** On etcd. */
  public LabSpec(
      String name, Shape shape, int racks, int hosts, RouterKind.Choice tors, boolean agents) {
    this(name, shape, racks, hosts, tors, agents, StoreKind.ETCD);
  }

  /** Two racks of two hosts, a BIRD and an FRR switch, and an agent on each host. */
  public static LabSpec named(String name) {
    return new LabSpec(name, Shape.ONE_TOR, 2, 2, RouterKind.Choice.MIXED, true);
  }

  public LabSpec withoutAgents() {
    return new LabSpec(name, shape, racks, hosts, tors, false, datastore);
  }

  static String requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidInputException(
          "--name", name, "1 to 20 lower-case letters and digits, the first a letter");
    }
    return name;
  }

  private static void requireRange(String field, int value, int max) {
    if (value < 1 || value > max) {
      throw new InvalidInputException(field, Integer.toString(value), "1 to " + max);
    }
  }
}

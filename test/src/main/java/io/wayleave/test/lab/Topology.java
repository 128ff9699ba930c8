package io.wayleave.test.lab;

import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Who is where in a lab: names, addresses and AS numbers, all computed from rack and host numbers.
 *
 * <pre>
 *                  etcd 10.90.0.2
 *                    |  10.90.0.0/24
 *                  spine  AS 65000
 *      10.90.255.0/31 |  | 10.90.255.2/31
 *      AS 65001  tor1 |  | tor2  AS 65002
 *        10.90.1.0/24 |  | 10.90.2.0/24
 *             r1h1 r1h2   r2h1 r2h2
 * </pre>
 *
 * <p>Every link has IPv4 and IPv6. Hosts reach etcd in-band, through their switch and the spine, as
 * in a real fabric: when a rack's uplink is down, its agents are without datastore.
 *
 * <p>Every host has an AS number of its own (RFC 7938 section 5.2.1 uses one per switch for the
 * same reason): hosts of one rack then hear each other's routes from their switch without switching
 * AS loop detection off. They are private four-octet numbers (RFC 6996), which no two-octet speaker
 * takes for its own.
 *
 * <p>Immutable and pure.
 */
public final class Topology {
  /** The pool that the lab gives to containers. */
  public static final Cidr POOL = Cidr.parse("10.244.0.0/16");

  /** What switches believe from hosts over IPv6. */
  public static final Cidr POOL6 = Cidr.parse("fd91::/48");

  static final IpAddress ETCD = IpAddress.parse("10.90.0.2");
  static final int ETCD_PORT = 2379;
  static final Asn SPINE_AS = new Asn(65000);

  private static final long FIRST_HOST_AS = 4_200_000_000L;
  private static final int FIRST_HOST_ADDRESS = 11;

  private final LabSpec spec;

  Topology(LabSpec spec) {
    this.spec = spec;
  }

  /** A host's end of the fabric. */
  record Host(
      String name,
      int rack,
      int number,
      String namespace,
      IpAddress ipv4,
      IpAddress ipv6,
      Asn asn) {
    RuntimeKind preferredRuntime() {
      return RuntimeKind.inRack(rack);
    }
  }

  /**
   * A top-of-rack switch.
   *
   * @param gateway4 its address towards the hosts
   * @param uplink4 its address towards the spine
   */
  record Tor(
      String name,
      int rack,
      String namespace,
      RouterKind kind,
      Asn asn,
      IpAddress gateway4,
      IpAddress gateway6,
      IpAddress uplink4,
      IpAddress uplink6) {}

  LabSpec spec() {
    return spec;
  }

  List<Tor> tors() {
    return IntStream.rangeClosed(1, spec.racks()).mapToObj(this::tor).toList();
  }

  List<Host> hosts() {
    return IntStream.rangeClosed(1, spec.racks()).boxed().flatMap(r -> hosts(r).stream()).toList();
  }

  List<Host> hosts(int rack) {
    return IntStream.rangeClosed(1, spec.hosts()).mapToObj(h -> host(rack, h)).toList();
  }

  Tor tor(int rack) {
    String name = "tor" + rack;
    return new Tor(
        name,
        rack,
        namespace(name),
        spec.tors().inRack(rack),
        new Asn(SPINE_AS.number() + rack),
        rackAddress(rack, 1),
        rackAddress6(rack, 1),
        uplink(rack, 1),
        uplink6(rack, 2));
  }

  String spineNamespace() {
    return namespace("spine");
  }

  String etcdNamespace() {
    return namespace("etcd");
  }

  /** The spine's address on its link to a rack. */
  IpAddress spineAddress(int rack) {
    return uplink(rack, 0);
  }

  IpAddress spineAddress6(int rack) {
    return uplink6(rack, 1);
  }

  /** The datastore's address for agents and netctl. */
  static String datastoreUrl() {
    return "etcd://" + ETCD + ":" + ETCD_PORT;
  }

  /** Whether a network namespace of that name is a part of the lab of that name. */
  static boolean isNamespaceOf(String lab, String namespace) {
    return namespace.startsWith(lab + "-")
        && namespace.substring(lab.length() + 1).matches("r\\d+h\\d+|tor\\d+|spine|etcd");
  }

  private Host host(int rack, int number) {
    String name = "r" + rack + "h" + number;
    int last = FIRST_HOST_ADDRESS + number - 1;
    return new Host(
        name,
        rack,
        number,
        namespace(name),
        rackAddress(rack, last),
        rackAddress6(rack, last),
        new Asn(FIRST_HOST_AS + rack * 1000L + number));
  }

  private String namespace(String part) {
    return spec.name() + "-" + part;
  }

  private static IpAddress rackAddress(int rack, int last) {
    return IpAddress.parse("10.90." + rack + "." + last);
  }

  private static IpAddress rackAddress6(int rack, int last) {
    return IpAddress.parse("fd90:" + rack + "::" + last);
  }

  private static IpAddress uplink(int rack, int end) {
    return IpAddress.parse("10.90.255." + (2 * (rack - 1) + end));
  }

  private static IpAddress uplink6(int rack, int end) {
    return IpAddress.parse("fd90:ff:" + rack + "::" + end);
  }
}

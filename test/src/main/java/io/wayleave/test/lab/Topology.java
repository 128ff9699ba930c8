package io.wayleave.test.lab;

import io.wayleave.model.Asn;
import io.wayleave.model.BgpConfiguration;
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
 * <p>With two switches in a rack they are {@code tor1a} and {@code tor1b}; the second has AS 65101,
 * and 10.91 where the first has 10.90.
 *
 * <p>Every link has IPv4 and IPv6, unless it is an unnumbered one. Hosts reach etcd in-band,
 * through their switch and the spine, as in a real fabric: when a rack's uplink is down, its agents
 * are without datastore. On unnumbered links nothing is reached before BGP is up: there, as in the
 * shapes without switches, all hosts and etcd are on one segment, 10.90.0.0/16.
 *
 * <p>Every host has an AS number of its own (RFC 7938 section 5.2.1 uses one per switch for the
 * same reason) unless the shape says otherwise: hosts of one rack then hear each other's routes
 * from their switch without switching AS loop detection off. They are private four-octet numbers
 * (RFC 6996), which no two-octet speaker takes for its own.
 *
 * <p>Immutable and pure.
 */
public final class Topology {
  /** The pool that the lab gives to containers. */
  public static final Cidr POOL = Cidr.parse("10.244.0.0/16");

  /** What switches believe from hosts over IPv6. */
  public static final Cidr POOL6 = Cidr.parse("fd91::/48");

  static final IpAddress ETCD = IpAddress.parse("10.90.0.2");
  static final IpAddress ETCD6 = IpAddress.parse("fd90::2");
  static final Asn SPINE_AS = new Asn(65000);

  private static final long FIRST_HOST_AS = 4_200_000_000L;
  private static final int FIRST_HOST_ADDRESS = 11;

  private final LabSpec spec;

  Topology(LabSpec spec) {
    this.spec = spec;
  }

  /**
   * A host.
   *
   * @param ipv4 the node's own address: towards the first switch, or on the segment
   */
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
   * @param number in its rack, counted from 1
   * @param gateway4 its address towards the hosts
   * @param uplink4 its address towards the spine
   * @param spine4 the spine's address towards it
   */
  record Tor(
      String name,
      int rack,
      int number,
      String namespace,
      RouterKind kind,
      Asn asn,
      IpAddress gateway4,
      IpAddress gateway6,
      IpAddress uplink4,
      IpAddress uplink6,
      IpAddress spine4,
      IpAddress spine6) {
    /** The interface by which hosts reach it. */
    String hostLink() {
      return "eth" + (number - 1);
    }

    /** The subnet of the switch and its hosts. */
    Cidr network4() {
      return Cidr.around(gateway4 + "/24");
    }

    Cidr network6() {
      return Cidr.around(gateway6 + "/64");
    }
  }

  LabSpec spec() {
    return spec;
  }

  Shape shape() {
    return spec.shape();
  }

  /** All switches, rack by rack. */
  List<Tor> tors() {
    return IntStream.rangeClosed(1, spec.racks()).boxed().flatMap(r -> tors(r).stream()).toList();
  }

  List<Tor> tors(int rack) {
    return IntStream.rangeClosed(1, shape().torsPerRack()).mapToObj(n -> tor(rack, n)).toList();
  }

  List<Host> hosts() {
    return IntStream.rangeClosed(1, spec.racks()).boxed().flatMap(r -> hosts(r).stream()).toList();
  }

  List<Host> hosts(int rack) {
    return IntStream.rangeClosed(1, spec.hosts()).mapToObj(h -> host(rack, h)).toList();
  }

  /** The hosts that reflect routes at first. */
  List<Host> reflectors() {
    List<Host> all = hosts();
    return shape() == Shape.REFLECTORS ? all.subList(0, Math.min(2, all.size())) : List.of();
  }

  String spineNamespace() {
    return namespace("spine");
  }

  String etcdNamespace() {
    return namespace("etcd");
  }

  /** Of the plain switch that is the segment. */
  String segmentNamespace() {
    return namespace("segment");
  }

  /** A host's address on the subnet of one of its switches. */
  static IpAddress address(Host host, Tor tor) {
    return address(tor.number(), host.rack(), lastOf(host.number()));
  }

  static IpAddress address6(Host host, Tor tor) {
    return address6(tor.number(), host.rack(), lastOf(host.number()));
  }

  /** Whether a network namespace of that name is a part of the lab of that name. */
  static boolean isNamespaceOf(String lab, String namespace) {
    return namespace.startsWith(lab + "-")
        && namespace
            .substring(lab.length() + 1)
            .matches("r\\d+h\\d+|tor\\d+[ab]?|spine|segment|etcd");
  }

  private Tor tor(int rack, int number) {
    String name = "tor" + rack;
    if (shape().torsPerRack() > 1) {
      name += number == 1 ? "a" : "b";
    }
    return new Tor(
        name,
        rack,
        number,
        namespace(name),
        spec.tors().of(rack, number),
        new Asn(SPINE_AS.number() + (number - 1) * 100L + rack),
        address(number, rack, 1),
        address6(number, rack, 1),
        uplink(number, rack, 1),
        uplink6(number, rack, 2),
        uplink(number, rack, 0),
        uplink6(number, rack, 1));
  }

  private Host host(int rack, int number) {
    String name = "r" + rack + "h" + number;
    return new Host(
        name,
        rack,
        number,
        namespace(name),
        address(1, rack, lastOf(number)),
        address6(1, rack, lastOf(number)),
        switch (shape().hostAs()) {
          case OWN -> new Asn(FIRST_HOST_AS + rack * 1000L + number);
          case RACK -> new Asn(FIRST_HOST_AS + rack * 1000L);
          case FABRIC -> BgpConfiguration.DEFAULT_ASN;
        });
  }

  private String namespace(String part) {
    return spec.name() + "-" + part;
  }

  private static int lastOf(int host) {
    return FIRST_HOST_ADDRESS + host - 1;
  }

  /**
   * @param plane number of the switch in its rack: the second ones have 10.91
   */
  private static IpAddress address(int plane, int rack, int last) {
    return IpAddress.parse("10." + (89 + plane) + "." + rack + "." + last);
  }

  private static IpAddress address6(int plane, int rack, int last) {
    return IpAddress.parse("fd90:" + rack + infix(plane) + "::" + last);
  }

  private static IpAddress uplink(int plane, int rack, int end) {
    return address(plane, 255, 2 * (rack - 1) + end);
  }

  private static IpAddress uplink6(int plane, int rack, int end) {
    return IpAddress.parse("fd90:ff:" + rack + infix(plane) + "::" + end);
  }

  private static String infix(int plane) {
    return plane == 1 ? "" : ":1";
  }
}

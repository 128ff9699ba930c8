package io.wayleave.test.lab;

import io.wayleave.model.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How the hosts of a lab and its switches are put together. Each has a page of its label in {@code
 * docs/deployments/}, whose configurations and manifests are those that the lab writes.
 */
public enum Shape {
  /** One switch per rack, with addresses on the link, an AS for each host. */
  ONE_TOR(1, Links.RACK, HostAs.OWN),
  /** Two switches per rack, a link to each. */
  TWO_TORS(2, Links.RACK, HostAs.OWN),
  /** Two switches per rack, and no address on the links. */
  UNNUMBERED(2, Links.UNNUMBERED, HostAs.OWN),
  /** No switch that routes: all hosts are on one segment and peer with each other. */
  MESH(0, Links.SEGMENT, HostAs.FABRIC),
  /** As the mesh, but hosts peer with two of them that reflect routes. */
  REFLECTORS(0, Links.SEGMENT, HostAs.FABRIC),
  /** One switch per rack, an AS for the hosts of a rack. */
  RACK_AS(1, Links.RACK, HostAs.RACK),
  /** One switch per rack, one AS for all hosts. */
  ONE_AS(1, Links.RACK, HostAs.FABRIC);

  /** What hosts are connected by. */
  enum Links {
    /** A subnet for each switch and its hosts. etcd is behind the spine. */
    RACK,
    /** A link of its own for each host, with link-local addresses only. etcd is elsewhere. */
    UNNUMBERED,
    /** One subnet for all hosts and etcd. */
    SEGMENT
  }

  /** Who shares an AS. */
  enum HostAs {
    OWN,
    RACK,
    FABRIC
  }

  private final int torsPerRack;
  private final Links links;
  private final HostAs hostAs;

  Shape(int torsPerRack, Links links, HostAs hostAs) {
    this.torsPerRack = torsPerRack;
    this.links = links;
    this.hostAs = hostAs;
  }

  int torsPerRack() {
    return torsPerRack;
  }

  Links links() {
    return links;
  }

  HostAs hostAs() {
    return hostAs;
  }

  /** Without switches there is no spine either. */
  boolean hasTors() {
    return torsPerRack > 0;
  }

  /** Whether hosts and etcd are on one segment: for everything, or for management only. */
  boolean hasSegment() {
    return links != Links.RACK;
  }

  /** The word for it on the command line, and the name of its page. */
  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static Shape parse(String text) {
    return Arrays.stream(values())
        .filter(shape -> shape.label().equals(text))
        .findFirst()
        .orElseThrow(() -> new InvalidInputException("--shape", text, labels()));
  }

  static String labels() {
    return Arrays.stream(values()).map(Shape::label).collect(Collectors.joining(", "));
  }
}

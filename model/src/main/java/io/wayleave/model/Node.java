package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Optional;

/** A host that runs an agent. The agent writes it; labels and AS may be set by people. */
@JsonPropertyOrder({"metadata", "spec"})
public record Node(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public Node {
    Absent.required("metadata", metadata, "metadata with a name");
    spec = Absent.orElse(spec, new Spec(Optional.empty(), Optional.empty()));
  }

  /**
   * What is known of the host.
   *
   * @param draining whether people want no traffic to come to this host: its routes are told as
   *     about to go (RFC 8326) and withdrawn soon after
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(Optional<Bgp> bgp, Optional<Boolean> draining) {
    @JsonCreator
    public Spec {
      bgp = Absent.orEmpty(bgp);
      draining = Absent.orEmpty(draining);
    }

    /** The same with another answer to whether the host is being drained. */
    public Spec withDraining(boolean wanted) {
      return new Spec(bgp, wanted ? Optional.of(true) : Optional.empty());
    }
  }

  /** Whether people want no traffic to come to this host. */
  public boolean draining() {
    return spec.draining().orElse(false);
  }

  /**
   * How the node speaks BGP.
   *
   * @param asNumber its AS; the {@link BgpConfiguration}'s when absent
   * @param ipv4Address its own IPv4 address, with or without the length of its subnet
   * @param ipv6Address its own IPv6 address, with or without the length of its subnet
   * @param routerID its BGP identifier; the IPv4 address when absent
   * @param routeReflectorClusterID makes it a route reflector (RFC 4456) of its internal peers;
   *     reflectors of one cluster share the number
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Bgp(
      Optional<Asn> asNumber,
      Optional<String> ipv4Address,
      Optional<String> ipv6Address,
      Optional<RouterId> routerID,
      Optional<RouterId> routeReflectorClusterID) {
    @JsonCreator
    public Bgp {
      asNumber = Absent.orEmpty(asNumber);
      ipv4Address = Absent.orEmpty(ipv4Address);
      ipv6Address = Absent.orEmpty(ipv6Address);
      routerID = Absent.orEmpty(routerID);
      routeReflectorClusterID = Absent.orEmpty(routeReflectorClusterID);
      ipv4Address.ifPresent(text -> check("ipv4Address", text, Family.IPV4));
      ipv6Address.ifPresent(text -> check("ipv6Address", text, Family.IPV6));
    }

    /** The IPv4 address without a length. */
    public Optional<IpAddress> ipv4() {
      return ipv4Address.map(Bgp::withoutLength);
    }

    /** The IPv6 address without a length. */
    public Optional<IpAddress> ipv6() {
      return ipv6Address.map(Bgp::withoutLength);
    }

    private static void check(String field, String text, Family family) {
      IpAddress address;
      try {
        Cidr.around(text);
        address = withoutLength(text);
      } catch (InvalidInputException e) {
        throw e.within(field);
      }
      if (address.family() != family) {
        throw new InvalidInputException(field, text, "an " + family + " address");
      }
    }

    private static IpAddress withoutLength(String text) {
      int slash = text.indexOf('/');
      return IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
    }
  }
}

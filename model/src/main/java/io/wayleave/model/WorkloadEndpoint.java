package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Map;

/**
 * One interface of one container, and so the owner record of its addresses: it is written and
 * deleted in the transaction that allocates and releases them.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record WorkloadEndpoint(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public WorkloadEndpoint {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec");
    metadata = metadata.namespaced();
  }

  /**
   * The name of the endpoint of that container's interface. Container ids are unique per host only.
   */
  public static String nameOf(String node, String containerId, String interfaceInContainer) {
    return node + "." + containerId + "." + interfaceInContainer;
  }

  public Map<String, String> labels() {
    return metadata.labels();
  }

  /**
   * Where the endpoint is and what it has.
   *
   * @param node name of the host
   * @param containerID the runtime's id of the container
   * @param endpoint name of the interface inside the container, such as {@code eth0}
   * @param interfaceName name of the host's end of the veth pair
   * @param mac Ethernet address of the container's end
   * @param ipNetworks its addresses, each a /32 or /128
   * @param network name of the CNI network
   * @param generation tells this attachment from an earlier one of the same container and interface
   * @param profiles names of its profiles
   * @param ports its ports, by name
   * @param namespaceLabels labels of its namespace, as the runtime's configuration tells them
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      String node,
      String containerID,
      String endpoint,
      String interfaceName,
      MacAddress mac,
      List<Cidr> ipNetworks,
      String network,
      String generation,
      List<String> profiles,
      List<EndpointPort> ports,
      Map<String, String> namespaceLabels) {
    /** Without profiles, named ports and labels of the namespace. */
    public Spec(
        String node,
        String containerID,
        String endpoint,
        String interfaceName,
        MacAddress mac,
        List<Cidr> ipNetworks,
        String network,
        String generation) {
      this(
          node,
          containerID,
          endpoint,
          interfaceName,
          mac,
          ipNetworks,
          network,
          generation,
          List.of(),
          List.of(),
          Map.of());
    }

    @JsonCreator
    public Spec {
      Absent.required("node", node, "the name of a node");
      Absent.required("containerID", containerID, "the container's id");
      Absent.required("endpoint", endpoint, "the interface's name in the container");
      Absent.required("interfaceName", interfaceName, "the interface's name on the host");
      Absent.required("mac", mac, "an Ethernet address");
      ipNetworks = Absent.orEmpty(ipNetworks);
      for (int i = 0; i < ipNetworks.size(); i++) {
        if (!ipNetworks.get(i).isHost()) {
          throw new InvalidInputException(
              "ipNetworks[" + i + "]",
              ipNetworks.get(i).toString(),
              "single addresses, /32 or /128");
        }
      }
      network = Absent.orElse(network, "");
      generation = Absent.orElse(generation, "");
      profiles = Absent.orEmpty(profiles);
      ports = Absent.orEmpty(ports);
      namespaceLabels = namespaceLabels == null ? Labels.NONE : Labels.copyOf(namespaceLabels);
      Checks.names("profiles", profiles);
      Metadata.checkLabels("namespaceLabels", namespaceLabels);
    }
  }
}

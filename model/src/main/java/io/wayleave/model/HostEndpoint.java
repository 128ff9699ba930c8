package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Interfaces of a host by which it is reached itself. Policies that select it govern what the host
 * takes in and sends out by them, not what it forwards. Whatever they say, the failsafe ports of
 * the agent's configuration stay open.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record HostEndpoint(Metadata metadata, Spec spec) implements Resource {
  /** Interface name that stands for all but the loopback and those of containers. */
  public static final String ALL_INTERFACES = "*";

  /** IFNAMSIZ without the final zero. */
  private static final int MAX_INTERFACE_NAME = 15;

  @JsonCreator
  public HostEndpoint {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec with node and interfaceName or expectedIPs");
  }

  public Map<String, String> labels() {
    return metadata.labels();
  }

  /**
   * Which interface, and what is known of it.
   *
   * @param node name of the host
   * @param interfaceName name of the interface, or {@code *}; when absent, the interfaces that have
   *     one of {@code expectedIPs}
   * @param expectedIPs its addresses, by which rules choose it
   * @param profiles names of its profiles
   * @param ports its ports, by name
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      String node,
      Optional<String> interfaceName,
      List<IpAddress> expectedIPs,
      List<String> profiles,
      List<EndpointPort> ports) {
    @JsonCreator
    public Spec {
      Absent.required("node", node, "the name of a node");
      interfaceName = Absent.orEmpty(interfaceName).filter(name -> !name.isEmpty());
      expectedIPs = Absent.orEmpty(expectedIPs);
      profiles = Absent.orEmpty(profiles);
      ports = Absent.orEmpty(ports);
      interfaceName.ifPresent(
          name -> {
            if (!name.equals(ALL_INTERFACES)
                && (name.length() > MAX_INTERFACE_NAME
                    || name.matches("\\.\\.?")
                    || !name.matches("[!-~&&[^/:*+]]+"))) {
              throw new InvalidInputException(
                  "interfaceName",
                  name,
                  "* or an interface's name: 1 to "
                      + MAX_INTERFACE_NAME
                      + " characters without spaces, '/', ':', '*' and '+'");
            }
          });
      if (interfaceName.isEmpty() && expectedIPs.isEmpty()) {
        throw new InvalidInputException("interfaceName", "", "interfaceName, expectedIPs or both");
      }
      Checks.names("profiles", profiles);
    }
  }
}

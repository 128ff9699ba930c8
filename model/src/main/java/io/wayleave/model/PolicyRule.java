package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.wayleave.model.selector.Selector;
import java.util.List;
import java.util.Optional;

/**
 * One rule of a policy: it matches a packet when every field that is present does.
 *
 * @param action what it decides
 * @param protocol a protocol by name or number; any when absent
 * @param source where the packet comes from
 * @param destination where it goes
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record PolicyRule(
    GlobalNetworkPolicy.Action action,
    Optional<Protocol> protocol,
    Optional<Entity> source,
    Optional<Entity> destination) {
  @JsonCreator
  public PolicyRule {
    Absent.required("action", action, "Allow, Deny");
    protocol = Absent.orEmpty(protocol);
    source = Absent.orEmpty(source);
    destination = Absent.orEmpty(destination);
    boolean hasPorts = protocol.map(Protocol::hasPorts).orElse(false);
    checkPorts("source", source, hasPorts);
    checkPorts("destination", destination, hasPorts);
  }

  private static void checkPorts(String side, Optional<Entity> entity, boolean hasPorts) {
    if (!hasPorts && entity.isPresent() && !entity.get().ports().isEmpty()) {
      throw new InvalidInputException(
          side + ".ports",
          entity.get().ports().toString(),
          "ports only beside protocol TCP, UDP or SCTP");
    }
  }

  /**
   * One side of a packet.
   *
   * @param nets the address is in one of these; any when empty
   * @param selector the address is one of an endpoint with matching labels; any when absent
   * @param ports the port is one of these; any when empty
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Entity(List<Cidr> nets, Optional<String> selector, List<PortRange> ports) {
    @JsonCreator
    public Entity {
      nets = Absent.orEmpty(nets);
      selector = Absent.orEmpty(selector);
      ports = Absent.orEmpty(ports);
      selector.ifPresent(
          text -> {
            try {
              Selector.parse(text);
            } catch (InvalidInputException e) {
              throw e.within("selector");
            }
          });
    }

    public Optional<Selector> parsedSelector() {
      return selector.map(Selector::parse);
    }
  }
}

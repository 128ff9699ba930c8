package io.wayleave.test.lab;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.IpAddress;
import java.util.List;

/** A running container of the lab. Safe from any thread; calls block. */
public final class LabContainer {
  private static final String INTERFACE = "eth0";

  private final LabHost host;
  private final ContainerRecord record;
  private final ContainerRuntime runtime;

  LabContainer(LabHost host, ContainerRecord record, ContainerRuntime runtime) {
    this.host = host;
    this.record = record;
    this.runtime = runtime;
  }

  public String name() {
    return record.name();
  }

  public LabHost host() {
    return host;
  }

  public RuntimeKind runtimeKind() {
    return record.runtime();
  }

  ContainerRuntime runtime() {
    return runtime;
  }

  /** How the runtime names it to CNI. */
  public String cniContainerId() {
    return runtime.cniContainerId(name());
  }

  /**
   * A path to its network namespace that works anywhere on the machine: through the host's first
   * process into the host's own /proc.
   */
  public String networkPath() {
    return "/proc/" + host.init() + "/root/proc/" + runtime.pid(name()) + "/ns/net";
  }

  /** The words before a command that is to run in the container's network, with the lab's files. */
  public List<String> network() {
    return NetNs.path(networkPath());
  }

  /** Its IPv4 address, read from the interface itself. */
  public IpAddress address() {
    JsonNode links =
        Json.read(
            "ip address",
            Command.of("ip", "-json", "-4", "address", "show", "dev", INTERFACE)
                .at(network())
                .check());
    for (JsonNode info : links.path(0).path("addr_info")) {
      return IpAddress.parse(info.path("local").asText());
    }
    throw new LabException(host.name() + "/" + name() + " has no IPv4 address on " + INTERFACE);
  }

  /** The command by which the runtime executes something in the container. */
  List<String> exec(boolean terminal, List<String> command) {
    return runtime.exec(name(), terminal, command);
  }

  @Override
  public String toString() {
    return host.name() + "/" + name();
  }
}

package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The CNI configuration of a host's containers. */
final class CniConf {
  /** The newest that podman 4.3 and containerd 1.6 speak. */
  private static final String CNI_VERSION = "1.0.0";

  /** The agent's socket as the runtimes' mount namespace sees it. */
  private static final String AGENT_SOCKET = "/run/wayleave/agent.sock";

  private final Topology.Host host;
  private final LabSpec spec;

  CniConf(Topology.Host host, LabSpec spec) {
    this.host = host;
    this.spec = spec;
  }

  /** Writes the network as the only one of a folder. */
  void write(Path folder, Map<String, String> labels) {
    Map<String, Object> list = new LinkedHashMap<>();
    list.put("cniVersion", CNI_VERSION);
    list.put("name", PodmanRuntime.NETWORK);
    list.put("plugins", List.of(spec.agents() ? wayleave(labels) : reference()));
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("10-wayleave.conflist"), Json.write(list));
    } catch (IOException e) {
      throw new UncheckedIOException("CNI configuration cannot be written: " + folder, e);
    }
  }

  /** The plugin entry, as Wayleave is configured on the hosts. */
  static Map<String, Object> wayleave(Map<String, String> labels) {
    Map<String, Object> plugin = new LinkedHashMap<>();
    plugin.put("type", "wayleave");
    plugin.put("agentSocket", AGENT_SOCKET);
    if (!labels.isEmpty()) {
      plugin.put("labels", labels);
    }
    return plugin;
  }

  /** Without agents: the plainest reference plugin, addresses from a part of the pool. */
  private Map<String, Object> reference() {
    return Map.of(
        "type",
        "ptp",
        "ipam",
        Map.of(
            "type",
            "host-local",
            "dataDir",
            "/run/host-local",
            "subnet",
            "10.244." + (host.rack() * LabSpec.MAX_HOSTS + host.number()) % 256 + ".0/24",
            "routes",
            List.of(Map.of("dst", "0.0.0.0/0"))));
  }
}

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
  static final String VERSION = "1.0.0";

  private final Topology.Host host;
  private final LabSpec spec;
  private final LabAgent agent;

  CniConf(Topology.Host host, LabSpec spec, LabAgent agent) {
    this.host = host;
    this.spec = spec;
    this.agent = agent;
  }

  /** Writes the network as the only one of a folder. */
  void write(Path folder, Map<String, String> labels) {
    Map<String, Object> list = new LinkedHashMap<>();
    list.put("cniVersion", VERSION);
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
  Map<String, Object> wayleave(Map<String, String> labels) {
    Map<String, Object> plugin = new LinkedHashMap<>();
    plugin.put("type", "wayleave");
    // The lab's folder is at the same place in the runtimes' mount namespace and in the agent's.
    plugin.put("agentSocket", agent.agentSocket().toString());
    plugin.put("spoolDir", agent.spool().toString());
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

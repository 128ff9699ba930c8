package io.wayleave.test.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** netctl, told where the lab's datastore and a host's agent are. */
final class Netctl {
  private final List<String> network;
  private final LabHost host;

  /**
   * @param network where it runs: a namespace that reaches etcd
   * @param host whose agent it asks
   */
  Netctl(List<String> network, LabHost host) {
    this.network = network;
    this.host = host;
  }

  Command command(List<String> arguments) {
    List<String> argv = new ArrayList<>();
    argv.add(Installation.find().netctl().toString());
    argv.addAll(arguments);
    return Command.of(argv)
        .at(network)
        .environment(
            Map.of(
                "WAYLEAVE_DATASTORE",
                Topology.datastoreUrl(),
                "WAYLEAVE_ADMIN_SOCKET",
                host.agent().adminSocket().toString()));
  }

  Command command(String... arguments) {
    return command(List.of(arguments));
  }
}

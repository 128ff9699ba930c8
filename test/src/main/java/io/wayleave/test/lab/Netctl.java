package io.wayleave.test.lab;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** netctl, told where the lab's datastore and a host's agent are. */
final class Netctl {
  /** A lab on a busy machine is slow and not broken. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final List<String> network;
  private final String datastore;
  private final LabHost host;

  /**
   * @param network where it runs: a namespace that reaches the datastore
   * @param datastore the URL
   * @param host whose agent it asks
   */
  Netctl(List<String> network, String datastore, LabHost host) {
    this.network = network;
    this.datastore = datastore;
    this.host = host;
  }

  /** The command as a user gives it. */
  Command command(List<String> arguments) {
    return command(Installation.find(), arguments);
  }

  /** The command of another build of Wayleave. */
  Command command(Installation installation, List<String> arguments) {
    List<String> argv = new ArrayList<>();
    argv.add(installation.netctl().toString());
    argv.addAll(arguments);
    return Command.of(argv)
        .at(network)
        .environment(
            Map.of(
                "WAYLEAVE_DATASTORE",
                datastore,
                "WAYLEAVE_ADMIN_SOCKET",
                host.agent().adminSocket().toString()));
  }

  /** The command as the lab itself gives it, on its way to something else. */
  Command patient(String... arguments) {
    List<String> all = new ArrayList<>(List.of("--timeout", PATIENCE.toSeconds() + "s"));
    all.addAll(List.of(arguments));
    return command(all).within(PATIENCE.multipliedBy(2));
  }
}

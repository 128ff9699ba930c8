package io.wayleave.test.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * The lab's datastore: one etcd in a namespace of its own behind the spine. Safe from any thread;
 * calls block.
 */
public final class Etcd {
  private static final String PROCESS = "etcd";
  private static final Duration START_DEADLINE = Duration.ofSeconds(20);
  private static final Duration STOP_DEADLINE = Duration.ofSeconds(10);

  private final String namespace;
  private final Daemons daemons;
  private final StateFile state;
  private final Path directory;

  Etcd(String namespace, Daemons daemons, StateFile state, Path directory) {
    this.namespace = namespace;
    this.daemons = daemons;
    this.state = state;
    this.directory = directory;
  }

  /** Starts it, with the data of an earlier run, and returns when it serves. */
  public void start() {
    String url = "http://" + Topology.ETCD + ":" + Topology.ETCD_PORT;
    String peerUrl = "http://127.0.0.1:2380";
    Path log = directory.resolve("etcd.log");
    ProcessRecord process =
        daemons.start(
            PROCESS,
            log,
            Map.of(),
            NetNs.in(
                namespace,
                "etcd",
                "--name",
                "lab",
                "--data-dir",
                directory.resolve("data").toString(),
                "--listen-client-urls",
                url,
                "--advertise-client-urls",
                url,
                "--listen-peer-urls",
                peerUrl,
                "--initial-advertise-peer-urls",
                peerUrl,
                "--initial-cluster",
                "lab=" + peerUrl,
                "--logger",
                "zap"));
    daemons.awaitReady(process, log, START_DEADLINE, this::isHealthy);
  }

  /** Ends it; its data stays. */
  public void stop() {
    ProcessRecord process =
        state
            .require()
            .process(PROCESS)
            .orElseThrow(() -> new LabException("etcd was never started"));
    if (!process.terminate(STOP_DEADLINE)) {
      process.kill();
    }
  }

  /** Whether it answers a linearizable read over the network. */
  public boolean isHealthy() {
    return Command.of(
            "etcdctl",
            "--endpoints",
            "http://" + Topology.ETCD + ":" + Topology.ETCD_PORT,
            "--dial-timeout=1s",
            "--command-timeout=2s",
            "endpoint",
            "health")
        .environment(Map.of("ETCDCTL_API", "3"))
        .at(NetNs.named(namespace))
        .run()
        .succeeded();
  }
}

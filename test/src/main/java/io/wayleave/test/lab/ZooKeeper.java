package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** The lab's ZooKeeper: one server, in the place where another lab has its etcd. */
public final class ZooKeeper implements Store {
  private static final String PROCESS = "zookeeper";
  private static final Duration START_DEADLINE = Duration.ofSeconds(30);
  private static final Duration STOP_DEADLINE = Duration.ofSeconds(10);

  private final String namespace;
  private final Daemons daemons;
  private final Path directory;

  ZooKeeper(String namespace, Daemons daemons, Path directory) {
    this.namespace = namespace;
    this.daemons = daemons;
    this.directory = directory;
  }

  @Override
  public StoreKind kind() {
    return StoreKind.ZOOKEEPER;
  }

  @Override
  public void start() {
    Path configuration = directory.resolve("zoo.cfg");
    try {
      Files.createDirectories(directory);
      Files.writeString(
          configuration,
          """
          dataDir=%s
          clientPortAddress=%s
          clientPort=%d
          tickTime=1000
          admin.enableServer=false
          4lw.commands.whitelist=ruok
          """
              .formatted(directory.resolve("data"), Topology.ETCD, kind().port()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Path log = directory.resolve("zookeeper.log");
    ProcessRecord process =
        daemons.start(
            PROCESS,
            log,
            Map.of(),
            NetNs.in(
                namespace,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "org.apache.zookeeper.server.ZooKeeperServerMain",
                configuration.toString()));
    daemons.awaitReady(process, log, START_DEADLINE, this::isHealthy);
  }

  @Override
  public void stop() {
    daemons.stop(PROCESS, STOP_DEADLINE);
  }

  @Override
  public boolean isHealthy() {
    String ask =
        "exec 3<>/dev/tcp/%s/%d; printf ruok >&3; cat <&3".formatted(Topology.ETCD, kind().port());
    return Command.of("timeout", "2", "bash", "-c", ask)
        .at(NetNs.named(namespace))
        .run()
        .out()
        .equals("imok");
  }
}

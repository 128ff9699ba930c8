package io.wayleave.cni;

import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.ipam.GarbageCollector;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpPool;
import io.wayleave.model.Metadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A host in a network namespace with the real launcher, the real server, real veth pairs and real
 * IPAM over a datastore in memory. Only the dataplane is a fake, with real routes.
 */
final class CniWorld implements AutoCloseable {
  static final String NODE = "h1";
  static final String HOST_V4 = "10.99.0.1";
  static final String HOST_V6 = "fd99::1";

  final Namespace host;
  final MemoryDatastore datastore = new MemoryDatastore(Duration.ofSeconds(5));
  final FakeDataplane dataplane = FakeDataplane.withRoutes();
  final Faults faults = new Faults();
  final Path socket;
  final Path spoolDir;

  private final List<Namespace> containers = new ArrayList<>();
  private final Duration addTimeout;
  private volatile Duration lateWriteTime = Duration.ofSeconds(20);
  private volatile Readiness readiness = timeout -> Optional.empty();
  private Optional<CniServer> server = Optional.empty();

  private CniWorld(Namespace host, Path directory, Duration addTimeout) {
    this.host = host;
    this.socket = directory.resolve("agent.sock");
    this.spoolDir = directory.resolve("spool");
    this.addTimeout = addTimeout;
  }

  static CniWorld create(Path directory) throws Exception {
    return create(directory, Duration.ofSeconds(10));
  }

  /** With two pools, and the server started. */
  static CniWorld create(Path directory, Duration addTimeout) throws Exception {
    CniWorld world = new CniWorld(Namespace.create(), directory, addTimeout);
    try {
      world.host.addAddress(HOST_V4);
      world.host.addAddress(HOST_V6);
      Pools pools = new Pools(world.datastore);
      Deadline deadline = Deadline.after(Duration.ofSeconds(10));
      pools.create(pool("v4", "10.1.0.0/24", 26), deadline);
      pools.create(pool("v6", "fd00:1::/112", 122), deadline);
      world.start();
      return world;
    } catch (Exception e) {
      world.close();
      throw e;
    }
  }

  private static IpPool pool(String name, String cidr, int blockSize) {
    return new IpPool(Metadata.of(name), IpPool.Spec.of(Cidr.parse(cidr), blockSize));
  }

  /** Starts the server as a new agent would, with nothing in memory. */
  void start() throws IOException {
    EndpointStore store =
        new IpamEndpointStore(new Ipam(datastore, NODE, Map::of, IpamOptions.defaults()));
    CniOptions options =
        new CniOptions(
            NODE,
            socket,
            spoolDir,
            () -> 1450,
            addTimeout,
            Duration.ofSeconds(10),
            Duration.ofMillis(20),
            lateWriteTime);
    // Threads that it starts are inside the namespace as well.
    server =
        Optional.of(
            host.get()
                .run(
                    () ->
                        CniServer.start(
                            options,
                            faults.wiring(new VethWiring()),
                            faults.store(store),
                            faults.dataplane(dataplane),
                            timeout -> readiness.awaitReady(timeout))));
  }

  void stop() {
    server.ifPresent(CniServer::close);
    server = Optional.empty();
  }

  GarbageCollector.Containers containers() {
    return server.orElseThrow().containers();
  }

  /** Of the next server that is started. */
  void setLateWriteTime(Duration time) {
    lateWriteTime = time;
  }

  void setReadiness(Readiness other) {
    readiness = other;
  }

  Namespace container() throws IOException {
    Namespace container = Namespace.create();
    containers.add(container);
    return container;
  }

  Launcher launcher(String command, String containerId, Namespace container) {
    return launcher(command, containerId).with("CNI_NETNS", container.path());
  }

  Launcher launcher(String command, String containerId) {
    return Launcher.of(command, containerId, "eth0")
        .with("WAYLEAVE_SOCKET", socket.toString())
        .with("WAYLEAVE_SPOOL", spoolDir.toString())
        .config("{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"wayleave\"}");
  }

  /** An ADD that must succeed. */
  Launcher.Outcome add(String containerId, Namespace container) throws Exception {
    Launcher.Outcome outcome = launcher("ADD", containerId, container).run();
    if (outcome.exitStatus() != 0) {
      throw new AssertionError("ADD failed: " + outcome.output());
    }
    return outcome;
  }

  AttachmentRecords records() throws IOException {
    return AttachmentRecords.open(spoolDir);
  }

  DelSpool spool() throws IOException {
    return DelSpool.open(spoolDir);
  }

  String generationOf(String containerId) throws IOException {
    return records().read(new AttachmentKey(containerId, "eth0")).orElseThrow().generation();
  }

  /** Everything that an attachment could leave behind outside of its container, in words. */
  List<String> contents() throws IOException {
    List<String> contents = new ArrayList<>();
    host.contents().forEach(each -> contents.add("host " + each));
    Deadline deadline = Deadline.after(Duration.ofSeconds(10));
    for (String prefix : List.of("ipam/handles/", "resources/workloadendpoints/")) {
      for (Entry entry : datastore.listAll(prefix, deadline).entries()) {
        contents.add("datastore " + entry.key());
      }
    }
    try (Stream<Path> files = Files.walk(spoolDir)) {
      files.filter(Files::isRegularFile).forEach(file -> contents.add("file " + file));
    }
    dataplane.inForce().forEach(name -> contents.add("policy " + name));
    dataplane.announced().forEach(name -> contents.add("announcement " + name));
    contents.sort(String::compareTo);
    return contents;
  }

  @Override
  public void close() throws IOException {
    stop();
    for (Namespace container : containers) {
      container.close();
    }
    host.close();
    datastore.close();
  }
}

package io.wayleave.test.lab;

import io.wayleave.model.Cidr;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A fabric on one machine: racks of hosts with a top-of-rack switch each, a spine, and an etcd or
 * ZooKeeper, all in network namespaces (see {@link Topology}), with real routing daemons and
 * container runtimes.
 *
 * <p>A lab outlives the process that made it: its state is in a folder, and any process opens it by
 * name. Needs root. Safe from any thread; calls block.
 */
public final class Lab implements AutoCloseable {
  /** The folder of all labs of this machine. */
  static final Path ROOT = Path.of("/var/lib/wayleave-lab");

  private static final Duration FABRIC_DEADLINE = Duration.ofSeconds(30);

  private final LabSpec spec;
  private final Path directory;
  private final Topology topology;
  private final Map<String, Router> routers = new LinkedHashMap<>();
  private final Map<String, LabHost> hosts = new LinkedHashMap<>();
  private final Store store;
  private final Faults faults;

  private Lab(LabSpec spec, Path directory) {
    this.spec = spec;
    this.directory = directory;
    this.topology = new Topology(spec);
    StateFile state = new StateFile(directory);
    Daemons daemons = new Daemons(state);
    for (Topology.Tor tor : topology.tors()) {
      RouterPlan plan = RouterPlan.of(topology, tor);
      Path folder = directory.resolve(tor.name());
      routers.put(
          tor.name(),
          switch (tor.kind()) {
            case BIRD -> new BirdRouter(plan, daemons, folder);
            case FRR -> new FrrRouter(plan, daemons, folder);
          });
    }
    if (spec.shape().hasTors()) {
      routers.put(
          "spine",
          new BirdRouter(RouterPlan.ofSpine(topology), daemons, directory.resolve("spine")));
    }
    this.faults = new Faults(this, state);
    this.store =
        switch (spec.datastore()) {
          case ETCD -> new Etcd(topology.etcdNamespace(), daemons, directory.resolve("etcd"));
          case ZOOKEEPER ->
              new ZooKeeper(topology.etcdNamespace(), daemons, directory.resolve("zookeeper"));
        };
    for (Topology.Host host : topology.hosts()) {
      hosts.put(host.name(), new LabHost(host, spec, daemons, state, directory));
    }
  }

  /** Makes a lab. When any part of it fails, all of it is taken down again. */
  public static Lab up(LabSpec spec, Progress progress) {
    Path directory = ROOT.resolve(spec.name());
    if (new StateFile(directory).read().isPresent()
        || !Teardown.namespaces(spec.name()).isEmpty()) {
      throw new LabException(
          "lab " + spec.name() + " is up already, wholly or in part; take it down first");
    }
    Lab lab = new Lab(spec, directory);
    try {
      lab.build(progress);
      return lab;
    } catch (RuntimeException e) {
      try {
        down(spec.name());
      } catch (RuntimeException failed) {
        e.addSuppressed(failed);
      }
      throw e;
    }
  }

  /** The lab of that name, made earlier by this process or another. */
  public static Optional<Lab> find(String name) {
    Path directory = ROOT.resolve(LabSpec.requireName(name));
    return new StateFile(directory).read().map(state -> new Lab(state.spec(), directory));
  }

  /** Takes a lab down, whatever is left of it. Nothing to do is no error. */
  public static void down(String name) {
    new Teardown(LabSpec.requireName(name), ROOT.resolve(name)).run();
  }

  /** Takes this lab down. */
  @Override
  public void close() {
    down(spec.name());
  }

  public LabSpec spec() {
    return spec;
  }

  public Router router(String name) {
    return found("router", name, routers.get(name), String.join(", ", routers.keySet()));
  }

  /** The switch of a rack, counted from 1; the first where there are two. */
  public Router tor(int rack) {
    return tors(rack).getFirst();
  }

  /** The switches of a rack, counted from 1. */
  public List<Router> tors(int rack) {
    List<Router> found =
        topology.tors().stream()
            .filter(tor -> tor.rack() == rack)
            .map(tor -> router(tor.name()))
            .toList();
    if (found.isEmpty()) {
      throw new LabException(
          "the lab has no switch in rack " + rack + "; it has racks 1 to " + spec.racks());
    }
    return found;
  }

  /** All switches and the spine. */
  public List<Router> routers() {
    return List.copyOf(routers.values());
  }

  public LabHost host(String name) {
    return found("host", name, hosts.get(name), String.join(", ", hosts.keySet()));
  }

  public List<LabHost> hosts() {
    return List.copyOf(hosts.values());
  }

  /** What can be made to fail. */
  public Faults faults() {
    return faults;
  }

  /** The datastore. */
  public Store store() {
    return store;
  }

  /** The datastore of a lab that has an etcd. */
  public Etcd etcd() {
    if (store instanceof Etcd etcd) {
      return etcd;
    }
    throw new LabException(
        "lab " + spec.name() + " has no etcd; its datastore is " + store.kind().label());
  }

  /** All containers that the lab started and has not removed. */
  public List<LabContainer> containers() {
    return new StateFile(directory)
        .require().containers().stream().map(c -> host(c.host()).container(c.name())).toList();
  }

  /**
   * Runs a command on the caller's terminal, in a host's network or in a container.
   *
   * @param where {@code HOST} or {@code HOST/CONTAINER}
   * @return the command's exit status
   */
  int exec(String where, List<String> command) {
    int slash = where.indexOf('/');
    if (slash < 0) {
      return Command.of(command).at(host(where).network()).attached();
    }
    LabContainer container = host(where.substring(0, slash)).container(where.substring(slash + 1));
    return Command.of(container.exec(Terminal.isInput(), command)).attached();
  }

  Topology topology() {
    return topology;
  }

  Path directory() {
    return directory;
  }

  private void build(Progress progress) {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    new StateFile(directory).create(new LabState(spec, List.of(), List.of()));
    progress.step("namespaces and cables", new Underlay(topology)::create);
    List<Runnable> steps = new ArrayList<>();
    for (Router router : routers()) {
      steps.add(
          () -> progress.step(router.name() + " (" + router.kind().label() + ")", router::start));
    }
    steps.add(() -> progress.step(store.kind().label(), store::start));
    for (LabHost host : hosts.values()) {
      steps.add(() -> progress.step(host.name() + ": containerd, podman", host::start));
    }
    Parallel.run(steps);
    progress.step("every host reaches the datastore", this::awaitFabric);
    if (spec.agents()) {
      startAgents(progress);
    }
  }

  private void startAgents(Progress progress) {
    List<Runnable> steps = new ArrayList<>();
    steps.add(
        () ->
            progress.step("pool and peers: netctl apply", () -> apply(Manifests.fabric(topology))));
    for (LabHost host : hosts.values()) {
      steps.add(() -> progress.step(host.name() + ": agent", host.agent()::start));
    }
    Parallel.run(steps);
    for (Topology.Host reflector : topology.reflectors()) {
      progress.step(
          reflector.name() + " reflects routes: netctl node", () -> makeReflector(reflector));
    }
    progress.step("every agent has its BGP sessions", this::awaitSessions);
  }

  private void makeReflector(Topology.Host host) {
    netctl("node", "reflector", host.name(), host.ipv4().toString()).check();
    netctl("node", "label", host.name(), Manifests.REFLECTOR_LABEL + "=true").check();
  }

  /** Waits until every host has each session that the shape gives it. */
  public void awaitSessions() {
    for (LabHost host : hosts.values()) {
      if (spec.shape().hasTors()) {
        for (Router tor : tors(host.place().rack())) {
          Await.until(
              tor.name() + " has a BGP session with " + host.name(),
              FABRIC_DEADLINE,
              () -> tor.session(host.name()).established(),
              () -> tor.sessions() + "\n" + host.agent().status());
        }
      } else {
        List<Topology.Host> reflectors = topology.reflectors();
        int wanted =
            reflectors.isEmpty() || reflectors.contains(host.place())
                ? hosts.size() - 1
                : reflectors.size();
        Await.until(
            host.name() + " has " + wanted + " BGP sessions",
            FABRIC_DEADLINE,
            () -> host.agent().establishedSessions() == wanted,
            () -> String.valueOf(host.agent().status()));
      }
    }
  }

  /** Applies a manifest. */
  public void apply(String manifest) {
    netctl("apply", "-f", "-").input(manifest).check();
  }

  /** netctl beside etcd, asking the first host's agent. */
  Command netctl(String... arguments) {
    return netctl(Optional.empty()).patient(arguments);
  }

  /** netctl on a host, or beside etcd. */
  Netctl netctl(Optional<String> host) {
    return host.map(name -> new Netctl(host(name).network(), spec.datastore().url(), host(name)))
        .orElseGet(
            () ->
                new Netctl(
                    NetNs.named(topology.etcdNamespace()),
                    spec.datastore().url(),
                    hosts.values().iterator().next()));
  }

  private void awaitFabric() {
    for (Topology.Tor tor : topology.tors()) {
      Router router = router(tor.name());
      Await.until(
          tor.name() + " has a BGP session with the spine",
          FABRIC_DEADLINE,
          () -> router.session("spine").established(),
          () -> String.valueOf(router.sessions()));
      if (!spec.shape().hasSegment()) {
        Await.until(
            tor.name() + " has heard of etcd's network",
            FABRIC_DEADLINE,
            () -> router.bgpRoutes().contains(Cidr.parse("10.90.0.0/24")),
            () -> String.valueOf(router.bgpRoutes()));
      }
    }
    for (LabHost host : hosts.values()) {
      Await.until(
          host.name() + " reaches etcd",
          FABRIC_DEADLINE,
          () -> Ping.once(host.network(), Topology.ETCD),
          host::routes);
    }
  }

  private static <T> T found(String what, String name, T value, String allowed) {
    if (value == null) {
      throw new LabException("the lab has no " + what + " " + name + "; it has " + allowed);
    }
    return value;
  }
}

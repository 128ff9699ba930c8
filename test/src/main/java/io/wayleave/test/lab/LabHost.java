package io.wayleave.test.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One host of the lab: a network namespace, and in it a process tree with mounts and pids of its
 * own (see {@code host.sh}) in which the container runtimes live. The agent runs beside that tree,
 * in the host's network namespace only, as an agent does under systemd: it sees neither the
 * runtimes' mounts nor their pids.
 *
 * <p>Safe from any thread; calls block.
 */
public final class LabHost {
  private static final Duration START_DEADLINE = Duration.ofSeconds(10);
  private static final Path REFERENCE_PLUGINS = Path.of("/usr/lib/cni");
  private static final Pattern CONTAINER_NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}");

  /** Stays until it is told to end, and collects what is executed in the container. */
  private static final List<String> STAY =
      List.of("/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done");

  private final Topology.Host place;
  private final LabSpec spec;
  private final Daemons daemons;
  private final StateFile state;
  private final Path labDirectory;
  private final Path directory;
  private final CniConf cniConf;
  private final LabAgent agent;
  private final PodmanRuntime podman;
  private final ContainerdRuntime containerd;

  LabHost(Topology.Host place, LabSpec spec, Daemons daemons, StateFile state, Path labDirectory) {
    this.place = place;
    this.spec = spec;
    this.daemons = daemons;
    this.state = state;
    this.labDirectory = labDirectory;
    this.directory = labDirectory.resolve(place.name());
    this.agent = new LabAgent(this, daemons, state);
    this.cniConf = new CniConf(place, spec, agent);
    this.podman = new PodmanRuntime(this);
    this.containerd = new ContainerdRuntime(this, daemons, state);
  }

  public String name() {
    return place.name();
  }

  public String namespace() {
    return place.namespace();
  }

  /** The words before a command that is to run in the host's network namespace. */
  public List<String> network() {
    return NetNs.named(place.namespace());
  }

  /** The host's agent, whether it runs or not. */
  public LabAgent agent() {
    return agent;
  }

  Topology.Host place() {
    return place;
  }

  Path file(String name) {
    return directory.resolve(name);
  }

  /** The folder with the host's own CNI configuration. */
  Path netConf() {
    return file("cni").resolve("net.d");
  }

  Path containerDirectory(String container) {
    return file("containers").resolve(container);
  }

  /** The cgroup, in every hierarchy, that holds the host's containers. */
  String cgroup() {
    return place.namespace();
  }

  /** Starts the host's process tree and its containerd. */
  void start() {
    try {
      for (Path folder :
          List.of(file("run"), file("cni").resolve("bin"), netConf(), file("containerd"))) {
        Files.createDirectories(folder);
      }
      installPlugins(file("cni").resolve("bin"));
      cniConf.write(netConf(), Map.of());
      Files.writeString(file("containers.conf"), PodmanRuntime.configuration());
      Files.writeString(file("containerd.toml"), containerd.configuration());
      Files.deleteIfExists(file("ready"));
    } catch (IOException e) {
      throw new UncheckedIOException("files of " + name() + " cannot be written", e);
    }
    ProcessRecord process =
        daemons.start(
            treeName(),
            file("host.log"),
            Map.of(),
            NetNs.in(
                place.namespace(),
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                script(),
                "lab-host",
                directory.toString(),
                labDirectory.toString()));
    daemons.awaitReady(
        process, file("host.log"), START_DEADLINE, () -> Files.exists(file("ready")));
    containerd.start();
  }

  private void installPlugins(Path bin) throws IOException {
    try (Stream<Path> reference = Files.list(REFERENCE_PLUGINS)) {
      for (Path plugin : reference.toList()) {
        Path link = bin.resolve(plugin.getFileName());
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, plugin);
      }
    }
    if (spec.agents()) {
      // A copy: the built tree may lie where the host sees a folder of its own.
      Files.copy(
          Installation.find().cniPlugin(),
          bin.resolve("wayleave"),
          StandardCopyOption.REPLACE_EXISTING,
          StandardCopyOption.COPY_ATTRIBUTES);
    }
  }

  /** The words before a command that is to run among the host's runtimes. */
  List<String> inside() {
    return List.of("nsenter", "-t", Long.toString(init()), "-n", "-m", "-p");
  }

  /** The first process of the host's tree, by its number in the initial pid namespace. */
  long init() {
    ProcessRecord tree =
        state
            .require()
            .process(treeName())
            .filter(ProcessRecord::isAlive)
            .orElseThrow(() -> new LabException("host " + name() + " is not up"));
    Path children =
        Path.of("/proc", Long.toString(tree.pid()), "task", Long.toString(tree.pid()), "children");
    try {
      return Long.parseLong(Files.readString(children).strip());
    } catch (IOException | NumberFormatException e) {
      throw new LabException("host " + name() + " has lost its first process", e);
    }
  }

  /** Starts a container that stays, by the rack's preferred runtime. */
  public LabContainer run(String container) {
    return run(container, place.preferredRuntime(), Map.of(), List.of());
  }

  /** Starts a labelled container that stays, by the rack's preferred runtime. */
  public LabContainer run(String container, Map<String, String> labels) {
    return run(container, place.preferredRuntime(), labels, List.of());
  }

  /**
   * Starts a container. A failure leaves nothing of it and carries what the runtime and the CNI
   * plugin said.
   *
   * @param command empty for one that stays until it is removed
   */
  public LabContainer run(
      String container, RuntimeKind runtime, Map<String, String> labels, List<String> command) {
    if (!CONTAINER_NAME.matcher(container).matches()) {
      throw new LabException(
          "container name \"" + container + "\": 1 to 63 letters, digits, and _ . - are allowed");
    }
    if (state.require().container(name(), container).isPresent()) {
      throw new LabException(name() + " has a container " + container + " already");
    }
    Path folder = containerDirectory(container);
    Path netConf = folder.resolve("net.d");
    ContainerRecord record = new ContainerRecord(name(), container, runtime, labels);
    state.update(s -> s.with(record));
    try {
      Rootfs.create(folder.resolve("rootfs"));
      cniConf.write(netConf, labels);
      runtime(runtime)
          .run(container, folder.resolve("rootfs"), netConf, command.isEmpty() ? STAY : command);
    } catch (RuntimeException e) {
      state.update(s -> s.withoutContainer(name(), container));
      Teardown.deleteTree(folder);
      throw e;
    }
    return new LabContainer(this, record, runtime(runtime));
  }

  /** A container that runs here, also one that another process started. */
  public LabContainer container(String container) {
    return find(container)
        .orElseThrow(() -> new LabException(name() + " has no container " + container));
  }

  Optional<LabContainer> find(String container) {
    return state
        .require()
        .container(name(), container)
        .map(record -> new LabContainer(this, record, runtime(record.runtime())));
  }

  /** Removes a container: the runtime ends it and calls the plugin's DEL. */
  public void remove(String container) {
    LabContainer found = container(container);
    Path folder = containerDirectory(container);
    found.runtime().remove(container, folder.resolve("net.d"));
    state.update(s -> s.withoutContainer(name(), container));
    Teardown.deleteTree(folder);
  }

  /**
   * Executes the CNI plugin as a runtime does, among the host's runtimes.
   *
   * @param verb ADD, DEL, CHECK, …
   * @param netns a path as the host's runtimes see it; may be empty for DEL
   */
  Command.Result cni(String verb, String containerId, String netns, Map<String, String> labels) {
    Map<String, Object> conf = new LinkedHashMap<>(cniConf.wayleave(labels));
    conf.put("cniVersion", CniConf.VERSION);
    conf.put("name", PodmanRuntime.NETWORK);
    return Command.of("/opt/cni/bin/wayleave")
        .at(inside())
        .environment(
            Map.of(
                "CNI_COMMAND",
                verb,
                "CNI_CONTAINERID",
                containerId,
                "CNI_NETNS",
                netns,
                "CNI_IFNAME",
                "eth0",
                "CNI_PATH",
                "/opt/cni/bin"))
        .input(Json.write(conf))
        .within(Duration.ofMinutes(2))
        .run();
  }

  /** The plugin entry of the host's network, without name and version. */
  Map<String, Object> wayleaveConf() {
    return cniConf.wayleave(Map.of());
  }

  /** What {@code ip route} shows in the host. */
  public String routes() {
    return Command.of("ip", "route").at(network()).check();
  }

  private ContainerRuntime runtime(RuntimeKind kind) {
    return switch (kind) {
      case PODMAN -> podman;
      case CONTAINERD -> containerd;
    };
  }

  private String treeName() {
    return name() + "/tree";
  }

  private static String script() {
    try (InputStream stream =
        Objects.requireNonNull(
            LabHost.class.getResourceAsStream("host.sh"), "host.sh is not in the jar")) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

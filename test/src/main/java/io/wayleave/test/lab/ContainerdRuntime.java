package io.wayleave.test.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A containerd of the host's own, driven by {@code ctr}. {@code ctr run --cni} executes the CNI
 * plugin itself and calls DEL only when it stays in the foreground until the container ends, so
 * each container has such a {@code ctr} process beside it.
 */
final class ContainerdRuntime implements ContainerRuntime {
  private static final Duration START_DEADLINE = Duration.ofSeconds(30);
  private static final Duration RUN_DEADLINE = Duration.ofMinutes(2);
  private static final Duration REMOVE_DEADLINE = Duration.ofMinutes(2);
  private static final Duration TERMINATE_DEADLINE = Duration.ofSeconds(2);

  private final LabHost host;
  private final Daemons daemons;
  private final StateFile state;

  ContainerdRuntime(LabHost host, Daemons daemons, StateFile state) {
    this.host = host;
    this.daemons = daemons;
    this.state = state;
  }

  @Override
  public RuntimeKind kind() {
    return RuntimeKind.CONTAINERD;
  }

  String configuration() {
    return """
    version = 2
    root = "%s"
    state = "/run/containerd"
    disabled_plugins = [
      "io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
      "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
      "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt",
    ]
    [grpc]
      address = "%s"
    """
        .formatted(host.file("containerd"), socket());
  }

  /** Starts the daemon and returns when it answers. */
  void start() {
    Path log = host.file("containerd.log");
    List<String> argv = new ArrayList<>(host.inside());
    argv.addAll(List.of("containerd", "-c", host.file("containerd.toml").toString()));
    ProcessRecord process = daemons.start(host.name() + "/containerd", log, Map.of(), argv);
    daemons.awaitReady(
        process,
        log,
        START_DEADLINE,
        () -> Files.exists(socket()) && ctr("version").run().succeeded());
  }

  @Override
  public void run(String name, Path rootfs, Path netConf, List<String> command) {
    Path log = log(name);
    List<String> argv = new ArrayList<>(host.inside());
    // ctr knows one place for CNI configuration.
    argv.addAll(List.of("unshare", "--mount", "sh", "-c"));
    argv.addAll(List.of("mount --bind \"$0\" /etc/cni/net.d && exec \"$@\"", netConf.toString()));
    argv.addAll(ctrArgv("run", "--rm", "--cni", "--env", "PATH=/bin"));
    argv.addAll(List.of("--rootfs", rootfs.toString(), name));
    argv.addAll(command);
    ProcessRecord process = daemons.start(processName(name), log, Map.of(), argv);
    try {
      // ctr sets the network up between creating the task and starting it.
      daemons.awaitReady(process, log, RUN_DEADLINE, () -> runningPid(name).isPresent());
    } catch (LabException e) {
      throw new LabException(
          "containerd on " + host.name() + " could not run " + name + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void remove(String name, Path netConf) {
    ProcessRecord process =
        state
            .require()
            .process(processName(name))
            .orElseThrow(() -> new LabException(host.name() + " has no container " + name));
    kill(name, "SIGTERM");
    if (!Await.holds(TERMINATE_DEADLINE, () -> !process.isAlive())) {
      kill(name, "SIGKILL");
    }
    Await.until(
        "ctr of " + name + " ends after its container",
        REMOVE_DEADLINE,
        () -> !process.isAlive(),
        () -> Daemons.tail(log(name)));
    state.update(s -> s.withoutProcess(process.name()));
    String said = Daemons.tail(log(name));
    if (said.contains("level=error")) {
      throw new LabException(
          "containerd on " + host.name() + " did not remove " + name + " cleanly. " + said);
    }
  }

  /** A container that ended by itself meanwhile is as good as killed. */
  private void kill(String name, String signal) {
    Command.Result result = ctr("task", "kill", "--signal", signal, name).run();
    if (!result.succeeded() && !result.err().contains("not found")) {
      throw new LabException(
          "containerd on " + host.name() + " could not end " + name + ": " + result.text());
    }
  }

  @Override
  public long pid(String name) {
    return runningPid(name)
        .orElseThrow(() -> new LabException(host.name() + " runs no container " + name));
  }

  private Optional<Long> runningPid(String name) {
    return ctr("task", "ls")
        .check()
        .lines()
        .map(line -> line.strip().split("\\s+", -1))
        .filter(f -> f.length == 3 && f[0].equals(name) && f[2].equals("RUNNING"))
        .map(f -> Long.parseLong(f[1]))
        .findFirst();
  }

  @Override
  public String cniContainerId(String name) {
    return host.cgroup() + "-" + name;
  }

  @Override
  public List<String> exec(String name, boolean terminal, List<String> command) {
    List<String> argv = new ArrayList<>(host.inside());
    argv.addAll(ctrArgv("task", "exec", "--exec-id", "x" + System.nanoTime()));
    if (terminal) {
      argv.add("--tty");
    }
    argv.add(name);
    argv.addAll(command);
    return argv;
  }

  private Command ctr(String... words) {
    return Command.of(ctrArgv(words)).at(host.inside());
  }

  private List<String> ctrArgv(String... words) {
    List<String> argv = new ArrayList<>(List.of("ctr", "-a", socket().toString()));
    // The containerd namespace is also the cgroup.
    argv.addAll(List.of("-n", host.cgroup()));
    argv.addAll(List.of(words));
    return argv;
  }

  private Path socket() {
    return host.file("containerd.sock");
  }

  private Path log(String name) {
    return host.containerDirectory(name).resolve("ctr.log");
  }

  private String processName(String name) {
    return host.name() + "/ctr/" + name;
  }
}

package io.wayleave.test.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Podman with its CNI network backend. It has no daemon; its state is in the host's folder. */
final class PodmanRuntime implements ContainerRuntime {
  /** The name of the network in the CNI configuration. */
  static final String NETWORK = "wayleave";

  private final LabHost host;

  PodmanRuntime(LabHost host) {
    this.host = host;
  }

  /** What containers.conf must say for podman to work in a lab host. */
  static String configuration() {
    return """
    [containers]
    default_ulimits = ["nofile=1024:4096", "nproc=1024:2048"]
    [engine]
    # crun refuses hybrid cgroups.
    runtime = "runc"
    cgroup_manager = "cgroupfs"
    events_logger = "file"
    [network]
    network_backend = "cni"
    cni_plugin_dirs = ["/opt/cni/bin"]
    """;
  }

  @Override
  public RuntimeKind kind() {
    return RuntimeKind.PODMAN;
  }

  @Override
  public void run(String name, Path rootfs, Path netConf, List<String> command) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("run", "-d", "--name", name, "--hostname", name));
    words.addAll(List.of("--network", NETWORK, "--cgroup-parent", "/" + host.cgroup()));
    words.addAll(List.of("--log-driver", "none", "--rootfs", rootfs.toString()));
    words.addAll(command);
    Command.Result result = podman(netConf, words).run();
    if (!result.succeeded()) {
      // Podman keeps a container that it could not start.
      Command.Result removed = podman(netConf, List.of("rm", "-f", "-i", name)).run();
      throw new LabException(
          "podman on "
              + host.name()
              + " could not run "
              + name
              + ": "
              + result.text()
              + (removed.succeeded() ? "" : "\nand could not remove it: " + removed.text()));
    }
  }

  @Override
  public void remove(String name, Path netConf) {
    Command.Result result = podman(netConf, List.of("rm", "-f", "-t", "1", name)).run();
    if (!result.succeeded() || result.err().contains("level=error")) {
      throw new LabException(
          "podman on " + host.name() + " could not remove " + name + ": " + result.text());
    }
  }

  @Override
  public long pid(String name) {
    return Long.parseLong(inspect(name, "{{.State.Pid}}"));
  }

  @Override
  public String cniContainerId(String name) {
    return inspect(name, "{{.Id}}");
  }

  @Override
  public List<String> exec(String name, boolean terminal, List<String> command) {
    List<String> words = new ArrayList<>(List.of("exec", terminal ? "-it" : "-i", name));
    words.addAll(command);
    return argv(host.netConf(), words);
  }

  private String inspect(String name, String format) {
    return podman(host.netConf(), List.of("inspect", "--format", format, name)).check().strip();
  }

  private Command podman(Path netConf, List<String> words) {
    return Command.of(argv(netConf, words));
  }

  private List<String> argv(Path netConf, List<String> words) {
    List<String> argv = new ArrayList<>(host.inside());
    argv.addAll(List.of("env", "CONTAINERS_CONF=" + host.file("containers.conf"), "podman"));
    argv.addAll(List.of("--root", host.file("podman").toString(), "--runroot", "/run/podman"));
    argv.addAll(List.of("--tmpdir", "/run/libpod", "--network-config-dir", netConf.toString()));
    argv.addAll(words);
    return argv;
  }
}

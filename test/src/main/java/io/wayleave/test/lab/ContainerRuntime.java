package io.wayleave.test.lab;

import java.nio.file.Path;
import java.util.List;

/**
 * A real container runtime in a lab host, driven by its own command line; the runtime calls the CNI
 * plugin, never the lab. Safe from any thread; calls block.
 */
sealed interface ContainerRuntime permits PodmanRuntime, ContainerdRuntime {
  RuntimeKind kind();

  /**
   * Starts a container and returns when its network is made and its program runs. A failure leaves
   * no container and carries what the runtime and the plugin said.
   *
   * @param rootfs its root file system
   * @param netConf a folder with the CNI configuration to use, in place of the host's
   */
  void run(String name, Path rootfs, Path netConf, List<String> command);

  /** Ends and removes a container; returns when the runtime's DEL is over. */
  void remove(String name, Path netConf);

  /** The pid of the container's first process, in the host's pid namespace. */
  long pid(String name);

  /** The identifier by which the runtime names the container to CNI. */
  String cniContainerId(String name);

  /** The command that runs something in a running container. */
  List<String> exec(String name, boolean terminal, List<String> command);
}

package io.wayleave.datastore.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.model.Ulimit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * A podman service for Testcontainers, one for a run of tests, with storage and socket in a
 * directory of its own, and one image made from files of this machine: no image is ever pulled. The
 * containers use the machine's network, and what runs in them listens on loopback only. Closing
 * removes containers, image and directory.
 */
public final class ContainerEngine implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(30);
  private static final String IMAGE = "localhost/wayleave-test:1";
  private static final Pattern LIBRARY = Pattern.compile("(/[^ ]+) \\(0x");
  private static final Path JAVA = Path.of(System.getProperty("java.home"));

  private static volatile Optional<Path> socket = Optional.empty();

  private final Path directory;
  private final Process service;

  private ContainerEngine(Path directory, Process service) {
    this.directory = directory;
    this.service = service;
  }

  /** Gives the tests of a class the engine of the run, and skips them where there is no podman. */
  public static final class OfTheRun implements BeforeAllCallback {
    private Optional<ContainerEngine> engine = Optional.empty();

    @Override
    public void beforeAll(ExtensionContext context) {
      assumeTrue(isInstalled(), "no podman; the same tests run on plain processes");
      engine =
          Optional.of(
              context
                  .getRoot()
                  .getStore(ExtensionContext.Namespace.create(ContainerEngine.class))
                  .computeIfAbsent(ContainerEngine.class, _ -> start(), ContainerEngine.class));
    }

    public ContainerEngine engine() {
      return engine.orElseThrow();
    }
  }

  private static boolean isInstalled() {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "podman")));
  }

  static Optional<Path> socket() {
    return socket;
  }

  private static ContainerEngine start() {
    try {
      Path directory =
          Files.createTempDirectory("wlt-podman-" + ProcessHandle.current().pid() + "-");
      Files.writeString(
          directory.resolve("containers.conf"),
          """
          [containers]
          default_ulimits = ["nofile=1024:4096", "nproc=1024:2048"]
          [engine]
          # crun refuses hybrid cgroups.
          runtime = "runc"
          cgroup_manager = "cgroupfs"
          events_logger = "file"
          [network]
          network_backend = "cni"
          """);
      Path unixSocket = directory.resolve("s");
      Process service =
          podman(directory, "system", "service", "--time=0", "unix://" + unixSocket)
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("service.log").toFile())
              .start();
      ContainerEngine engine = new ContainerEngine(directory, service);
      try {
        engine.importImage();
        Await.until(
            "podman serves",
            START,
            () -> {
              if (!service.isAlive()) {
                throw new AssertionError("podman ended: " + engine.log());
              }
              return Files.exists(unixSocket);
            });
        socket = Optional.of(unixSocket);
        return engine;
      } catch (IOException | RuntimeException | Error e) {
        engine.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ProcessBuilder podman(Path directory, String... words) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "podman",
                "--root",
                directory.resolve("root").toString(),
                "--runroot",
                directory.resolve("runroot").toString(),
                "--tmpdir",
                directory.resolve("tmp").toString()));
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("CONTAINERS_CONF", directory.resolve("containers.conf").toString());
    return builder;
  }

  private String run(String... words) {
    return Commands.run(podman(directory, words));
  }

  /** A file system with a shell, etcd, and the libraries that etcd and Java need. */
  private void importImage() throws IOException {
    Path tree = Files.createDirectory(directory.resolve("tree"));
    copy(Path.of("/bin/busybox"), tree);
    Files.createSymbolicLink(tree.resolve("bin/sh"), Path.of("busybox"));
    TreeSet<Path> files = new TreeSet<>();
    Path etcd = Path.of("/usr/bin/etcd");
    files.add(etcd);
    for (Path program :
        List.of(etcd, JAVA.resolve("bin/java"), JAVA.resolve("lib/server/libjvm.so"))) {
      Matcher library =
          LIBRARY.matcher(Commands.run(directory, List.of("ldd", program.toString())));
      while (library.find()) {
        files.add(Path.of(library.group(1)));
      }
    }
    for (Path file : files) {
      if (!file.startsWith(JAVA)) {
        copy(file, tree);
      }
    }
    Files.createDirectory(tree.resolve("tmp"));
    Path archive = directory.resolve("image.tar");
    Commands.run(directory, List.of("tar", "-C", tree.toString(), "-cf", archive.toString(), "."));
    run("import", archive.toString(), IMAGE);
  }

  private static void copy(Path file, Path tree) throws IOException {
    Path to = tree.resolve(Path.of("/").relativize(file));
    Files.createDirectories(to.getParent());
    Files.copy(file, to, StandardCopyOption.COPY_ATTRIBUTES);
  }

  /** A directory of the run, for what a container is to see. */
  Path newDirectory(String name) throws IOException {
    return Files.createTempDirectory(directory, name);
  }

  /** A container of the image with Java in its place, not started yet. */
  GenericContainer<?> container(String... command) {
    return new GenericContainer<>(DockerImageName.parse(IMAGE))
        .withImagePullPolicy(_ -> false)
        .withNetworkMode("host")
        .withFileSystemBind(JAVA.toString(), JAVA.toString(), BindMode.READ_ONLY)
        .withCreateContainerCmdModifier(
            create ->
                Objects.requireNonNull(create.getHostConfig())
                    .withCgroupParent("/" + cgroup())
                    .withUlimits(
                        List.of(
                            new Ulimit("nofile", 1024L, 4096L), new Ulimit("nproc", 1024L, 2048L))))
        .withCommand(command);
  }

  /** Below this in every hierarchy are the cgroups of the containers. */
  private String cgroup() {
    return directory.getFileName().toString();
  }

  /** Of both versions of cgroups. */
  private static Stream<Path> hierarchies() {
    Path root = Path.of("/sys/fs/cgroup");
    try (Stream<Path> found = Files.list(root)) {
      return Stream.concat(Stream.of(root), found.filter(Files::isDirectory).toList().stream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void removeCgroups(Path root) {
    try (Stream<Path> groups = Files.walk(root)) {
      for (Path group :
          groups.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(group);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String log() {
    try {
      return Files.readString(directory.resolve("service.log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Override
  public void close() {
    socket = Optional.empty();
    try {
      run("rm", "--all", "--force", "--time", "0");
      run("rmi", "--all", "--force");
    } finally {
      service.destroy();
      try {
        if (!service.waitFor(10, TimeUnit.SECONDS)) {
          service.destroyForcibly();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      hierarchies()
          .map(h -> h.resolve(cgroup()))
          .filter(Files::isDirectory)
          .forEach(ContainerEngine::removeCgroups);
      delete(directory);
    }
  }

  private static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

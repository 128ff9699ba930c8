package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Takes a lab down to nothing: processes, namespaces (and with them links), cgroups, mounts, files.
 * It works from what exists, not from what should: after a lab that came up half, was killed, or is
 * down already, it removes whatever there is.
 *
 * <p>It ends only processes that are the lab's beyond doubt: those recorded with pid and start
 * time, and those in one of the lab's own network namespaces.
 */
final class Teardown {
  private static final Path NAMESPACES = Path.of("/run/netns");
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Duration CGROUP_DEADLINE = Duration.ofSeconds(10);
  private static final Duration DELETE_DEADLINE = Duration.ofSeconds(10);

  private final String lab;
  private final Path directory;

  Teardown(String lab, Path directory) {
    this.lab = lab;
    this.directory = directory;
  }

  void run() {
    List<String> namespaces = namespaces(lab);
    Optional<LabState> state = new StateFile(directory).read();
    // A host's tree takes its containers, runtimes and mounts with it.
    Parallel.forEach(state.map(LabState::processes).orElse(List.of()), ProcessRecord::kill);
    Parallel.forEach(processesIn(namespaces), ProcessRecord::kill);
    Parallel.forEach(namespaces, n -> Command.of("ip", "netns", "delete", n).check());
    namespacesOf(state, namespaces).forEach(Teardown::removeCgroup);
    unmountBelow(directory);
    deleteTree(directory);
    removeIfEmpty(directory.getParent());
  }

  /** The network namespaces of a lab that exist now. */
  static List<String> namespaces(String lab) {
    return list(NAMESPACES).stream()
        .map(p -> p.getFileName().toString())
        .filter(n -> Topology.isNamespaceOf(lab, n))
        .sorted()
        .toList();
  }

  /** Those that existed when the take-down began, and those of a lab whose namespaces are gone. */
  private static Set<String> namespacesOf(Optional<LabState> state, List<String> found) {
    Set<String> all =
        state.stream()
            .flatMap(s -> new Topology(s.spec()).hosts().stream())
            .map(Topology.Host::namespace)
            .collect(Collectors.toSet());
    all.addAll(found);
    return all;
  }

  /** Processes in the namespaces, also those that a killed lab had no time to write down. */
  private static List<ProcessRecord> processesIn(List<String> namespaces) {
    Set<Object> keys =
        namespaces.stream()
            .flatMap(n -> fileKey(NAMESPACES.resolve(n)).stream())
            .collect(Collectors.toSet());
    List<ProcessRecord> found = new ArrayList<>();
    for (Path process : list(Path.of("/proc"))) {
      String pid = process.getFileName().toString();
      if (pid.chars().allMatch(Character::isDigit)
          && fileKey(process.resolve("ns/net")).filter(keys::contains).isPresent()) {
        ProcessRecord.find("a process of the lab", Long.parseLong(pid)).ifPresent(found::add);
      }
    }
    return found;
  }

  /** Device and inode: the identity of a namespace. */
  private static Optional<Object> fileKey(Path path) {
    try {
      return Optional.ofNullable(Files.readAttributes(path, BasicFileAttributes.class).fileKey());
    } catch (IOException e) {
      // A process that ended meanwhile.
      return Optional.empty();
    }
  }

  private static void removeCgroup(String name) {
    List<Path> roots =
        Stream.concat(
                Stream.of(CGROUPS.resolve(name)),
                list(CGROUPS).stream().map(hierarchy -> hierarchy.resolve(name)))
            .filter(Files::isDirectory)
            .toList();
    for (Path root : roots) {
      // The kernel lets go of a killed process's cgroup a moment after the process is gone.
      Await.until(
          "cgroup " + root + " is removed",
          CGROUP_DEADLINE,
          () -> tryRemoveCgroup(root),
          () -> "it is still in use");
    }
  }

  private static boolean tryRemoveCgroup(Path group) {
    for (Path child : list(group)) {
      if (Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS) && !tryRemoveCgroup(child)) {
        return false;
      }
    }
    try {
      Files.deleteIfExists(group);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void unmountBelow(Path directory) {
    for (String mount : mountsBelow(directory).reversed()) {
      Command.of("umount", "--lazy", mount).check();
    }
  }

  /** Mount points below a folder in the machine's own mount namespace, outer ones first. */
  static List<String> mountsBelow(Path directory) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
      return lines
          .map(line -> line.split(" ", -1)[4])
          .filter(point -> point.startsWith(directory + "/"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Deletes a folder and all in it; follows no link. A program that is about to end may write into
   * it meanwhile, as podman's clean-up after a container does (it locks the folder of networks): so
   * it is tried again until nothing comes any more.
   */
  static void deleteTree(Path root) {
    try {
      if (!Await.holds(DELETE_DEADLINE, () -> deleteOnce(root))) {
        throw new LabException(root + " is filled while it is deleted");
      }
    } catch (UncheckedIOException e) {
      throw new UncheckedIOException("cannot be deleted: " + root, e.getCause());
    }
  }

  /** False when something was put into a folder that was empty. */
  private static boolean deleteOnce(Path root) {
    try {
      Files.walkFileTree(
          root,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException failure)
                throws IOException {
              if (failure != null) {
                throw failure;
              }
              Files.deleteIfExists(folder);
              return FileVisitResult.CONTINUE;
            }
          });
      return true;
    } catch (NoSuchFileException e) {
      return true; // Nothing to delete.
    } catch (DirectoryNotEmptyException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void removeIfEmpty(Path folder) {
    try {
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      // Other labs are in it.
    }
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

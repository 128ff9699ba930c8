package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Everything on the machine that carries a lab's name: what must be there while it is up and must
 * not be there when it is down.
 */
record Leftovers(
    Set<String> namespaces,
    Set<String> mounts,
    Set<String> cgroups,
    Set<String> processes,
    Set<String> files) {
  static Leftovers of(String lab) {
    Path directory = Lab.ROOT.resolve(lab);
    return new Leftovers(
        existingNamespaces(lab),
        existingMounts(lab, directory),
        named(Path.of("/sys/fs/cgroup"), lab),
        running(lab, directory),
        existing(directory));
  }

  private static Set<String> existingNamespaces(String lab) {
    Set<String> found = new TreeSet<>();
    Command.of("ip", "netns", "list")
        .check()
        .lines()
        .map(line -> line.split(" ", -1)[0])
        .filter(name -> name.startsWith(lab + "-"))
        .forEach(found::add);
    return found;
  }

  /** The machine's own links: a lab has no business there. */
  static Set<String> machineLinks() {
    Set<String> found = new TreeSet<>();
    Json.read("ip link", Command.of("ip", "-json", "link").check())
        .forEach(link -> found.add(link.path("ifname").asText()));
    return found;
  }

  private static Set<String> existingMounts(String lab, Path directory) {
    Set<String> found = new TreeSet<>();
    lines(Path.of("/proc/self/mountinfo"))
        .filter(line -> line.contains(directory + "/") || line.contains("/netns/" + lab + "-"))
        .forEach(found::add);
    return found;
  }

  /** Cgroups, in all hierarchies. */
  private static Set<String> named(Path root, String lab) {
    Set<String> found = new TreeSet<>();
    try (Stream<Path> paths = Files.walk(root, 2)) {
      paths
          .filter(p -> p.getFileName().toString().startsWith(lab + "-"))
          .forEach(p -> found.add(p.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** Processes whose command line names the lab's folder, or whose network is one of the lab's. */
  private static Set<String> running(String lab, Path directory) {
    Set<String> found = new TreeSet<>();
    Set<String> inside = new TreeSet<>();
    for (String namespace : existingNamespaces(lab)) {
      Command.of("ip", "netns", "pids", namespace).check().lines().forEach(inside::add);
    }
    found.addAll(inside);
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      processes
          .filter(p -> p.getFileName().toString().chars().allMatch(Character::isDigit))
          .filter(p -> commandLine(p).contains(directory.toString()))
          .forEach(p -> found.add(p.getFileName() + " " + commandLine(p)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  private static String commandLine(Path process) {
    try {
      return Files.readString(process.resolve("cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      return "";
    }
  }

  private static Set<String> existing(Path directory) {
    return Files.exists(directory) ? Set.of(directory.toString()) : Set.of();
  }

  private static Stream<String> lines(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

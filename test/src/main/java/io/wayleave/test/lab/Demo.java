package io.wayleave.test.lab;

import io.wayleave.model.Cidr;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * The show of {@code ./dev demo}: a fabric comes up, containers on all hosts reach each other, a
 * policy changes who reaches whom, a container's route leaves with it, and all of it is taken down.
 * Every claim is checked before it is printed; the first that does not hold ends the demo.
 */
final class Demo {
  /** The name in {@link #policy}. */
  static final String POLICY_NAME = "web-for-friends";

  private static final Duration CONVERGED = Duration.ofSeconds(20);

  private final PrintStream out;
  private final Progress progress;

  Demo(PrintStream out, Progress progress) {
    this.out = out;
    this.progress = progress;
  }

  /** Shows it all on a lab of its own, which is gone afterwards, however it went. */
  void run(LabSpec spec) {
    title(
        "A fabric of "
            + spec.racks()
            + " racks with "
            + spec.hosts()
            + " hosts each, a switch per rack, a spine, and etcd");
    try (OnInterrupt _ = new OnInterrupt(() -> Lab.down(spec.name()))) {
      Lab lab = Lab.up(spec, progress);
      try {
        show(lab);
      } finally {
        out.println();
        progress.step("everything is taken down", lab::close);
      }
    }
  }

  private void show(Lab lab) {
    title("A container on each host, by podman in odd racks and containerd in even ones");
    List<LabContainer> containers = startContainers(lab);
    for (LabContainer container : containers) {
      out.printf(
          "  %-10s %-16s %-11s role %s%n",
          container,
          container.address(),
          container.runtimeKind().label(),
          role(lab, container.host()));
    }

    title("BGP sessions of each host: netctl node status");
    List<String> statuses =
        Parallel.map(
            lab.hosts(),
            host -> lab.netctl(Optional.of(host.name())).patient("node", "status").check());
    statuses.forEach(status -> out.println(status.indent(2)));

    title("Routes of each host: ip route");
    for (LabHost host : lab.hosts()) {
      out.println("  " + host.name());
      out.println(host.routes().indent(4).stripTrailing());
    }

    title("Every container and every host pings every container");
    PingMatrix open =
        progress.step("all pings are answered", () -> PingMatrix.await(lab, Set.of(), CONVERGED));
    out.println(open.text().indent(2));

    showPolicy(lab, containers);
    showRemoval(lab, containers.getLast());
  }

  private List<LabContainer> startContainers(Lab lab) {
    List<LabHost> hosts = lab.hosts();
    Map<LabHost, String> names = new LinkedHashMap<>();
    for (int i = 0; i < hosts.size(); i++) {
      names.put(hosts.get(i), "c" + (i + 1));
    }
    return Parallel.map(
        hosts,
        host -> {
          String name = Objects.requireNonNull(names.get(host));
          return progress.step(
              host.name() + "/" + name + " starts",
              () -> host.run(name, Map.of("role", role(lab, host))));
        });
  }

  /** The first is the web server; of the others every second one is a friend. */
  private static String role(Lab lab, LabHost host) {
    int index = lab.hosts().indexOf(host);
    return index == 0 ? "web" : index % 2 == 1 ? "friend" : "stranger";
  }

  private void showPolicy(Lab lab, List<LabContainer> containers) {
    String manifest = policy();
    title("A policy: netctl apply");
    out.println(manifest.indent(2));
    progress.step("applied", () -> lab.apply(manifest));
    LabContainer web = containers.getFirst();
    Set<PingMatrix.Pair> refused = expectedRefusals(lab, containers, web);
    PingMatrix closed =
        progress.step("only friends reach " + web, () -> PingMatrix.await(lab, refused, CONVERGED));
    out.println(closed.text().indent(2));
    progress.step(
        "policy deleted", () -> lab.netctl("delete", "globalnetworkpolicy", POLICY_NAME).check());
    PingMatrix _ =
        progress.step(
            "all pings are answered again", () -> PingMatrix.await(lab, Set.of(), CONVERGED));
  }

  private static Set<PingMatrix.Pair> expectedRefusals(
      Lab lab, List<LabContainer> containers, LabContainer web) {
    Set<PingMatrix.Pair> refused = new TreeSet<>(Comparator.comparing(PingMatrix.Pair::toString));

    for (LabContainer from : containers) {
      if (role(lab, from.host()).equals("stranger")) {
        refused.add(new PingMatrix.Pair(from.toString(), web.toString()));
      }
    }
    for (LabHost from : lab.hosts()) {
      if (!from.name().equals(web.host().name())) {
        refused.add(new PingMatrix.Pair(from.name(), web.toString()));
      }
    }
    return refused;
  }

  private void showRemoval(Lab lab, LabContainer container) {
    Cidr route = container.address().toCidr();
    title("Container " + container + " is deleted; its route " + route + " goes with it");
    out.println("  before: " + Routes.where(lab, route));
    container.host().remove(container.name());
    long deleted = System.nanoTime();
    progress.step(
        route + " is gone from every switch and every host",
        () ->
            Await.until(
                route + " is gone",
                CONVERGED,
                () -> Routes.where(lab, route).isEmpty(),
                () -> "still known to " + Routes.where(lab, route)));
    out.printf(
        "  nowhere any more %d ms after the runtime said that the container is deleted%n",
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - deleted));
    PingMatrix _ =
        progress.step(
            "the others still reach each other", () -> PingMatrix.await(lab, Set.of(), CONVERGED));
  }

  private void title(String text) {
    out.println();
    out.println("== " + text);
  }

  /** The manifest of the demo's policy. */
  static String policy() {
    try (InputStream stream =
        Objects.requireNonNull(
            Demo.class.getResourceAsStream("demo-policy.yaml"), "the policy is not in the jar")) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

package io.wayleave.test.lab;

import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the tests of deployment shapes ask of their labs. */
final class ShapeLab {
  static final Duration CONVERGED = Duration.ofSeconds(30);

  private ShapeLab() {}

  /** The lab that the page of a shape makes. */
  static Lab up(Shape shape) {
    return Lab.up(DeploymentPage.of(shape).spec(LabNames.next()), Progress.SILENT);
  }

  /** Runs a script of a page where netctl is in the path and has the lab's datastore. */
  static void script(Lab lab, String script) {
    String _ =
        Command.of("sh", "-ec", script)
            .at(NetNs.named(lab.topology().etcdNamespace()))
            .environment(
                Map.of(
                    "WAYLEAVE_DATASTORE",
                    lab.spec().datastore().url(),
                    "PATH",
                    Installation.find().netctl().getParent() + ":" + System.getenv("PATH")))
            .within(Duration.ofMinutes(2))
            .check();
  }

  /** Waits until a host's kernel reaches an address over exactly those ways. */
  static void awaitHops(LabHost host, IpAddress to, Set<Routes.Hop> wanted) {
    Cidr route = to.toCidr();
    Await.until(
        host.name() + " reaches " + route + " by " + wanted,
        CONVERGED,
        () -> Routes.hops(host.network(), route).equals(wanted),
        () -> Routes.hops(host.network(), route) + "\n" + host.agent().status());
  }

  /** Streams in both directions between all of two hosts' containers. */
  static List<Pinger> streams(List<LabContainer> some, List<LabContainer> others) {
    List<Map.Entry<LabContainer, LabContainer>> pairs = new ArrayList<>();
    for (LabContainer one : some) {
      for (LabContainer other : others) {
        pairs.add(Map.entry(one, other));
        pairs.add(Map.entry(other, one));
      }
    }
    return Parallel.map(
        pairs, pair -> Pinger.start(pair.getKey().network(), pair.getValue().address()));
  }

  /** The most that any of the streams has lost. */
  static int worst(List<Pinger> streams) {
    return Parallel.map(streams, stream -> stream.settle().lost().size()).stream()
        .mapToInt(Integer::intValue)
        .max()
        .orElseThrow();
  }
}

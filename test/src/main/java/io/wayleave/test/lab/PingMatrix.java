package io.wayleave.test.lab;

import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;

/**
 * Who reaches whom: every container and every host pings every container, and every container pings
 * its own host. Immutable.
 *
 * @param senders in order of rows
 * @param receivers in order of columns
 */
public record PingMatrix(List<String> senders, List<String> receivers, Map<Pair, Boolean> answers) {
  /** More at the same time would measure the machine and not the network. */
  private static final int AT_ONCE = 8;

  /** The column of each container's own host. */
  static final String OWN_HOST = "own host";

  public PingMatrix {
    senders = List.copyOf(senders);
    receivers = List.copyOf(receivers);
    answers = Map.copyOf(answers);
  }

  /** One cell. */
  public record Pair(String from, String to) {
    @Override
    public String toString() {
      return from + " -> " + to;
    }
  }

  /** Whose network to send from, and where each cell's request goes. */
  private record Plan(
      Map<String, List<String>> networks, List<String> receivers, Map<Pair, IpAddress> cells) {}

  private static Plan plan(Lab lab) {
    Map<String, List<String>> networks = new LinkedHashMap<>();
    Map<String, IpAddress> addresses = new LinkedHashMap<>();
    Map<Pair, IpAddress> cells = new LinkedHashMap<>();
    for (LabContainer container : lab.containers()) {
      networks.put(container.toString(), container.network());
      addresses.put(container.toString(), container.address());
      cells.put(new Pair(container.toString(), OWN_HOST), container.host().place().ipv4());
    }
    for (LabHost host : lab.hosts()) {
      networks.put(host.name(), host.network());
    }
    for (String from : networks.keySet()) {
      addresses.forEach((to, address) -> cells.put(new Pair(from, to), address));
    }
    List<String> receivers = new ArrayList<>(addresses.keySet());
    receivers.add(OWN_HOST);
    return new Plan(networks, receivers, cells);
  }

  /** Sends one echo request for each pair and waits for all answers. */
  private static PingMatrix measure(Plan plan) {
    Semaphore slots = new Semaphore(AT_ONCE);
    List<Map.Entry<Pair, Boolean>> answered =
        Parallel.map(
            plan.cells().entrySet(),
            cell -> {
              slots.acquireUninterruptibly();
              try {
                List<String> network =
                    Objects.requireNonNull(plan.networks().get(cell.getKey().from()));
                return Map.entry(cell.getKey(), Ping.once(network, cell.getValue()));
              } finally {
                slots.release();
              }
            });
    Map<Pair, Boolean> answers = new LinkedHashMap<>();
    answered.forEach(cell -> answers.put(cell.getKey(), cell.getValue()));
    return new PingMatrix(List.copyOf(plan.networks().keySet()), plan.receivers(), answers);
  }

  /** Measures until exactly the given pairs are without answer, and fails at the deadline. */
  static PingMatrix await(Lab lab, Set<Pair> blocked, Duration deadline) {
    Plan plan = plan(lab);
    long end = System.nanoTime() + deadline.toNanos();
    while (true) {
      PingMatrix matrix = measure(plan);
      if (matrix.unanswered().equals(blocked)) {
        return matrix;
      }
      if (System.nanoTime() - end >= 0) {
        throw new LabException(
            "pings without answer should be "
                + (blocked.isEmpty() ? "none" : blocked)
                + " and after "
                + deadline.toSeconds()
                + " s are "
                + matrix.unanswered()
                + "\n"
                + matrix.text());
      }
    }
  }

  public Set<Pair> unanswered() {
    Set<Pair> pairs = new TreeSet<>(Comparator.comparing(Pair::toString));
    answers.forEach(
        (pair, answer) -> {
          if (!answer) {
            pairs.add(pair);
          }
        });
    return pairs;
  }

  /** The matrix for people: a row for each sender. */
  public String text() {
    StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%-12s", "from \\ to"));
    receivers.forEach(to -> text.append(String.format(Locale.ROOT, " %-10s", to)));
    for (String from : senders) {
      text.append(String.format(Locale.ROOT, "%n%-12s", from));
      for (String to : receivers) {
        Boolean answer = answers.get(new Pair(from, to));
        text.append(
            String.format(Locale.ROOT, " %-10s", answer == null ? "·" : answer ? "✓" : "✗"));
      }
    }
    return text.toString().replaceAll("(?m) +$", "");
  }
}

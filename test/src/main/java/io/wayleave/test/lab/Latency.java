package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Times ADD and DEL on the first host, and how long after ADD's return the last host, in another
 * rack if there is one, has the route in its kernel. One container after the other, on an idle lab.
 */
final class Latency {
  private static final Duration ROUTE_DEADLINE = Duration.ofSeconds(10);

  private final Lab lab;
  private final int count;

  Latency(Lab lab, int count) {
    this.lab = lab;
    this.count = count;
  }

  /** The report, for people. */
  String measure() {
    LabHost near = lab.hosts().getFirst();
    LabHost far = lab.hosts().getLast();
    List<Duration> starts = new ArrayList<>();
    List<Duration> adds = new ArrayList<>();
    List<Duration> dels = new ArrayList<>();
    List<Duration> arrivals = new ArrayList<>();
    try (RouteMonitor monitor = RouteMonitor.start(far)) {
      for (int i = 0; i < count; i++) {
        try (BareContainer container = BareContainer.create(near)) {
          starts.add(timed(container::version).took());
          Timed add = timed(container::add);
          Instant returned = Instant.now();
          adds.add(add.took());
          Instant arrived = monitor.awaitAdded(address(add.result()));
          arrivals.add(Duration.between(returned, arrived));
          dels.add(timed(container::del).took());
        }
      }
    }
    return row("", "median", "90 %", "worst")
        + row("starting the plugin (VERSION)", starts)
        + row("ADD, with starting it", adds)
        + row("DEL, with starting it", dels)
        + row("ADD's return to route in the kernel of " + far.name(), arrivals).stripTrailing();
  }

  private record Timed(Duration took, Command.Result result) {}

  private static Timed timed(Supplier<Command.Result> command) {
    long begin = System.nanoTime();
    Command.Result result = command.get();
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    if (!result.succeeded()) {
      throw new LabException("the CNI plugin failed: " + result.text());
    }
    return new Timed(took, result);
  }

  private static String address(Command.Result add) {
    String network = Json.read("wayleave", add.out()).path("ips").path(0).path("address").asText();
    return network.substring(0, network.indexOf('/'));
  }

  private static String row(String what, List<Duration> values) {
    List<Duration> sorted = values.stream().sorted().toList();
    return row(
        what,
        text(sorted.get(sorted.size() / 2)),
        text(sorted.get(sorted.size() * 9 / 10)),
        text(sorted.getLast()));
  }

  private static String row(String what, String median, String most, String worst) {
    return String.format(Locale.ROOT, "%-48s %12s %12s %12s%n", what, median, most, worst);
  }

  private static String text(Duration duration) {
    return String.format(Locale.ROOT, "%.1f ms", duration.toNanos() / 1e6);
  }

  /** {@code ip monitor route} in a host: the kernel's own word on when a route came. */
  private record RouteMonitor(Process process, Path output) implements AutoCloseable {
    private static RouteMonitor start(LabHost host) {
      List<String> argv = new ArrayList<>(host.network());
      argv.addAll(List.of("ip", "-ts", "-oneline", "monitor", "route"));
      try {
        Path output = Files.createTempFile("wayleave-routes", ".txt");
        return new RouteMonitor(
            new ProcessBuilder(argv)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start(),
            output);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** When the newest route to the address was added. */
    private Instant awaitAdded(String address) {
      // A deletion's line has the word before the address.
      Pattern line =
          Pattern.compile("(?m)^\\[(\\S+)\\] (?:unicast )?" + Pattern.quote(address) + " .*$");
      return Await.value(
          "route to " + address,
          ROUTE_DEADLINE,
          () -> {
            Optional<Instant> newest = Optional.empty();
            Matcher matcher = line.matcher(read());
            while (matcher.find()) {
              newest =
                  Optional.of(
                      LocalDateTime.parse(matcher.group(1))
                          .atZone(ZoneId.systemDefault())
                          .toInstant());
            }
            return newest;
          },
          this::read);
    }

    private String read() {
      try {
        return Files.readString(output);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() {
      process.destroyForcibly();
      try {
        Files.deleteIfExists(output);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}

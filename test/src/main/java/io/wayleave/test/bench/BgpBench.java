package io.wayleave.test.bench;

import io.wayleave.model.InvalidInputException;
import io.wayleave.test.lab.OnInterrupt;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./dev bench bgp}: gives the same load to each speaker in turn and prints a table for each
 * shape. Exit status: 0 done, 1 failed (a speaker that a checked run finds wrong, too), 2 wrong
 * usage.
 */
@Command(
    name = "bench bgp",
    description = "Measures BGP speakers side by side.",
    mixinStandardHelpOptions = true)
public final class BgpBench implements Callable<Integer> {
  private final PrintStream out;

  @Option(
      names = "--shape",
      split = ",",
      defaultValue = "a,b,c,d",
      description = "a to d (${DEFAULT-VALUE}); docs/performance.md says what they are")
  private List<String> shapes = List.of();

  @Option(
      names = "--speaker",
      split = ",",
      defaultValue = "wayleave,bird,frr,frr-fast,gobgp",
      description = "wayleave, bird, frr, frr-fast, gobgp (${DEFAULT-VALUE})")
  private List<String> speakers = List.of();

  @Option(
      names = "--rounds",
      defaultValue = "1",
      description = "How often each is measured; the table has the medians (${DEFAULT-VALUE})")
  private int rounds;

  @Option(
      names = "--check",
      description = "Receivers compare all they get with what they should; slower")
  private boolean check;

  @Option(
      names = "--scale",
      defaultValue = "1",
      description = "A part of the load, such as 0.1 (${DEFAULT-VALUE})")
  private double scale;

  @Option(
      names = "--limit",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "Longest time to announce, and to withdraw (${DEFAULT-VALUE})")
  private double limit;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Of prefixes and attributes (${DEFAULT-VALUE})")
  private long seed;

  private BgpBench(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(run(new PrintStream(System.out, true, StandardCharsets.UTF_8), System.err, args));
  }

  static int run(PrintStream out, PrintStream err, String... args) {
    return BenchCommand.run(new BgpBench(out), err, args);
  }

  @Override
  public Integer call() throws IOException {
    List<Shape> wantedShapes = shapes.stream().map(Shape::parse).toList();
    List<SpeakerKind> wantedSpeakers = speakers.stream().map(SpeakerKind::parse).toList();
    if (rounds < 1) {
      throw new InvalidInputException("--rounds", Integer.toString(rounds), "1 or more");
    }
    if (!(limit > 0)) {
      throw new InvalidInputException("--limit", Double.toString(limit), "above 0");
    }
    wantedShapes.forEach(shape -> shape.size(scale));
    // What was made is removed on the way out of the blocks below, by their own thread.
    try (OnInterrupt _ = new OnInterrupt(() -> {})) {
      for (Shape shape : wantedShapes) {
        run(shape, wantedSpeakers);
      }
    }
    return 0;
  }

  private void run(Shape shape, List<SpeakerKind> kinds) throws IOException {
    Load.Plan plan = Load.Plan.DEFAULT;
    Load load = Load.of(shape.size(scale), plan, seed);
    Duration longest = Duration.ofMillis(Math.round(limit * 1_000));
    out.printf(
        "%nShape %s: %s; seed %d, %d %s%s. Load average %s.%n%n",
        shape.label(),
        load.size(),
        seed,
        rounds,
        rounds == 1 ? "round" : "rounds (medians)",
        check ? ", checked (times include the check)" : "",
        Machine.loadAverage());
    Map<SpeakerKind, List<List<Figures>>> measured = new EnumMap<>(SpeakerKind.class);
    String run = "wlb" + ProcessHandle.current().pid();
    try (BenchNetwork network = BenchNetwork.make(run, plan, load.size().peers())) {
      Measurement measurement = new Measurement(load, plan, network, longest, check);
      // In turns, so that a busy minute of the machine does not hit one speaker only.
      for (int round = 0; round < rounds; round++) {
        for (SpeakerKind kind : kinds) {
          measured.computeIfAbsent(kind, _ -> new ArrayList<>()).add(measurement.of(kind));
        }
      }
    }
    List<Report.Row> rows = new ArrayList<>();
    for (SpeakerKind kind : kinds) {
      List<List<Figures>> all = measured.get(kind);
      for (int i = 0; i < 2; i++) {
        int index = i;
        List<Figures> loads =
            all.stream().filter(l -> l.size() > index).map(l -> l.get(index)).toList();
        if (!loads.isEmpty()) {
          rows.add(new Report.Row(kind, index + 1, Figures.median(loads)));
        }
      }
    }
    out.print(new Report(rows, longest).text());
  }
}

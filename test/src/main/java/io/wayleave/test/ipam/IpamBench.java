package io.wayleave.test.ipam;

import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.model.InvalidInputException;
import io.wayleave.test.bench.BenchCommand;
import io.wayleave.test.bench.Machine;
import io.wayleave.test.lab.OnInterrupt;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./dev bench ipam}: IPAM on an etcd of its own, and the bare transactions of that etcd
 * beside it. Exit status: 0 done, whatever the figures are, 1 failed, 2 wrong usage.
 */
@Command(
    name = "bench ipam",
    description = "Measures IPAM beside the bare transactions of etcd.",
    mixinStandardHelpOptions = true)
public final class IpamBench implements Callable<Integer> {
  private final PrintStream out;

  @Option(
      names = "--part",
      split = ",",
      defaultValue = "sequential,concurrent,full,fan-in",
      description =
          "sequential, concurrent, full, fan-in (${DEFAULT-VALUE}); docs/performance.md says what"
              + " they are")
  private List<String> parts = List.of();

  @Option(
      names = "--scale",
      defaultValue = "1",
      description = "A part of the load, such as 0.1 (${DEFAULT-VALUE})")
  private double scale;

  private IpamBench(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(run(new PrintStream(System.out, true, StandardCharsets.UTF_8), System.err, args));
  }

  static int run(PrintStream out, PrintStream err, String... args) {
    return BenchCommand.run(new IpamBench(out), err, args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<BenchPart> wanted = parts.stream().map(IpamBench::parse).toList();
    if (!(scale > 0 && scale <= 1)) {
      throw new InvalidInputException("--scale", Double.toString(scale), "above 0, at most 1");
    }
    try (OnInterrupt _ = new OnInterrupt(() -> {})) {
      for (BenchPart part : wanted) {
        // An etcd of its own for each: what one has written is no burden to the next.
        try (EtcdServer etcd = EtcdServer.start()) {
          out.printf("%nLoad average %s.%n%n", Machine.loadAverage());
          part.run(etcd, scale, out);
        }
      }
    }
    return 0;
  }

  private static BenchPart parse(String name) {
    return Arrays.stream(BenchPart.values())
        .filter(part -> part.label().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "--part",
                    name,
                    String.join(
                        ", ", Arrays.stream(BenchPart.values()).map(BenchPart::label).toList())));
  }
}

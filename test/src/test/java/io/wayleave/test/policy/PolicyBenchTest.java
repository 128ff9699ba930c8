package io.wayleave.test.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.NetworkNamespace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A small run of the benchmark does what it says; its figures mean nothing. */
@Timeout(120)
class PolicyBenchTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  @Tag("real")
  void aSmallRunHasARowForEachFigureAndLeavesNothing() throws IOException {
    // The bench itself fails when the kernel does not have what it measures.
    int status =
        run(
            "--part",
            "add,member,set,flow",
            "--endpoints",
            "4",
            "--members",
            "30",
            "--changes",
            "3",
            "--rounds",
            "1",
            "--mebibytes",
            "1");
    assertThat(status).as("%s", err).isZero();
    assertThat(rows())
        .satisfiesExactly(
            row -> assertThat(row).startsWith("| nft: endpoint added, the 4th").contains("20 ms"),
            row -> assertThat(row).startsWith("| nft: label of a remote").contains("below 5 ms"),
            row -> assertThat(row).startsWith("| nft: set of 30 members").contains("1000 ms"),
            row -> assertThat(row).startsWith("| legacy: endpoint added, the 4th"),
            row -> assertThat(row).startsWith("| legacy: label of a remote"),
            row -> assertThat(row).startsWith("| legacy: set of 30 members"),
            row -> assertThat(row).startsWith("| nft: TCP connect, 4 endpoints").contains("µs"),
            row -> assertThat(row).startsWith("| nft: TCP round trip, 4 endpoints").contains("µs"),
            row -> assertThat(row).startsWith("| nft: TCP throughput, 4 end").contains("Gbit/s"));
    try (Stream<Path> names = Files.list(NetworkNamespace.NAMES)) {
      String ours = "wlpb" + ProcessHandle.current().pid() + "n";
      assertThat(names.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.startsWith(ours));
    }
  }

  @Test
  void figuresOfTheCalculationBecomeRowsWithVerdicts() {
    FigureTable table = new FigureTable(new PrintStream(out, true, StandardCharsets.UTF_8));
    CalculationFigures.row(
        table, "9 endpoints, 1 here: cold 1999 ms (1500 ms of processor), heap 400 MiB");
    CalculationFigures.row(table, "  a policy's port     median 0.900 ms, 99 % under 1.200 ms");
    List<String> rows = rows();
    assertThat(rows).hasSize(3);
    assertThat(rows.get(0)).contains("9 endpoints, 1 here, cold | 1999 ms |").contains("| yes |");
    assertThat(rows.get(1)).contains(", heap | 400 MiB |").contains("| no |");
    assertThat(rows.get(2)).contains("a policy's port | 0.900 ms | 1.200 ms | below 1 ms | yes |");
  }

  @Test
  void anUnknownPartIsWrongUsage() {
    assertThat(run("--part", "nothing")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("--part").contains("calculation");
  }

  private List<String> rows() {
    return out.toString(StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.startsWith("| "))
        .skip(2)
        .toList();
  }

  private int run(String... arguments) {
    return PolicyBench.run(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        arguments);
  }
}

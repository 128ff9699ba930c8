package io.wayleave.test.bench;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The table of one shape, in Markdown, since it goes into the documents. Each figure has its ratio
 * to the best one of any other speaker, first or second load.
 */
final class Report {
  /** A line: a speaker's first or second load, the median of all rounds. */
  record Row(SpeakerKind kind, int load, Figures figures) {
    private String title() {
      return switch (kind) {
        case WAYLEAVE -> kind.title() + (load == 1 ? " cold" : " warm");
        case BIRD, FRR, FRR_FAST, GOBGP -> kind.title() + (load == 1 ? "" : ", second load");
      };
    }
  }

  private final List<Row> rows;
  private final Duration limit;

  Report(List<Row> rows, Duration limit) {
    this.rows = List.copyOf(rows);
    this.limit = limit;
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append(
        "| speaker | announce, s | withdraw, s | CPU, s | peak, MiB | load tool, CPU s | others,"
            + " CPU s |\n");
    text.append("| --- | --- | --- | --- | --- | --- | --- |\n");
    for (Row row : rows) {
      Figures figures = row.figures();
      text.append("| ")
          .append(row.title())
          .append(" | ")
          .append(cell(figures, Figures::announce, "%.2f"))
          .append(" | ")
          .append(cell(figures, Figures::withdraw, "%.2f"))
          .append(" | ")
          .append(cell(figures, Figures::cpu, "%.2f"))
          .append(" | ")
          .append(cell(figures, Figures::peak, "%.0f"))
          .append(
              String.format(
                  Locale.ROOT, " | %.2f | %.2f |%n", figures.toolCpu(), figures.otherCpu()));
    }
    return text.toString();
  }

  private String cell(Figures figures, ToDoubleFunction<Figures> figure, String format) {
    double value = figure.applyAsDouble(figures);
    if (Double.isNaN(value)) {
      return "–";
    }
    if (Double.isInfinite(value)) {
      return "> "
          + new BigDecimal(limit.toMillis()).movePointLeft(3).stripTrailingZeros().toPlainString();
    }
    String text = String.format(Locale.ROOT, format, value);
    double best =
        rows.stream()
            .filter(row -> row.kind() != SpeakerKind.WAYLEAVE && row.figures().finished())
            .mapToDouble(row -> figure.applyAsDouble(row.figures()))
            .min()
            .orElse(Double.NaN);
    return best > 0 ? text + String.format(Locale.ROOT, " (%.2f×)", value / best) : text;
  }
}

package io.wayleave.ctl;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * Columns of text under capital headings, two spaces apart, for people and for {@code awk}: no
 * borders, no trailing blanks, and no cell is empty. NOT thread safe.
 */
final class Table {
  private static final String GAP = "  ";
  private static final String EMPTY_CELL = "-";

  private final List<String> headings;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... headings) {
    this.headings = List.of(headings);
  }

  /** Adds a row, a cell for each heading. */
  Table row(String... cells) {
    if (cells.length != headings.size()) {
      throw new IllegalArgumentException(
          cells.length + " cells under " + headings.size() + " headings");
    }
    rows.add(Arrays.stream(cells).map(Table::clean).toList());
    return this;
  }

  /** Several values in one cell. */
  static String cell(Collection<?> values) {
    return String.join(",", values.stream().map(Object::toString).toList());
  }

  /** The table with a line feed after each line. */
  String text() {
    int[] widths = new int[headings.size()];
    measure(widths, headings);
    rows.forEach(row -> measure(widths, row));
    StringBuilder text = new StringBuilder();
    append(text, widths, headings);
    rows.forEach(row -> append(text, widths, row));
    return text.toString();
  }

  /**
   * A text that came from a peer, a container or another user, fit for a terminal: control
   * characters, which could move the cursor or hide a line, are shown as {@code \}{@code u001b}.
   */
  static String clean(String text) {
    if (text.isEmpty()) {
      return EMPTY_CELL;
    }
    if (text.codePoints().noneMatch(Table::isControl)) {
      return text;
    }
    StringBuilder clean = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (isControl(c)) {
                clean.append(String.format("\\u%04x", c));
              } else {
                clean.appendCodePoint(c);
              }
            });
    return clean.toString();
  }

  /** Control and format characters; the latter include those that turn the direction of text. */
  private static boolean isControl(int codePoint) {
    return Character.isISOControl(codePoint) || Character.getType(codePoint) == Character.FORMAT;
  }

  private static void measure(int[] widths, List<String> cells) {
    for (int i = 0; i < widths.length; i++) {
      widths[i] = Math.max(widths[i], length(cells.get(i)));
    }
  }

  private static void append(StringBuilder text, int[] widths, List<String> cells) {
    int last = cells.size() - 1;
    for (int i = 0; i < last; i++) {
      text.append(cells.get(i)).repeat(' ', widths[i] - length(cells.get(i))).append(GAP);
    }
    text.append(cells.get(last)).append('\n');
  }

  private static int length(String cell) {
    return cell.codePointCount(0, cell.length());
  }
}

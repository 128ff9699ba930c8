package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void alignsColumnsAndEndsNoLineInBlanks() {
    assertThat(
            new Table("NAME", "CIDR", "N").row("a", "10.0.0.0/8", "").row("longer", "", "7").text())
        .isEqualTo(
            """
            NAME    CIDR        N
            a       10.0.0.0/8  -
            longer  -           7
            """);
  }

  @Test
  void showsHeadingsWithoutRows() {
    assertThat(new Table("NAME", "CIDR").text()).isEqualTo("NAME  CIDR\n");
  }

  @Test
  void letsNoTextMoveTheCursorOrTurnTheDirection() {
    assertThat(Table.clean("a\u001b[2Jb\nc\u202ed\u009b"))
        .isEqualTo("a\\u001b[2Jb\\u000ac\\u202ed\\u009b");
    assertThat(Table.clean("Zürich 北京 \ud83d\ude80")).isEqualTo("Zürich 北京 \ud83d\ude80");
  }

  @Test
  void countsCharactersAndNotCodeUnits() {
    assertThat(new Table("A", "B").row("\ud83d\ude80", "x").row("y", "z").text())
        .isEqualTo("A  B\n\ud83d\ude80  x\ny  z\n");
  }

  @Test
  void refusesARowOfAnotherWidth() {
    assertThatThrownBy(() -> new Table("A", "B").row("only one"))
        .hasMessage("1 cells under 2 headings");
  }

  @Test
  void joinsSeveralValues() {
    assertThat(Table.cell(List.of(1, 2))).isEqualTo("1,2");
  }
}

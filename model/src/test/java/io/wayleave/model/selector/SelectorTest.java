package io.wayleave.model.selector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.InvalidInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class SelectorTest {

  record Row(String selector, Map<String, String> labels, String result) {}

  /** selectors.tsv: selector, labels as {@code a=b,c=d}, and match, no or error. */
  static List<Row> table() throws IOException {
    List<Row> rows = new ArrayList<>();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                SelectorTest.class.getResourceAsStream("selectors.tsv"), StandardCharsets.UTF_8))) {
      reader.readLine(); // the heading
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        String[] columns = line.split("\t", -1);
        rows.add(new Row(columns[0], labels(columns[1]), columns[2]));
      }
    }
    assertThat(rows).hasSizeGreaterThan(20);
    return rows;
  }

  @ParameterizedTest
  @MethodSource("table")
  void followsTheReferenceTable(Row row) {
    switch (row.result()) {
      case "match", "no" -> {
        Selector selector = Selector.parse(row.selector());
        boolean expected = row.result().equals("match");
        assertThat(selector.matches(row.labels())).isEqualTo(expected);
        assertThat(Selector.parse(selector.toString()).matches(row.labels())).isEqualTo(expected);
      }
      case "error" ->
          assertThatThrownBy(() -> Selector.parse(row.selector()))
              .isInstanceOf(InvalidInputException.class)
              .hasMessageContaining("\"" + row.selector() + "\"")
              .hasMessageContaining("at character ");
      default -> throw new AssertionError("unknown result in the table: " + row);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          a=b       ; a != "b"                         ; false
          ``        ; a not in {"x"}                   ; true
          ``        ; a contains ""                    ; false
          a=        ; has(a) && a == ""                ; true
          a=        ; a contains ""                    ; true
          a=abc     ; a starts with "ab"               ; true
          a=abc     ; a ends with "ab"                 ; false
          a=1,b=2   ; a == "x" && a == "y" || b == "2" ; true
          a=1,b=2   ; b == "2" || a == "x" && a == "y" ; true
          a=1,b=2   ; (b == "2" || a == "x") && a == "y" ; false
          a=1       ; !a == "1" && all()               ; false
          a=1       ; a in {}                          ; false
          a=1       ; a not in {}                      ; true
          a=1       ; a in {"1",}                      ; true
          in=1      ; in in {"1"}                      ; true
          has=1     ; has == "1" && has(has)           ; true
          not=1     ; not not in {"1"}                 ; false
          a=1       ; a startswith"1"                  ; true
          """)
  void evaluates(String labels, String selector, boolean expected) {
    assertThat(Selector.parse(selector).matches(labels(labels))).isEqualTo(expected);
  }

  @Test
  void theEmptySelectorIsAll() {
    assertThat(Selector.parse("")).isEqualTo(Selector.all()).hasToString("all()");
    assertThat(Selector.parse(" \t\n")).isEqualTo(Selector.all());
    assertThat(Selector.parse("global()")).isNotEqualTo(Selector.all());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          b == b             ; a quoted string at character 6
          b contains b       ; a quoted string at character 12
          'b1' == b          ; a label, has(…), all(), global(), ! or ( at character 1
          b                  ; after the label "b" one of ==, !=, in, not in, contains, starts with, ends with at character 2
          a b                ; starts with, ends with at character 3
          foo == "bar" &     ; && at character 14
          foo = "bar"        ; == at character 5
          foo == "bar" | x   ; || at character 14
          foo in {"", ||     ; a quoted string or } at character 13
          foo in {"" "b"}    ; , or } at character 12
          foo in ""          ; { and quoted strings at character 8
          "FOO'              ; a closing " for the string that starts at character 1
          a == 'x            ; a closing ' for the string that starts at character 6
          (a == "foo"        ; &&, || or ) at character 12
          a == "foo")        ; &&, || or the end at character 11
          a == "ä" %         ; a label, an operator or a string at character 10
          has(               ; a label at character 5
          has(a              ; ) at character 6
          any()              ; has(…), all() or global() and not "any(" at character 1
          a starts "x"       ; with at character 10
          a not {"x"}        ; in at character 7
          has(foo) &&        ; a label, has(…), all(), global(), ! or ( at character 12
          """)
  void saysWhereAndWhatIsExpected(String selector, String expected) {
    assertThatThrownBy(() -> Selector.parse(selector))
        .isInstanceOfSatisfying(
            InvalidInputException.class,
            refusal -> {
              assertThat(refusal.value()).isEqualTo(selector);
              assertThat(refusal.allowed()).endsWith(expected);
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          (all( ) )                       ; all()
          ! (has( b)||! has(a ))          ; !(!has(a) || has(b))
          a=="x"&&b=="y"                  ; a == "x" && b == "y"
          b == "y" && (a == 'x' && b == "y") ; a == "x" && b == "y"
          !!! has(a)                      ; !has(a)
          !(a == "x")                     ; a != "x"
          !a in {"z","x","z"}             ; a not in {"x", "z"}
          a in {"d"}                      ; a == "d"
          a in {}                         ; !all()
          all() && a == "x"               ; a == "x"
          all() || a == "x"               ; all()
          !all() || a == "x"              ; a == "x"
          a == "x" && a in {}             ; !all()
          a == '"'                        ; a == '"'
          a startswith "'"                ; a starts with "'"
          a == "x" || b == "y" && has(c)  ; (b == "y" && has(c)) || a == "x"
          """)
  void equalSelectorsHaveEqualText(String selector, String canonical) {
    Selector parsed = Selector.parse(selector);
    assertThat(parsed).hasToString(canonical);
    assertThat(Selector.parse(canonical)).isEqualTo(parsed).hasSameHashCodeAs(parsed);
  }

  @Test
  void theNormalFormSelectsTheSame() {
    // Random trees written without any normalisation, against the same tree evaluated as written.
    Random random = new Random(20261124);
    for (int i = 0; i < 2000; i++) {
      Tree tree = Tree.random(random, 4);
      Selector selector = Selector.parse(tree.text());
      Selector again = Selector.parse(selector.toString());
      assertThat(again).as(tree.text()).isEqualTo(selector);
      for (int j = 0; j < 8; j++) {
        Map<String, String> labels = Tree.randomLabels(random);
        assertThat(selector.matches(labels))
            .as("%s with %s", tree.text(), labels)
            .isEqualTo(tree.test().test(labels));
      }
    }
  }

  @Test
  void nestsDeepButNotWithoutEnd() {
    String deep = "(".repeat(100) + "has(a)" + ")".repeat(100);
    assertThat(Selector.parse(deep)).hasToString("has(a)");
    assertThatThrownBy(() -> Selector.parse("(" + deep + ")"))
        .hasMessageContaining("at most 100 nested parentheses at character 101");
    assertThat(Selector.parse("!".repeat(100_001) + "has(a)")).hasToString("!has(a)");
  }

  @Test
  void labelsHaveAtMost512Characters() {
    assertThat(Selector.parse("has(" + "x".repeat(512) + ")").matches(Map.of())).isFalse();
    assertThatThrownBy(() -> Selector.parse("has(" + "x".repeat(513) + ")"))
        .hasMessageContaining("a label of at most 512 characters at character 5");
  }

  private static Map<String, String> labels(String text) {
    Map<String, String> labels = new HashMap<>();
    if (text != null && !text.isEmpty()) {
      for (String pair : text.split(",", -1)) {
        int equals = pair.indexOf('=');
        labels.put(pair.substring(0, equals), pair.substring(equals + 1));
      }
    }
    return labels;
  }
}

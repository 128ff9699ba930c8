package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.LegacyTable.Content;
import io.wayleave.linux.LegacyTable.Shape;
import io.wayleave.model.Family;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("real")
class LegacyTableTest {
  private static final String RULES =
      """
      *filter
      :INPUT ACCEPT [0:0]
      :FORWARD DROP [0:0]
      :OUTPUT ACCEPT [0:0]
      :wl-a - [0:0]
      :wl-empty - [0:0]
      -A INPUT -m comment --comment "first of all" -j wl-a
      -A INPUT -p tcp -m multiport --dports 1,2,3 -m comment --comment second -j ACCEPT
      -A FORWARD -p udp -j wl-a
      -A wl-a -m mark --mark 0x1 -m comment --comment wl:abc -j RETURN
      -A wl-a -j DROP
      COMMIT
      """;

  private TestNamespace namespace;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
  }

  @AfterEach
  void close() throws IOException {
    namespace.close();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void readsTheCommentsOfEveryChain(Family family) throws IOException {
    Tool.feed(namespace, RULES, program(family) + "-restore");
    try (LegacyTable table = table(family)) {
      assertThat(table.read().comments())
          .isEqualTo(
              Map.of(
                  "INPUT", List.of("first of all", "second"),
                  "FORWARD", List.of(""),
                  "OUTPUT", List.of(),
                  "wl-a", List.of("wl:abc", ""),
                  "wl-empty", List.of()));
      assertThat(table.hash()).isEqualTo(table.read().hash());
    }
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void anEmptyTableHasTheHooksOnly(Family family) throws IOException {
    try (LegacyTable table = table(family)) {
      assertThat(table.read().comments())
          .isEqualTo(Map.of("INPUT", List.of(), "FORWARD", List.of(), "OUTPUT", List.of()));
    }
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void everyChangeButThatOfCountersChangesTheHash(Family family) throws IOException {
    Tool.feed(namespace, RULES, program(family) + "-restore");
    try (LegacyTable table = table(family)) {
      Content before = table.read();
      Shape shape = table.shape();
      assertThat(table.read()).isEqualTo(before);
      // The counters of the rules move.
      String loopback = family == Family.IPV4 ? "127.0.0.1" : "::1";
      Tool.run(namespace, "sh", "-c", "ping -c 1 -W 0.1 " + loopback + " || true");
      assertThat(Tool.run(namespace, program(family) + "-save", "-c"))
          .doesNotContain("[0:0] -A INPUT -m comment");
      assertThat(table.read()).isEqualTo(before);
      assertThat(table.shape()).isEqualTo(shape);

      // As long as the rule before, so that the shape is the same.
      Tool.run(namespace, program(family), "-R", "wl-a", "2", "-j", "ACCEPT");
      assertThat(table.hash()).isNotEqualTo(before.hash());
      assertThat(table.shape()).isEqualTo(shape);
      Tool.run(namespace, program(family), "-R", "wl-a", "2", "-j", "DROP");
      assertThat(table.hash()).isEqualTo(before.hash());

      Tool.run(namespace, program(family), "-P", "FORWARD", "ACCEPT");
      assertThat(table.hash()).isNotEqualTo(before.hash());
      Tool.run(namespace, program(family), "-A", "OUTPUT", "-j", "ACCEPT");
      assertThat(table.shape()).isNotEqualTo(shape);
    }
  }

  @Test
  void aLargeTableCostsLittle() throws IOException {
    StringBuilder rules = new StringBuilder("*filter\n");
    for (int chain = 0; chain < 2400; chain++) {
      rules.append(":wl-c" + chain + " - [0:0]\n");
    }
    for (int i = 0; i < 24_000; i++) {
      rules.append(
          "-A wl-c%d -p tcp -m multiport --dports %d,443 -m comment --comment wl:h%d -j DROP\n"
              .formatted(i / 10, i % 1000, i));
    }
    Tool.feed(namespace, rules.append("COMMIT\n").toString(), "iptables-legacy-restore");
    try (LegacyTable table = table(Family.IPV4)) {
      List<Long> shape = new ArrayList<>();
      List<Long> hash = new ArrayList<>();
      List<Long> read = new ArrayList<>();
      for (int i = 0; i < 21; i++) {
        long start = System.nanoTime();
        table.shape();
        long one = System.nanoTime();
        table.hash();
        long two = System.nanoTime();
        assertThat(table.read().comments()).hasSize(2403);
        long three = System.nanoTime();
        shape.add((one - start) / 1000);
        hash.add((two - one) / 1000);
        read.add((three - two) / 1000);
      }
      System.getLogger(getClass().getName())
          .log(
              System.Logger.Level.INFO,
              "24,000 rules, {0} bytes, in us: shape {1}, hash {2}, read {3}",
              table.shape().bytes(),
              shape,
              hash,
              read);
      assertThat(hash.stream().sorted().toList().get(10)).isLessThan(300_000);
    }
  }

  private LegacyTable table(Family family) throws IOException {
    return namespace.namespace().run(() -> LegacyTable.openFilter(family));
  }

  private static String program(Family family) {
    return family == Family.IPV4 ? "iptables-legacy" : "ip6tables-legacy";
  }
}

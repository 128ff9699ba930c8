package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.policy.dataplane.TableWalk.End;
import io.wayleave.policy.dataplane.TableWalk.Packet;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class DispatchTreeTest {
  private final DispatchTree tree = new DispatchTree("wl-from-wl", "-i");
  private final Map<String, List<String>> chains = new TreeMap<>();
  private int written;

  @Test
  void withoutEndpointsEverythingOfOursIsDropped() {
    flush();
    assertThat(chains).containsOnlyKeys("wl-from-wl");
    assertThat(walk("wl0123456789a").verdict()).isEqualTo("DROP");
  }

  @Test
  void anInterfaceMayHaveSeveralRulesOrNone() {
    tree.put("wl1", List.of("-s 10.0.0.1/32 -g wl-eg-a", "-s 10.0.0.2/32 -g wl-eg-a"));
    tree.put("wl2", List.of());
    flush();
    assertThat(chains.get("wl-from-wl"))
        .startsWith("-i wl1 -s 10.0.0.1/32 -g wl-eg-a", "-i wl1 -s 10.0.0.2/32 -g wl-eg-a")
        .endsWith("-j DROP");
    assertThat(walk(Packet.in("wl1").from("10.0.0.2")).verdict()).isEqualTo("wl-eg-a");
    assertThat(walk(Packet.in("wl1").from("10.0.0.3")).verdict()).isEqualTo("DROP");
    assertThat(walk("wl2").verdict()).isEqualTo("DROP");
  }

  /** Names with few letters, so that the tree gets deep; some are the beginning of others. */
  @Test
  void whateverComesAndGoesEachInterfaceIsFoundAndOthersAreDropped() {
    for (int seed = 0; seed < 40; seed++) {
      Random random = new Random(seed);
      DispatchTree changing = new DispatchTree("wl-from-wl", "-i");
      Map<String, List<String>> kernel = new TreeMap<>();
      Map<String, String> wanted = new TreeMap<>();
      for (int step = 0; step < 60; step++) {
        for (int i = random.nextInt(8); i >= 0; i--) {
          String name = name(random);
          // The tree grows first and withers then.
          if (random.nextInt(10) < (step < 30 ? 2 : 9) && !wanted.isEmpty()) {
            String gone = List.copyOf(wanted.keySet()).get(random.nextInt(wanted.size()));
            wanted.remove(gone);
            changing.remove(gone);
          } else {
            wanted.put(name, "wl-eg-" + random.nextInt(5));
            changing.put(name, List.of("-g " + wanted.get(name)));
          }
        }
        changing.flush(chain -> kernel.put(chain.name(), chain.rules()), kernel::remove);
        for (Map.Entry<String, String> each : wanted.entrySet()) {
          assertThat(walk(kernel, each.getKey()).verdict())
              .as("seed %s step %s interface %s", seed, step, each.getKey())
              .isEqualTo(each.getValue());
        }
        for (int i = 0; i < 5; i++) {
          String other = name(random) + "f";
          assertThat(walk(kernel, other).verdict())
              .as("seed %s step %s interface %s", seed, step, other)
              .isEqualTo("DROP");
        }
      }
      // No chain is left that nothing leads to: the tree is the one that is made at once.
      DispatchTree atOnce = new DispatchTree("wl-from-wl", "-i");
      wanted.forEach((name, chain) -> atOnce.put(name, List.of("-g " + chain)));
      Map<String, List<String>> fresh = new TreeMap<>();
      atOnce.flush(chain -> fresh.put(chain.name(), chain.rules()), fresh::remove);
      assertThat(kernel).as("seed %s", seed).isEqualTo(fresh);
      assertThat(kernel.keySet()).allMatch(name -> name.length() <= ChainNames.MAX_LENGTH);
    }
  }

  @Test
  void aThousandEndpointsAreThreeStepsAndOneMoreChangesOneChain() {
    Random random = new Random(5);
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      names.add("wl%011x".formatted(random.nextLong() >>> 20));
      tree.put(names.getLast(), List.of("-g wl-eg-a"));
    }
    flush();
    int longest = 0;
    long all = 0;
    for (String name : names) {
      End end = walk(name);
      longest = Math.max(longest, end.rules());
      all += end.rules();
    }
    assertThat(longest).isLessThan(60);
    assertThat(all / 1000).as("rules asked on average").isLessThan(25);
    written = 0;
    tree.put("wl123456789ab", List.of("-g wl-eg-a"));
    flush();
    assertThat(written).isLessThanOrEqualTo(2);
    written = 0;
    tree.put("wl123456789ab", List.of("-g wl-eg-a"));
    flush();
    assertThat(written).isZero();
  }

  @Test
  void whatGoesAtOnceTakesItsChainsWithIt() {
    for (int i = 0; i < 40; i++) {
      tree.put("wl0000%02x".formatted(i), List.of("-g wl-eg-a"));
    }
    flush();
    assertThat(chains)
        .containsOnlyKeys(
            "wl-from-wl",
            "wl-from-wl-0000",
            "wl-from-wl-00000",
            "wl-from-wl-00001",
            "wl-from-wl-00002");
    for (int i = 0; i < 40; i++) {
      tree.remove("wl0000%02x".formatted(i));
    }
    flush();
    assertThat(chains).containsOnlyKeys("wl-from-wl");
  }

  private static String name(Random random) {
    return "wl"
        + random
            .ints(1 + random.nextInt(7), 0, 3)
            .mapToObj(i -> "0a1".substring(i, i + 1))
            .collect(Collectors.joining());
  }

  private void flush() {
    tree.flush(
        chain -> {
          written++;
          chains.put(chain.name(), chain.rules());
        },
        chains::remove);
  }

  private End walk(String interfaceName) {
    return walk(chains, interfaceName);
  }

  private End walk(Packet packet) {
    return TableWalk.walk(chains, "wl-from-wl", packet, 0);
  }

  private static End walk(Map<String, List<String>> chains, String interfaceName) {
    return TableWalk.walk(chains, "wl-from-wl", Packet.in(interfaceName), 0);
  }
}

package io.wayleave.policy.dataplane;

import static io.wayleave.policy.Fixtures.endpoint;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import io.wayleave.policy.calc.RuleBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class FrameRendererTest {
  private static final WorkloadEndpoint ENDPOINT =
      endpoint("n1", "c", "wl1", Map.of(), "10.0.0.1", "fd00::1", "10.0.0.2");
  private static final ResolvedPolicies GOVERNED =
      new ResolvedPolicies(
          List.of(
              new TierPolicies(
                  "default",
                  Tier.DefaultAction.Deny,
                  List.of(
                      new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, "a"),
                      new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, "b")))),
          List.of(),
          List.of(),
          true);

  @Test
  void anEndpointSendsFromItsOwnAddressesOnly() {
    assertThat(chain("wl-fw-wl1", Family.IPV4))
        .containsExactly("-s 10.0.0.1/32 -g wl-eg-wl1", "-s 10.0.0.2/32 -g wl-eg-wl1", "-j DROP");
    assertThat(chain("wl-fw-wl1", Family.IPV6))
        .containsExactly(
            "-s fd00::1/128 -g wl-eg-wl1",
            "-p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -g wl-allow",
            "-p ipv6-icmp -m icmp6 --icmpv6-type 136 -m hl --hl-eq 255 -g wl-allow",
            "-j DROP");
  }

  @Test
  void governedInOneDirectionAndOpenInTheOther() {
    assertThat(chain("wl-in-wl1", Family.IPV4))
        .containsExactly(
            "-m conntrack --ctstate RELATED,ESTABLISHED -g wl-allow",
            "-m conntrack --ctstate INVALID -j DROP",
            "-j MARK --set-xmark 0x0/0x10000",
            "-j wl-pi-a",
            "-m mark --mark 0x10000/0x10000 -j RETURN",
            "-j wl-pi-b",
            "-m mark --mark 0x10000/0x10000 -j RETURN",
            "-j DROP");
    assertThat(chain("wl-eg-wl1", Family.IPV4))
        .containsExactly(
            "-m conntrack --ctstate RELATED,ESTABLISHED -g wl-allow",
            "-m conntrack --ctstate INVALID -j DROP",
            "-g wl-allow");
  }

  @Test
  void withoutEndpointsEverythingOfOursIsDropped() {
    List<Chain> chains = FrameRenderer.dispatch(List.of());
    assertThat(chains).extracting(Chain::name).containsExactly("wl-from-wl", "wl-to-wl");
    assertThat(walk(chains, "wl-from-wl", "-i", "wl0123456789a").verdict()).isEqualTo("-j DROP");
    assertThat(walk(chains, "wl-to-wl", "-o", "wlp3s0").verdict()).isEqualTo("-j RETURN");
  }

  @Test
  void theTreeLeadsEveryInterfaceToItsEndpointAndOthersToDrop() {
    Random random = new Random(4);
    for (int size : new int[] {1, 16, 17, 100, 2000}) {
      Set<String> names = new TreeSet<>();
      while (names.size() < size) {
        // Few letters, so that the tree gets deep; some names are the beginning of others.
        int length = size <= 100 ? 1 + random.nextInt(11) : 11;
        names.add(
            "wl"
                + random
                    .ints(length, 0, 3)
                    .mapToObj(Integer::toString)
                    .collect(Collectors.joining()));
      }
      List<Chain> chains = FrameRenderer.dispatch(names);
      int longest = 0;
      for (String name : names) {
        Walk in = walk(chains, "wl-from-wl", "-i", name);
        assertThat(in.verdict()).isEqualTo("-g wl-fw-" + name);
        Walk out = walk(chains, "wl-to-wl", "-o", name);
        assertThat(out.verdict()).isEqualTo("-g wl-in-" + name);
        longest = Math.max(longest, in.steps());
      }
      assertThat(longest).as("rules asked with %s endpoints", size).isLessThan(60);
      assertThat(walk(chains, "wl-from-wl", "-i", "wlfffffffffff").verdict()).isEqualTo("-j DROP");
      assertThat(walk(chains, "wl-from-wl", "-i", "wl00000000009").verdict()).isEqualTo("-j DROP");
      assertThat(walk(chains, "wl-from-wl", "-i", "wlan0").verdict()).isEqualTo("-j RETURN");
      assertThat(chains).allMatch(chain -> chain.name().length() <= ChainNames.MAX_LENGTH);
      assertThat(chains).allMatch(chain -> chain.rules().getLast().equals("-j DROP"));
    }
  }

  @Test
  void oneMoreEndpointChangesFewChains() {
    List<String> names = new ArrayList<>();
    Random random = new Random(5);
    for (int i = 0; i < 1000; i++) {
      names.add("wl%011x".formatted(random.nextLong() >>> 20));
    }
    Map<String, Chain> before = byName(FrameRenderer.dispatch(names));
    names.add("wl123456789ab");
    Map<String, Chain> after = byName(FrameRenderer.dispatch(names));
    after.values().removeAll(before.values());
    assertThat(after).hasSizeLessThanOrEqualTo(4);
  }

  private record Walk(String verdict, int steps) {}

  /** What iptables does with the dispatch chains. */
  private static Walk walk(List<Chain> chains, String root, String option, String interfaceName) {
    Map<String, Chain> byName = byName(chains);
    String chain = root;
    int steps = 0;
    while (true) {
      String next = "";
      for (String rule : byName.get(chain).rules()) {
        steps++;
        String[] words = rule.split(" ", 4);
        if (words[0].equals("-j")) {
          return new Walk(rule, steps);
        }
        assertThat(words[0]).isEqualTo(option);
        boolean matches =
            words[1].endsWith("+")
                ? interfaceName.startsWith(words[1].substring(0, words[1].length() - 1))
                : interfaceName.equals(words[1]);
        if (!matches) {
          continue;
        }
        if (!byName.containsKey(words[3])) {
          return new Walk(words[2] + " " + words[3], steps);
        }
        next = words[3];
        break;
      }
      assertThat(next).isNotEmpty();
      chain = next;
    }
  }

  private static Map<String, Chain> byName(List<Chain> chains) {
    return chains.stream().collect(Collectors.toMap(Chain::name, Function.identity()));
  }

  private static List<String> chain(String name, Family family) {
    return byName(FrameRenderer.endpoint(ENDPOINT, GOVERNED, family)).get(name).rules();
  }
}

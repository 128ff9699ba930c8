package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class TableDriverTest {
  private static final Chain FRAME = Chain.structure("wl-FORWARD", List.of("-j wl-a", "-j wl-b"));
  private static final Chain A = Chain.policy("wl-a", List.of("-p tcp -j ACCEPT"));
  private static final Chain B = Chain.policy("wl-b", List.of("-p udp -j ACCEPT", "-j DROP"));

  private final FakeKernel kernel = new FakeKernel();
  private final TableDriver driver = driver();

  private TableDriver driver() {
    return new TableDriver(
        Family.IPV4, IptablesBackend.NFT, kernel, Map.of("FORWARD", Optional.of("wl-FORWARD")));
  }

  @Test
  void writesEverythingInOneRestore() {
    put(driver);
    assertThat(kernel.takeLog().stream().filter(line -> line.startsWith("iptables")))
        .containsExactly("iptables-nft-save -t filter", "iptables-nft-restore --noflush --wait=10");
    assertThat(rules("FORWARD")).containsExactly("-j wl-FORWARD");
    assertThat(rules("wl-FORWARD")).containsExactly("-j wl-a", "-j wl-b");
    assertThat(rules("wl-b")).containsExactly("-p udp -j ACCEPT", "-j DROP");
  }

  @Test
  void writesNothingWhenNothingDiffers() {
    put(driver);
    kernel.takeLog();
    driver.apply(Mode.FULL);
    assertThat(kernel.takeLog()).isEmpty();
    driver.put(A);
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(kernel.takeLog()).containsExactly("iptables-nft-save -t filter");
  }

  @Test
  void writesOnlyTheChainThatChanged() {
    put(driver);
    kernel.takeLog();
    driver.put(Chain.policy("wl-b", List.of("-p sctp -j ACCEPT", "-j DROP")));
    driver.apply(Mode.FULL);
    assertThat(kernel.takeLog())
        .filteredOn(line -> line.startsWith(":") || line.startsWith("-A"))
        .hasSize(3)
        .allMatch(line -> line.startsWith(":wl-b ") || line.startsWith("-A wl-b "));
    assertThat(rules("wl-b")).containsExactly("-p sctp -j ACCEPT", "-j DROP");
  }

  @Test
  void rulesThatComeBetweenOthersAreInsertedAndTheOthersLeft() {
    put(driver);
    kernel.takeLog();
    List<String> more =
        List.of(
            "-j wl-X", "-p udp -j ACCEPT", "-j wl-Y", "-j wl-Y", "-j DROP", "-j DROP", "-j wl-Z");
    driver.put(Chain.structure("wl-X", List.of()));
    driver.put(Chain.structure("wl-Y", List.of()));
    driver.put(Chain.structure("wl-Z", List.of()));
    driver.put(Chain.policy("wl-b", more));
    driver.apply(Mode.FULL);
    assertThat(kernel.takeLog())
        .filteredOn(line -> line.contains("wl-b"))
        .extracting(line -> line.replaceAll("-m mark ! --mark \\S+ ", ""))
        .containsExactly(
            "-I wl-b 1 -j wl-X",
            "-I wl-b 3 -j wl-Y",
            "-I wl-b 4 -j wl-Y",
            "-A wl-b -j DROP",
            "-A wl-b -j wl-Z");
    assertThat(rules("wl-b")).isEqualTo(more);
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(kernel.takeLog()).containsExactly("iptables-nft-save -t filter");

    driver.put(Chain.policy("wl-b", more.reversed()));
    driver.apply(Mode.FULL);
    assertThat(rules("wl-b")).isEqualTo(more.reversed());
  }

  @Test
  void anotherDriverFindsWhatThisOneWrote() {
    put(driver);
    kernel.takeLog();
    TableDriver restarted = driver();
    put(restarted);
    assertThat(kernel.takeLog()).containsExactly("iptables-nft-save -t filter");
  }

  @Test
  void rulesInAnotherOrderOrAnotherChainAreOthers() {
    assertThat(Chain.structure("wl-x", List.of("-j A", "-j B")).hashes())
        .isNotEqualTo(Chain.structure("wl-x", List.of("-j B", "-j A")).hashes())
        .doesNotContainAnyElementsOf(Chain.structure("wl-y", List.of("-j A", "-j B")).hashes());
    put(driver);
    kernel
        .table(Family.IPV4)
        .put("wl-b", new ArrayList<>(kernel.raw(Family.IPV4, "wl-b").reversed()));
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(rules("wl-b")).containsExactly("-p udp -j ACCEPT", "-j DROP");
  }

  /** In nft a rule carries 32 bits, which some pair of so many rules shares. */
  @Test
  void aRuleIsNotTakenForAnotherThatCarriesTheSamePartOfItsHash() {
    Map<String, String> ruleOf = new HashMap<>();
    String one = "";
    String other = null;
    for (int i = 0; other == null; i++) {
      one = "-p tcp -m tcp --dport " + i + " -j ACCEPT";
      String hash = Chain.policy("wl-b", List.of(one)).hashes().getFirst();
      other = ruleOf.put(IptablesBackend.NFT.carried(hash), one);
    }
    put(driver);
    driver.put(Chain.policy("wl-b", List.of(one)));
    driver.apply(Mode.FULL);
    driver.put(Chain.policy("wl-b", List.of(other)));
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(rules("wl-b")).containsExactly(other);
  }

  @Test
  void deletesWhatIsOursAndNotWanted() {
    kernel.table(Family.IPV4).put("wl-old", new ArrayList<>(List.of("-j wl-older")));
    kernel.table(Family.IPV4).put("wl-older", new ArrayList<>());
    kernel.table(Family.IPV4).put("others", new ArrayList<>(List.of("-j DROP")));
    put(driver);
    assertThat(kernel.table(Family.IPV4))
        .doesNotContainKeys("wl-old", "wl-older")
        .containsKey("others");
    driver.put(Chain.structure("wl-FORWARD", List.of("-j wl-a")));
    driver.remove("wl-b");
    driver.apply(Mode.FULL);
    assertThat(kernel.table(Family.IPV4)).doesNotContainKey("wl-b");
  }

  @Test
  void adoptingAddsWhatIsMissingAndTouchesNothingElse() {
    put(driver);
    kernel.raw(Family.IPV4, "wl-a").clear();
    kernel.table(Family.IPV4).put("wl-old", new ArrayList<>());
    kernel.raw(Family.IPV4, "FORWARD").clear();

    TableDriver restarted = driver();
    restarted.put(FRAME);
    restarted.put(A);
    restarted.put(B);
    restarted.put(Chain.structure("wl-new", List.of("-j DROP")));
    restarted.apply(Mode.ADOPT);
    assertThat(rules("wl-new")).containsExactly("-j DROP");
    assertThat(rules("FORWARD")).containsExactly("-j wl-FORWARD");
    assertThat(rules("wl-a")).isEmpty();
    assertThat(kernel.table(Family.IPV4)).containsKey("wl-old");

    restarted.apply(Mode.FULL);
    assertThat(rules("wl-a")).containsExactly("-p tcp -j ACCEPT");
    assertThat(kernel.table(Family.IPV4)).doesNotContainKey("wl-old");
  }

  @Test
  void repairsWhatOthersDidToOurChainsAndJumps() {
    put(driver);
    kernel.raw(Family.IPV4, "FORWARD").addFirst("-j others");
    kernel.raw(Family.IPV4, "FORWARD").add("-s 10.0.0.0/8 -j wl-FORWARD");
    kernel.raw(Family.IPV4, "wl-a").addFirst("-j ACCEPT");
    kernel.table(Family.IPV4).remove("wl-b");

    driver.apply(Mode.FULL);
    assertThat(rules("FORWARD").getFirst())
        .as("nobody said that something changed")
        .isEqualTo("-j others");
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(rules("FORWARD")).containsExactly("-j wl-FORWARD", "-j others");
    assertThat(rules("wl-a")).containsExactly("-p tcp -j ACCEPT");
    assertThat(rules("wl-b")).containsExactly("-p udp -j ACCEPT", "-j DROP");
  }

  @Test
  void aRefusedPolicyIsClosedAndTheRestGoesOn() {
    kernel.refuse(line -> line.contains(" wl-b ") && line.contains("udp"));
    put(driver);
    assertThat(rules("wl-a")).containsExactly("-p tcp -j ACCEPT");
    assertThat(rules("wl-b")).containsExactly("-j DROP");
    assertThat(driver.failing()).containsOnlyKeys("wl-b");

    // It is not tried again for nothing, only when its rules change or at a resync.
    kernel.takeLog();
    driver.apply(Mode.FULL);
    assertThat(kernel.takeLog()).isEmpty();
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(rules("wl-b")).containsExactly("-j DROP");
    assertThat(driver.failing()).containsOnlyKeys("wl-b");
    driver.put(Chain.policy("wl-b", List.of("-p sctp -j ACCEPT")));
    driver.apply(Mode.FULL);
    assertThat(rules("wl-b")).containsExactly("-p sctp -j ACCEPT");
    assertThat(driver.failing()).isEmpty();
  }

  @Test
  void severalRefusedPoliciesAreClosedEach() {
    kernel.refuse(line -> line.contains("udp") || line.contains("tcp"));
    put(driver);
    assertThat(rules("wl-a")).containsExactly("-j DROP");
    assertThat(rules("wl-b")).containsExactly("-j DROP");
    kernel.work();
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(rules("wl-a")).containsExactly("-p tcp -j ACCEPT");
    assertThat(driver.failing()).isEmpty();
  }

  @Test
  void aRefusedFrameFailsTheWriteAndChangesNothing() {
    kernel.refuse(line -> line.startsWith("-A wl-FORWARD"));
    assertThatThrownBy(() -> put(driver))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("iptables-nft-restore --noflush --wait=10 failed: bad argument");
    assertThat(rules("FORWARD")).isEmpty();
    assertThat(kernel.table(Family.IPV4)).doesNotContainKey("wl-a");
    kernel.work();
    driver.apply(Mode.FULL);
    assertThat(rules("wl-a")).containsExactly("-p tcp -j ACCEPT");
  }

  @Test
  void aChainThatOthersUseIsEmptiedAndReported() {
    kernel.table(Family.IPV4).put("wl-old", new ArrayList<>(List.of("-j ACCEPT")));
    kernel.raw(Family.IPV4, "INPUT").add("-j wl-old");
    put(driver);
    assertThat(rules("wl-a")).containsExactly("-p tcp -j ACCEPT");
    assertThat(driver.failing()).containsOnlyKeys("wl-old");
    kernel.raw(Family.IPV4, "INPUT").clear();
    driver.invalidate();
    driver.apply(Mode.FULL);
    assertThat(kernel.table(Family.IPV4)).doesNotContainKey("wl-old");
    assertThat(driver.failing()).isEmpty();
  }

  private static void put(TableDriver driver) {
    driver.put(FRAME);
    driver.put(A);
    driver.put(B);
    driver.apply(Mode.FULL);
  }

  private List<String> rules(String chain) {
    return kernel.rules(Family.IPV4, chain);
  }
}

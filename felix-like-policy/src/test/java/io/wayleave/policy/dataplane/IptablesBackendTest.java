package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class IptablesBackendTest {
  private static final String ONE_RULE =
      "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n";
  private static final String NO_RULE = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
  private static final String OURS = "*filter\n:wl-allow - [0:0]\nCOMMIT\n";

  private final List<String> asked = new ArrayList<>();

  @Test
  void legacyTablesAreNotTouchedWhereThereAreNone() {
    assertThat(detect("", ONE_RULE, ONE_RULE)).isEqualTo(IptablesBackend.NFT);
    assertThat(asked).containsExactly("cat /proc/net/ip_tables_names");
  }

  @Test
  void theOneWithMoreRulesElseNft() {
    assertThat(detect("filter\n", NO_RULE, ONE_RULE)).isEqualTo(IptablesBackend.LEGACY);
    assertThat(detect("filter\n", ONE_RULE, NO_RULE)).isEqualTo(IptablesBackend.NFT);
    assertThat(detect("nat\nfilter\n", NO_RULE, NO_RULE)).isEqualTo(IptablesBackend.NFT);
  }

  @Test
  void theOneThatHasOurChains() {
    assertThat(detect("filter\n", OURS, ONE_RULE)).isEqualTo(IptablesBackend.NFT);
    assertThat(detect("filter\n", ONE_RULE, OURS)).isEqualTo(IptablesBackend.LEGACY);
    assertThat(detect("filter\n", OURS, OURS)).isEqualTo(IptablesBackend.NFT);
  }

  @Test
  void aHostWithoutIptablesSaysSo() {
    assertThatThrownBy(
            () ->
                IptablesBackend.detect(
                    (command, _) ->
                        command.getFirst().equals("cat")
                            ? new CommandRunner.Result(0, "filter\n", "")
                            : new CommandRunner.Result(4, "", "no permission\n")))
        .hasMessage("iptables-nft-save -t filter failed: no permission");
  }

  @Test
  void whatCarriesAHashAlwaysHolds() {
    assertThat(IptablesBackend.LEGACY.carrying("abcDEF-_1234"))
        .isEqualTo("-m comment --comment \"wl:abcDEF-_1234\"");
    assertThat(IptablesBackend.NFT.carrying("abcDEF-_1234"))
        .isEqualTo("-m mark ! --mark 0x69b70310/0x0");
    // No mark is another one than 0.
    assertThat(IptablesBackend.NFT.carrying("AAAAAAAAAAAA")).isEqualTo("-m mark ! --mark 0x1/0x0");
    for (IptablesBackend backend : IptablesBackend.values()) {
      String saved = "-A wl-a -p tcp " + backend.carrying("abcDEF-_1234") + " -j DROP\n-A wl-a\n";
      assertThat(SavedTable.parse(":wl-a - [0:0]\n" + saved).ourChains())
          .containsExactly(Map.entry("wl-a", List.of(backend.carried("abcDEF-_1234"), "")));
    }
  }

  private IptablesBackend detect(String tables, String nft, String legacy) {
    Map<String, String> answers =
        Map.of("cat", tables, "iptables-nft-save", nft, "iptables-legacy-save", legacy);
    asked.clear();
    return IptablesBackend.detect(
        (command, _) -> {
          asked.add(String.join(" ", command));
          return new CommandRunner.Result(0, answers.get(command.getFirst()), "");
        });
  }
}

package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.RoutePolicy;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ImportTest {
  private static final Cidr PREFIX = Cidr.parse("10.1.0.0/24");
  private static final Cidr OTHER = Cidr.parse("10.2.0.0/24");

  /** Takes one prefix with another preference and a priority, and rejects the rest. */
  private record OnlyOne(long preference) implements RoutePolicy {
    @Override
    public Verdict judge(Subject subject) {
      return subject.prefix().equals(PREFIX)
          ? new Verdict.Accept(
              subject.attributes().toBuilder().localPref(preference).build(), OptionalInt.of(50))
          : new Verdict.Reject("filter \"one\", rule 1");
    }
  }

  private static Import rules(Consumer<PeerPolicy.Builder> change) {
    return new Import(
        new ImportCheck(
            Set.of(Asn.of(64512)),
            RouterId.parse("10.0.0.254"),
            RouterId.parse("10.0.0.254"),
            Set.of()),
        PeerPolicy.DEFAULT.with(change));
  }

  private static Path received(Import rules, Path path) {
    return rules.received((PathSource.Peer) path.source(), 0, path.attributes(), path.nextHop());
  }

  private static Path judged(Import rules, Path path, Cidr prefix) {
    return rules.judged(received(rules, path), prefix);
  }

  @Test
  void localPreferenceOfAnExternalPeerIsIgnored() {
    Consumer<PathAttributes.Builder> preferred = builder -> builder.localPref(200);
    assertThat(received(rules(_ -> {}), Paths.of(1, preferred, 65000)).localPref()).isEqualTo(100);
    assertThat(received(rules(_ -> {}), Paths.internal(1, preferred, 65000)).localPref())
        .isEqualTo(200);
  }

  @Test
  void thePolicyChangesOrRejectsPrefixByPrefix() {
    Import rules = rules(policy -> policy.importPolicy(new OnlyOne(300)));
    Path taken = judged(rules, Paths.of(1), PREFIX);
    assertThat(taken.localPref()).isEqualTo(300);
    assertThat(taken.priority()).hasValue(50);
    assertThat(taken.received()).isEqualTo(Paths.of(1).attributes());
    Path refused = judged(rules, Paths.of(1), OTHER);
    assertThat(refused.usable()).isFalse();
    assertThat(refused.rejection().orElseThrow()).hasToString("rejected by filter \"one\", rule 1");
  }

  @Test
  void aPathIsJudgedAgainFromWhatWasReceived() {
    Import former = rules(policy -> policy.importPolicy(new OnlyOne(300)));
    Import none = rules(_ -> {});
    for (Cidr prefix : List.of(PREFIX, OTHER)) {
      Path path = judged(former, Paths.of(1), prefix);
      assertThat(none.again(path, prefix)).isEqualTo(Paths.of(1));
      assertThat(former.again(none.again(path, prefix), prefix)).isEqualTo(path);
    }
  }

  /** RFC 8212. */
  @Test
  void withoutARequiredPolicyAnExternalPeerIsNotBelieved() {
    Import rules = rules(policy -> policy.requirePolicy(true));
    assertThat(received(rules, Paths.of(1)).rejection()).contains(Rejection.NO_POLICY);
    assertThat(received(rules, Paths.internal(1, _ -> {}, 65000)).usable()).isTrue();
  }

  /** RFC 8326: whatever the policy prefers. */
  @Test
  void aPeerThatGoesAwayIsTheLastResort() {
    Consumer<PathAttributes.Builder> leaving =
        builder -> builder.communities(List.of(Community.GRACEFUL_SHUTDOWN));
    assertThat(received(rules(_ -> {}), Paths.of(1, leaving, 65000)).localPref()).isZero();
    Import rules = rules(policy -> policy.importPolicy(new OnlyOne(300)));
    assertThat(judged(rules, Paths.of(1, leaving, 65000), PREFIX).localPref()).isZero();
    assertThat(received(rules(_ -> {}), Paths.internal(1, leaving, 65000)).localPref())
        .as("an internal peer has said it by LOCAL_PREF")
        .isEqualTo(100);
  }

  @Test
  void ownAsIsAllowedAsOftenAsConfigured() {
    Path loop = Paths.of(1, _ -> {}, 65000, 64512);
    assertThat(received(rules(_ -> {}), loop).rejection())
        .isEqualTo(Optional.of(Rejection.AS_LOOP));
    assertThat(received(rules(policy -> policy.allowOwnAs(1)), loop).usable()).isTrue();
  }
}

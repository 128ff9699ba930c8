package io.wayleave.model.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PolicyDigestTest {
  private static final List<Resource> SOME =
      List.of(
          resource("Tier", "t", "{order: 1}"),
          resource("NetworkPolicy", "p", "{tier: t}"),
          resource("GlobalNetworkPolicy", "p", "{tier: t}"),
          resource("NetworkSet", "s", "{nets: [10.0.0.0/8]}"),
          resource("Profile", "b", "{}"));

  private static Resource resource(String kind, String name, String spec) {
    return ResourceCodec.fromManifest(
            "{apiVersion: wayleave.io/v1, kind: %s, metadata: {name: %s}, spec: %s}"
                .formatted(kind, name, spec))
        .getFirst();
  }

  private static String of(List<Resource> resources) {
    PolicyDigest digest = new PolicyDigest();
    resources.forEach(digest::put);
    return digest.toString();
  }

  @Test
  void theOrderMeansNothing() {
    List<Resource> shuffled = new ArrayList<>(SOME);
    for (int seed = 0; seed < 20; seed++) {
      Collections.shuffle(shuffled, new Random(seed));
      assertThat(of(shuffled)).isEqualTo(of(SOME));
    }
  }

  @Test
  void whatCameAndWentLeavesNothing() {
    PolicyDigest digest = new PolicyDigest();
    SOME.forEach(digest::put);
    digest.put(resource("Tier", "t", "{order: 2}"));
    assertThat(digest.toString()).isNotEqualTo(of(SOME));
    digest.put(SOME.getFirst());
    digest.put(SOME.getFirst());
    digest.remove(Kind.TIER, "never-there");
    assertThat(digest).hasToString(of(SOME));
    SOME.forEach(resource -> digest.remove(resource.kind(), resource.id()));
    assertThat(digest).hasToString(of(List.of()));
  }

  @Test
  void everyResourceCounts() {
    for (Resource left : SOME) {
      assertThat(of(SOME.stream().filter(r -> !r.equals(left)).toList())).isNotEqualTo(of(SOME));
    }
  }

  @Test
  void whatChangesNoVerdictDoesNotCount() {
    List<Resource> more = new ArrayList<>(SOME);
    more.add(resource("StagedNetworkPolicy", "p", "{tier: t}"));
    more.add(resource("Node", "n", "{}"));
    assertThat(of(more)).isEqualTo(of(SOME));
  }
}

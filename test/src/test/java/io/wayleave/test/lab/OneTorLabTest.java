package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The shape one-tor: what its page says one sees. What failures of the agent and of sessions do to
 * it is in {@link AgentRestartLabTest} and {@link OutageLabTest}, on the same lab.
 */
@Tag("lab")
@ExtendWith(SharedLab.class)
class OneTorLabTest {
  @Test
  void hostsReachContainersOfTheRackDirectlyAndOthersByTheirSwitch(Lab lab) {
    assertThat(DeploymentPage.of(Shape.ONE_TOR).spec(lab.spec().name())).isEqualTo(lab.spec());
    Map<String, LabContainer> containers =
        SharedLab.containerOnEachHost(lab, Map.of()).stream()
            .collect(java.util.stream.Collectors.toMap(c -> c.host().name(), c -> c));

    for (int rack = 1; rack <= 2; rack++) {
      LabHost host = lab.host("r" + rack + "h1");
      LabContainer beside = containers.get("r" + rack + "h2");
      LabContainer far = containers.get("r" + (3 - rack) + "h1");
      // The switch leaves the next hop as it is within its subnet (RFC 4271 section 5.1.3).
      ShapeLab.awaitHops(
          host, beside.address(), Set.of(new Routes.Hop("10.90." + rack + ".12", "eth0")));
      ShapeLab.awaitHops(
          host, far.address(), Set.of(new Routes.Hop("10.90." + rack + ".1", "eth0")));
      assertThat(lab.tor(rack).sessions()).allMatch(Router.Session::established).hasSize(3);
      assertThat(Ping.once(containers.get(host.name()).network(), far.address())).isTrue();
    }
  }
}

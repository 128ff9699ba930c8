package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import org.junit.jupiter.api.Test;

class BirdRouterTest {
  @Test
  void readsSessions() {
    String printed =
        """
        BIRD 2.0.12 ready.
        Name       Proto      Table      State  Since         Info
        device1    Device     ---        up     15:16:32.386
        direct1    Direct     ---        up     15:16:32.386
        spine      BGP        ---        up     15:16:33.182  Established
        r1h1       BGP        ---        start  15:16:32.386  Passive
        r1h2       BGP        ---        down   15:16:32.386
        r1h3       BGP        ---        start  15:16:32.386  Active        Socket: Connection closed
        """;

    assertThat(BirdRouter.parseSessions(printed))
        .containsExactly(
            new Router.Session("spine", true, "Established"),
            new Router.Session("r1h1", false, "Passive"),
            new Router.Session("r1h2", false, "down"),
            new Router.Session("r1h3", false, "Active        Socket: Connection closed"));
  }

  @Test
  void readsRoutesOnceEachWhateverTheNumberOfPaths() {
    String printed =
        """
        BIRD 2.0.12 ready.
        Table master4:
        10.90.0.0/24         unicast [spine 15:16:33.182] * (100) [AS65000i]
        \tvia 10.90.255.0 on up
        10.244.3.7/32        unicast [r1h1 15:16:33.182] * (100) [AS4200001001i]
        \tvia 10.90.1.11 on rack
                             unicast [spine 15:16:34.182] (100) [AS65002i]
        \tvia 10.90.255.0 on up
        """;

    assertThat(BirdRouter.parseRoutes(printed))
        .containsExactly(Cidr.parse("10.90.0.0/24"), Cidr.parse("10.244.3.7/32"));
  }
}

package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.dataplane.FakeKernel;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.policy.dataplane.TableWatch;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PolicyEngineTest {
  private static final WorkloadEndpoint WEB =
      endpoint("n1", "web", "wl1", Map.of("role", "web"), "10.0.0.1", "fd00::1");

  private final FakeKernel kernel = new FakeKernel();
  private final CompletableFuture<Throwable> death = new CompletableFuture<>();
  private final PolicyEngine engine =
      PolicyEngine.start(
          PolicyConfig.of("n1").withBackend(IptablesBackend.NFT),
          kernel,
          kernel,
          Map::of,
          new FakeFlows(),
          (_, _) -> TableWatch.none(),
          death::complete);

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void worksOnAThreadOfItsOwn() throws Exception {
    engine.framed().toCompletableFuture().get(10, TimeUnit.SECONDS);
    PolicyCalculator.KINDS.forEach(kind -> engine.on(kind, new Update.InSync<>()));
    CompletableFuture<String> programmedOn =
        engine.program(WEB).thenApply(_ -> Thread.currentThread().getName()).toCompletableFuture();
    programmedOn.get(10, TimeUnit.SECONDS);
    assertThat(engine.status().endpoints()).isEqualTo(1);
    assertThat(engine.status().current()).isTrue();
    assertThat(engine.status().inSync()).isTrue();

    engine.close();
    for (Family family : Family.values()) {
      assertThat(kernel.rules(family, "wl-to-wl")).anyMatch(rule -> rule.startsWith("-o wl1 "));
    }
  }

  @Test
  void anotherNodesEndpointIsNotForItToProgram() {
    WorkloadEndpoint far = endpoint("n2", "web", "wl1", Map.of(), "10.0.0.1");
    assertThatThrownBy(() -> engine.program(far))
        .hasMessage("n2.web.eth0 is of node n2, not of this node n1");
  }

  @Test
  void aMessageThatFailsKeepsNoneOfTheOthers() throws Exception {
    engine.framed().toCompletableFuture().get(10, TimeUnit.SECONDS);
    CompletableFuture<Void> asked =
        engine
            .ask(
                _ -> {
                  throw new IllegalStateException("injected");
                })
            .toCompletableFuture();
    engine.on(Kind.TIER, null); // as a defect of the caller
    PolicyCalculator.KINDS.forEach(kind -> engine.on(kind, new Update.InSync<>()));

    engine.program(WEB).toCompletableFuture().get(10, TimeUnit.SECONDS);
    assertThatThrownBy(() -> asked.get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("injected");
    assertThat(death).isNotDone();
  }

  @Test
  void aThreadThatEndsAllTheSameSaysSoAndFailsWhatWaits() throws Exception {
    CompletableFuture<Void> waiting = engine.program(WEB).toCompletableFuture();

    CompletableFuture<Void> asked =
        engine
            .ask(
                _ -> {
                  throw new AssertionError("injected");
                })
            .toCompletableFuture();

    assertThat(death.get(10, TimeUnit.SECONDS)).hasMessage("injected");
    assertThat(waiting).isCompletedExceptionally();
    assertThat(asked).isCompletedExceptionally();
    assertThat(engine.settled().toCompletableFuture()).isCompletedExceptionally();
  }

  @Test
  void aClosedEngineFailsWhatWaitsAndWhatComes() {
    CompletableFuture<Void> waiting = engine.program(WEB).toCompletableFuture();
    engine.close();
    assertThat(death).isNotDone();
    assertThatThrownBy(() -> waiting.get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("the policy engine was closed");
    assertThatThrownBy(() -> engine.settled().toCompletableFuture().get(10, TimeUnit.SECONDS))
        .hasMessageContaining("the policy engine was closed");
  }
}

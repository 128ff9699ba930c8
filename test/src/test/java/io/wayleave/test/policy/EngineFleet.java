package io.wayleave.test.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Resource;
import io.wayleave.model.Update;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.Picture;
import io.wayleave.policy.PolicyConfig;
import io.wayleave.policy.PolicyEngine;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.dataplane.HostRules;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A policy engine on each host of a lab, told one fleet after the other. NOT thread safe. */
final class EngineFleet implements AutoCloseable {
  private final Map<String, PolicyEngine> byNode = new TreeMap<>();
  private Map<String, Resource> told = Map.of();

  EngineFleet(
      FleetLayout layout,
      FleetLab lab,
      IptablesBackend backend,
      Map<String, HostSettings> settings) {
    for (FleetLayout.Host host : layout.hosts()) {
      byNode.put(
          host.node(),
          PolicyEngine.start(
              PolicyConfig.of(host.node())
                  .withNamespace(Path.of("/run/netns/" + lab.host(host.node())))
                  .withBackend(backend)
                  .withHost(new HostRules(settings.get(host.node()), false, true))
                  .withResyncInterval(Duration.ofMinutes(10))));
    }
    for (PolicyEngine engine : byNode.values()) {
      PolicyCalculator.KINDS.forEach(kind -> engine.on(kind, new Update.InSync<>()));
    }
  }

  /** Returns when the kernels of all hosts have all of the fleet's policies. */
  void tell(Picture fleet) {
    Map<String, Resource> now = new LinkedHashMap<>();
    Fleets.resources(fleet).stream()
        .filter(resource -> PolicyCalculator.KINDS.contains(resource.kind()))
        .forEach(resource -> now.put(resource.kind() + " " + resource.id(), resource));
    for (PolicyEngine engine : byNode.values()) {
      told.forEach(
          (key, gone) -> {
            if (!now.containsKey(key)) {
              engine.on(gone.kind(), new Update.Delete<>(gone.id()));
            }
          });
      now.values()
          .forEach(
              resource -> engine.on(resource.kind(), new Update.Put<>(resource.id(), resource)));
    }
    told = now;
    for (PolicyEngine engine : byNode.values()) {
      try {
        engine.settled().toCompletableFuture().get(60, TimeUnit.SECONDS);
      } catch (InterruptedException | ExecutionException | TimeoutException e) {
        throw new AssertionError("the engine did not get there: " + engine.status(), e);
      }
      assertThat(engine.status().failing()).isEmpty();
    }
  }

  /** Ends the engines; what they programmed stays and is no longer repaired. */
  void stop() {
    byNode.values().forEach(PolicyEngine::close);
  }

  @Override
  public void close() {
    stop();
  }
}

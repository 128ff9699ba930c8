package io.wayleave.policy;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A policy engine under test, each call of which waits until the kernel has it. */
final class RunningEngine implements AutoCloseable {
  private final PolicyEngine engine;

  private RunningEngine(PolicyEngine engine) {
    this.engine = engine;
  }

  /** One that does not know the datastore's state yet; returns when the frame is there. */
  static RunningEngine beforeInSync(PolicyConfig config) {
    RunningEngine running = new RunningEngine(PolicyEngine.start(config));
    await(running.engine.framed());
    return running;
  }

  static RunningEngine inSync(PolicyConfig config) {
    RunningEngine running = beforeInSync(config);
    running.becomeInSync();
    return running;
  }

  void becomeInSync() {
    engine.onEndpoint(new Update.InSync<>());
    engine.onPolicy(new Update.InSync<>());
    settle();
  }

  PolicyEngine engine() {
    return engine;
  }

  void program(WorkloadEndpoint... endpoints) {
    for (WorkloadEndpoint endpoint : endpoints) {
      await(engine.program(endpoint));
    }
  }

  /** The datastore tells it; nothing is waited for. */
  void tell(WorkloadEndpoint endpoint) {
    engine.onEndpoint(new Update.Put<>(endpoint.name(), endpoint));
  }

  void tell(GlobalNetworkPolicy policy) {
    engine.onPolicy(new Update.Put<>(policy.name(), policy));
  }

  void put(WorkloadEndpoint endpoint) {
    tell(endpoint);
    settle();
  }

  void put(GlobalNetworkPolicy policy) {
    tell(policy);
    settle();
  }

  void deletePolicy(String name) {
    engine.onPolicy(new Update.Delete<>(name));
    settle();
  }

  void resync() {
    await(engine.resync());
  }

  void settle() {
    await(engine.settled());
  }

  @Override
  public void close() {
    engine.close();
  }

  static void await(CompletionStage<Void> stage) {
    try {
      stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError("the engine did not get there", e);
    }
  }
}

package io.wayleave.policy;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.PolicyCalculator;
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
    PolicyCalculator.KINDS.forEach(kind -> engine.on(kind, new Update.InSync<>()));
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
  void tell(Resource resource) {
    engine.on(resource.kind(), new Update.Put<>(resource.id(), resource));
  }

  void put(Resource resource) {
    tell(resource);
    settle();
  }

  void delete(Kind kind, String id) {
    engine.on(kind, new Update.Delete<>(id));
    settle();
  }

  void deletePolicy(String name) {
    delete(Kind.GLOBAL_NETWORK_POLICY, name);
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

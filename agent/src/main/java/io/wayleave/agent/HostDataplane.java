package io.wayleave.agent;

import io.wayleave.cni.EndpointDataplane;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.PolicyEngine;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What CNI's verbs do on this host: policy by the policy engine, then routes and announcements by
 * the core. Each call waits until it is done, so that ADD returns only then.
 */
final class HostDataplane implements EndpointDataplane {
  private final CoreThread core;
  private final LocalNetwork network;
  private final PolicyEngine policy;

  HostDataplane(CoreThread core, LocalNetwork network, PolicyEngine policy) {
    this.core = core;
    this.network = network;
    this.policy = policy;
  }

  @Override
  public void protect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException {
    await("policy", endpoint, policy.program(endpoint).toCompletableFuture(), timeout);
  }

  @Override
  public void connect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException {
    await("route", endpoint, core.begin(() -> network.connect(endpoint)), timeout);
  }

  @Override
  public void disconnect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException {
    await(
        "removal of the route", endpoint, core.begin(() -> network.disconnect(endpoint)), timeout);
  }

  @Override
  public void unprotect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException {
    await(
        "removal of policy",
        endpoint,
        policy.forget(endpoint.name()).toCompletableFuture(),
        timeout);
  }

  private static void await(
      String what, WorkloadEndpoint endpoint, CompletableFuture<Void> done, Duration timeout)
      throws IOException, InterruptedException {
    try {
      done.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      // A stage that depended on the failed one has wrapped the reason once more.
      Throwable reason =
          e.getCause() instanceof CompletionException wrapped && wrapped.getCause() != null
              ? wrapped.getCause()
              : e.getCause();
      throw new IOException(
          what + " of " + endpoint.name() + " failed: " + reason.getMessage(), reason);
    } catch (TimeoutException e) {
      throw new IOException(
          what + " of " + endpoint.name() + " was not done within " + timeout.toMillis() + " ms",
          e);
    }
  }
}

package io.wayleave.test.policy;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.PolicyConfig;
import io.wayleave.policy.PolicyEngine;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.LabException;
import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A policy engine, in-sync, and the network namespace that it takes for its host. Closing it
 * removes both. NOT thread safe.
 */
final class PolicyHost implements AutoCloseable {
  /** Long: a busy machine is to give a bad figure, not none. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** No comparison with the kernel falls into a measurement. */
  private static final Duration RESYNC_INTERVAL = Duration.ofHours(10);

  private static final String PREFIX = "wlpb" + ProcessHandle.current().pid() + "n";
  private static final AtomicInteger COUNTER = new AtomicInteger();

  private final IptablesBackend backend;
  private final String namespace;
  private final PolicyEngine engine;

  PolicyHost(IptablesBackend backend) throws IOException, InterruptedException {
    this.backend = backend;
    this.namespace = createNamespace();
    this.engine =
        PolicyEngine.start(
            PolicyConfig.of(Fleet.NODE)
                .withNamespace(NetworkNamespace.NAMES.resolve(namespace))
                .withBackend(backend)
                .withResyncInterval(RESYNC_INTERVAL));
    try {
      PolicyCalculator.KINDS.forEach(kind -> engine.on(kind, new Update.InSync<>()));
      settle();
    } catch (InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Makes one with a name that {@link #removeLeft} knows; its maker deletes it. */
  static String createNamespace() throws IOException {
    String name = PREFIX + COUNTER.incrementAndGet();
    NetworkNamespace.create(name).close();
    return name;
  }

  /** Removes every namespace that this process made and that is still there. */
  static void removeLeft() {
    try (Stream<Path> names = Files.list(NetworkNamespace.NAMES)) {
      names
          .map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith(PREFIX))
          .forEach(PolicyHost::removeNamespace);
    } catch (IOException e) {
      throw new LabException("namespaces " + PREFIX + "* cannot be removed", e);
    }
  }

  static void removeNamespace(String name) {
    try {
      NetworkNamespace.delete(name);
    } catch (IOException e) {
      throw new LabException("namespace " + name + " cannot be removed", e);
    }
  }

  String namespace() {
    return namespace;
  }

  /** The datastore tells it; nothing is waited for. */
  void tell(Resource resource) {
    engine.on(resource.kind(), new Update.Put<>(resource.id(), resource));
  }

  /** The datastore tells that it is gone; nothing is waited for. */
  void tellGone(Kind kind, String id) {
    engine.on(kind, new Update.Delete<>(id));
  }

  /** Returns when the kernel has everything that was told. */
  void settle() throws InterruptedException {
    await(engine.settled());
  }

  /** As CNI ADD: returns when the endpoint's policy is in the kernel. */
  void program(WorkloadEndpoint endpoint) throws InterruptedException {
    await(engine.program(endpoint));
  }

  /** As CNI DEL. */
  void forget(WorkloadEndpoint endpoint) throws InterruptedException {
    await(engine.forget(endpoint.id()));
  }

  /** The filter tables of both families, as the kernel has them. */
  String rules() {
    String infix =
        switch (backend) {
          case NFT -> "nft";
          case LEGACY -> "legacy";
        };
    return run("iptables-" + infix + "-save", "-t", "filter")
        + run("ip6tables-" + infix + "-save", "-t", "filter");
  }

  /** Members together of all sets that policies ask for, as the kernel has them. */
  int members() {
    int members = 0;
    String name = "";
    for (String line : (Iterable<String>) run("ipset", "list", "-terse").lines()::iterator) {
      if (line.startsWith("Name: ")) {
        name = line;
      } else if (line.startsWith("Number of entries: ") && !name.endsWith("-endpoints")) {
        members += Integer.parseInt(line.substring("Number of entries: ".length()));
      }
    }
    return members;
  }

  private String run(String... command) {
    return Command.of(List.of(command)).at(NetNs.named(namespace)).check();
  }

  private static void await(CompletionStage<Void> stage) throws InterruptedException {
    try {
      var _ = stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new LabException("the policy engine failed: " + e.getCause().getMessage(), e);
    } catch (TimeoutException e) {
      throw new LabException("the policy engine did not finish within " + PATIENCE, e);
    }
  }

  @Override
  public void close() {
    engine.close();
    removeNamespace(namespace);
  }
}

package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.CalculationSink;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import io.wayleave.policy.calc.SetMember;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;

/**
 * Turns what the calculation tells into desired chains and sets, and applies them: sets and their
 * new members, then the tables, then what is to be gone. Until {@link #apply} nothing is written.
 *
 * <p>Blocks in {@link #apply}. NOT thread safe.
 */
public final class Dataplane implements CalculationSink, AutoCloseable {
  private final IpsetKernel ipsetKernel;
  private final TableWatch watch;
  private final IpsetDriver ipsets;
  private final Map<Family, TableDriver> tables = new EnumMap<>(Family.class);

  /** Endpoints by interface; more than one only while an old record has not gone yet. */
  private final Map<String, SortedMap<String, Endpoint>> byInterface = new HashMap<>();

  private final Map<String, String> interfaceOf = new HashMap<>();

  /** What an agent with another back end may have left; nothing is wanted there. */
  private final Map<Family, TableDriver> leftovers = new EnumMap<>(Family.class);

  private final CommandRunner runner;
  private final IptablesBackend other;
  private Set<String> dispatchChains = new HashSet<>();
  private boolean dispatchStale;

  /**
   * Wants the frame and no endpoints.
   *
   * @param families the families that the host has
   * @param ipsets closed with this
   * @param watch told of each write; closed with this
   */
  public Dataplane(
      Collection<Family> families,
      IptablesBackend backend,
      CommandRunner runner,
      IpsetKernel ipsets,
      TableWatch watch) {
    this.ipsetKernel = ipsets;
    this.watch = watch;
    this.ipsets = new IpsetDriver(ipsets);
    this.runner = runner;
    this.other = backend.other();
    for (Family family : families) {
      TableDriver table = new TableDriver(family, backend, runner, FrameRenderer.hooks());
      FrameRenderer.frame().forEach(table::put);
      tables.put(family, table);
      leftovers.put(family, new TableDriver(family, other, runner, FrameRenderer.noHooks()));
    }
    renderDispatch();
  }

  /** Reads everything again before the next write, so that damage done by others is repaired. */
  public void invalidate() {
    ipsets.invalidate();
    tables.values().forEach(TableDriver::invalidate);
  }

  /**
   * Makes the kernel equal what is desired, as far as the mode allows.
   *
   * @throws DataplaneException when it could not; what is in force may lie between the old and the
   *     new state, each table being entirely the one or the other
   */
  public void apply(Mode mode) {
    if (dispatchStale) {
      renderDispatch();
    }
    watch.writing();
    try {
      switch (mode) {
        case ADOPT -> applyTables(mode);
        case FULL -> {
          ipsets.applyAdditions();
          applyTables(mode);
          sweepLeftovers();
          ipsets.applyRemovals();
        }
      }
    } finally {
      watch.written(this::written);
    }
  }

  private KernelState written() {
    Map<Family, TableState> known = new EnumMap<>(Family.class);
    tables.forEach((family, table) -> table.state().ifPresent(state -> known.put(family, state)));
    return new KernelState(known, ipsets.sizes());
  }

  /** Lets go of the kernel; everything stays in force. */
  @Override
  public void close() {
    watch.close();
    ipsetKernel.close();
  }

  /** Both families at once: they share nothing, and ADD waits for both. */
  private void applyTables(Mode mode) {
    List<CompletableFuture<Void>> writes =
        tables.values().stream()
            .map(
                table ->
                    CompletableFuture.runAsync(
                        () -> table.apply(mode),
                        task -> Thread.ofPlatform().name("wayleave-policy-table").start(task)))
            .toList();
    // Every one is waited for before any failure is told, so that no write is left behind.
    CompletableFuture<Void> all = CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new));
    all.handle((_, _) -> null).join();
    try {
      all.join();
    } catch (CompletionException e) {
      throw new DataplaneException(String.valueOf(e.getCause().getMessage()), e.getCause());
    }
  }

  /**
   * Once, after the own tables are in force: rules of both back ends would be asked, and the old
   * ones know no new endpoint.
   */
  private void sweepLeftovers() {
    leftovers
        .entrySet()
        .removeIf(
            leftover -> {
              if (other.mayHaveTable(leftover.getKey(), runner)) {
                leftover.getValue().apply(Mode.FULL);
              }
              return true;
            });
  }

  /** Whether something that is no longer used waits to be deleted. */
  public boolean cleanupPending() {
    return !ipsets.failing().isEmpty();
  }

  /** What could not be written or deleted, and why. */
  public Map<String, String> failing() {
    Map<String, String> failing = new TreeMap<>(ipsets.failing());
    tables.forEach(
        (family, table) ->
            table.failing().forEach((chain, why) -> failing.put(chain + " (" + family + ")", why)));
    return failing;
  }

  /** An endpoint and what governs it. */
  private record Endpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies) {}

  @Override
  public void putSet(SetId set) {
    if (set instanceof SetId.Nets nets && tables.containsKey(set.family())) {
      ipsets.putSet(ChainNames.set(nets), IpsetType.NET, set.family());
    }
  }

  @Override
  public void addMember(SetId set, SetMember member) {
    if (set instanceof SetId.Nets nets
        && member instanceof SetMember.Net(var net)
        && tables.containsKey(set.family())) {
      ipsets.addMember(ChainNames.set(nets), net);
    }
  }

  @Override
  public void removeMember(SetId set, SetMember member) {
    if (set instanceof SetId.Nets nets
        && member instanceof SetMember.Net(var net)
        && tables.containsKey(set.family())) {
      ipsets.removeMember(ChainNames.set(nets), net);
    }
  }

  @Override
  public void removeSet(SetId set) {
    if (set instanceof SetId.Nets nets && tables.containsKey(set.family())) {
      ipsets.removeSet(ChainNames.set(nets));
    }
  }

  @Override
  public void putRules(RuleBlock rules) {
    for (Direction direction : Direction.values()) {
      if (rules.types().contains(direction)) {
        tables.forEach(
            (family, table) -> table.put(PolicyRenderer.render(rules, direction, family)));
      } else {
        removeFromTables(List.of(ChainNames.policy(direction, rules.id())));
      }
    }
  }

  @Override
  public void removeRules(RuleBlock.Id rules) {
    for (Direction direction : Direction.values()) {
      removeFromTables(List.of(ChainNames.policy(direction, rules)));
    }
  }

  @Override
  public void putEndpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies) {
    String id = endpoint.id();
    String interfaceName = endpoint.spec().interfaceName();
    String before = interfaceOf.put(id, interfaceName);
    if (before != null && !before.equals(interfaceName)) {
      leave(before, id);
    }
    byInterface
        .computeIfAbsent(interfaceName, _ -> new TreeMap<>())
        .put(id, new Endpoint(endpoint, policies));
    renderInterface(interfaceName);
  }

  @Override
  public void removeEndpoint(String id) {
    String interfaceName = interfaceOf.remove(id);
    if (interfaceName != null) {
      leave(interfaceName, id);
    }
  }

  @Override
  public void putHostEndpoint(HostEndpoint endpoint, ResolvedPolicies policies) {}

  @Override
  public void removeHostEndpoint(String id) {}

  private void leave(String interfaceName, String endpoint) {
    SortedMap<String, Endpoint> claims = byInterface.get(interfaceName);
    claims.remove(endpoint);
    if (claims.isEmpty()) {
      byInterface.remove(interfaceName);
    }
    renderInterface(interfaceName);
  }

  /** The first name wins an interface that two endpoints claim: any rule will do, but one. */
  private void renderInterface(String interfaceName) {
    SortedMap<String, Endpoint> claims = byInterface.get(interfaceName);
    if (claims == null) {
      removeFromTables(FrameRenderer.endpointChains(interfaceName));
    } else {
      Endpoint winner = claims.firstEntry().getValue();
      tables.forEach(
          (family, table) ->
              FrameRenderer.endpoint(winner.endpoint(), winner.policies(), family)
                  .forEach(table::put));
    }
    dispatchStale = true;
  }

  private void renderDispatch() {
    List<Chain> chains = FrameRenderer.dispatch(byInterface.keySet());
    Set<String> names = chains.stream().map(Chain::name).collect(Collectors.toSet());
    tables.values().forEach(table -> chains.forEach(table::put));
    removeFromTables(dispatchChains.stream().filter(name -> !names.contains(name)).toList());
    dispatchChains = names;
    dispatchStale = false;
  }

  private void removeFromTables(Collection<String> chains) {
    tables.values().forEach(table -> chains.forEach(table::remove));
  }
}

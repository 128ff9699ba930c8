package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.IpsetMember;
import io.wayleave.linux.netlink.IpsetType;
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
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

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
  private final RuleBlocks blocks;
  private final WorkloadChains workloads;
  private final HostChains hosts;

  /** What an agent with another back end may have left; nothing is wanted there. */
  private final Map<Family, TableDriver> leftovers = new EnumMap<>(Family.class);

  private final CommandRunner runner;
  private final IptablesBackend backend;
  private final IptablesBackend other;
  private final HostRules host;

  /**
   * Wants the frame and no endpoints.
   *
   * @param families the families that the host has
   * @param runner closed with this
   * @param ipsets closed with this
   * @param watch told of each write; closed with this
   */
  public Dataplane(
      Collection<Family> families,
      IptablesBackend backend,
      HostRules host,
      CommandRunner runner,
      IpsetKernel ipsets,
      InterfaceAddresses addresses,
      TableWatch watch) {
    this.ipsetKernel = ipsets;
    this.watch = watch;
    this.ipsets = new IpsetDriver(ipsets);
    this.runner = runner;
    this.backend = backend;
    this.other = backend.other();
    this.host = host;
    for (Family family : families) {
      TableDriver table = new TableDriver(family, backend, runner, FrameRenderer.hooks());
      FrameRenderer.frame(host, family, false).forEach(table::put);
      tables.put(family, table);
      leftovers.put(family, new TableDriver(family, other, runner, FrameRenderer.noHooks()));
    }
    this.blocks = new RuleBlocks(tables, this.ipsets);
    this.workloads = new WorkloadChains(tables, this.ipsets);
    this.hosts = new HostChains(tables, host, addresses);
  }

  /** Reads everything again before the next write, so that damage done by others is repaired. */
  public void invalidate() {
    ipsets.invalidate();
    tables.values().forEach(TableDriver::invalidate);
    hosts.invalidate();
  }

  /**
   * Makes the kernel equal what is desired, as far as the mode allows.
   *
   * @throws DataplaneException when it could not; what is in force may lie between the old and the
   *     new state, each table being entirely the one or the other
   */
  public void apply(Mode mode) {
    hosts.flush();
    watch.writing();
    try {
      switch (mode) {
        case ADOPT -> {
          workloads.flush();
          applyTables(mode);
        }
        case FULL -> {
          ipsets.applyAdditions();
          blocks.closeFor(ipsets.refused());
          askForEndpoints();
          workloads.flush();
          applyTables(mode);
          sweepLeftovers();
          if (ipsets.hasUnwanted()) {
            runner.awaitDeletions();
          }
          ipsets.applyRemovals();
        }
      }
    } finally {
      watch.written(this::written);
    }
  }

  /** Rules may refer only to what is there: without its set, a family does without it. */
  private void askForEndpoints() {
    Set<String> refused = ipsets.refused().keySet();
    tables.forEach(
        (family, table) -> {
          boolean knows = !refused.contains(ChainNames.endpoints(family));
          if (workloads.setKnowing(family, knows)) {
            FrameRenderer.frame(host, family, knows).forEach(table::put);
          }
        });
  }

  private KernelState written() {
    Map<Family, TableState> known = new EnumMap<>(Family.class);
    if (backend == IptablesBackend.LEGACY) {
      // nf_tables tells what happens to it.
      tables.forEach((family, table) -> table.state().ifPresent(state -> known.put(family, state)));
    }
    return new KernelState(known, ipsets.sizes());
  }

  /** Lets go of the kernel; everything stays in force. */
  @Override
  public void close() {
    watch.close();
    ipsetKernel.close();
    runner.close();
  }

  /**
   * Both families at once where much is to be written: most of the time goes by before a program
   * asks the kernel. Else a family after the other: the kernel commits one change of a namespace's
   * rules at a time, and who comes second has to prepare it and try again.
   */
  private void applyTables(Mode mode) {
    List<TableDriver> unwritten =
        tables.values().stream().filter(table -> !table.isWritten()).toList();
    Executor executor =
        unwritten.stream().anyMatch(TableDriver::hasMuchToWrite)
            ? task -> Thread.ofPlatform().name("wayleave-policy-table").start(task)
            : Runnable::run;
    List<CompletableFuture<Void>> writes =
        unwritten.stream()
            .map(table -> CompletableFuture.runAsync(() -> table.apply(mode), executor))
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

  /** Whether something waits to be deleted, or a block to be closed, that soon can be. */
  public boolean cleanupPending() {
    return !ipsets.undeletable().isEmpty() || !blocks.closedFor(ipsets.refused());
  }

  /** What could not be written or deleted, and why. */
  public Failures failing() {
    Map<TableDriver, Map<String, String>> byChain = new HashMap<>();
    tables.values().forEach(table -> byChain.put(table, new TreeMap<>(table.failing())));
    Map<RuleBlock.Id, String> refused = new HashMap<>();
    blocks.tellFailing(byChain, refused);
    Map<String, String> endpoints = new TreeMap<>(workloads.failing());
    endpoints.putAll(hosts.failing());
    Map<String, String> others = new TreeMap<>(ipsets.undeletable());
    others.putAll(ipsets.refused());
    tables.forEach(
        (family, table) ->
            byChain
                .get(table)
                .forEach((chain, why) -> others.put(chain + " (" + family + ")", why)));
    return new Failures(refused, endpoints, others);
  }

  /**
   * What is to be asked to know how many packets each rule took; it is asked on any thread, and
   * equal to a later one when the rules are the same.
   *
   * @param tiers of the policies that are in force
   */
  public RuleCounters counters(Map<RuleBlock.Id, String> tiers) {
    return new RuleCounters(runner, backend, tables.keySet(), blocks.counted(), tiers);
  }

  @Override
  public void putSet(SetId set) {
    if (tables.containsKey(set.family())) {
      IpsetType type =
          switch (set) {
            case SetId.Nets _ -> IpsetType.NET;
            case SetId.NamedPort _ -> IpsetType.IP_PORT;
          };
      ipsets.putSet(ChainNames.set(set), type, set.family());
    }
  }

  @Override
  public void addMember(SetId set, SetMember member) {
    if (tables.containsKey(set.family())) {
      switch (member) {
        case SetMember.Net(var net) -> ipsets.addMember(ChainNames.set(set), net);
        case SetMember.AddressPort port -> ipsets.addMember(ChainNames.set(set), member(port));
      }
    }
  }

  @Override
  public void removeMember(SetId set, SetMember member) {
    if (tables.containsKey(set.family())) {
      switch (member) {
        case SetMember.Net(var net) -> ipsets.removeMember(ChainNames.set(set), net);
        case SetMember.AddressPort port -> ipsets.removeMember(ChainNames.set(set), member(port));
      }
    }
  }

  private static IpsetMember.AddressPort member(SetMember.AddressPort port) {
    return new IpsetMember.AddressPort(port.address(), port.protocol(), port.port());
  }

  @Override
  public void removeSet(SetId set) {
    if (tables.containsKey(set.family())) {
      ipsets.removeSet(ChainNames.set(set));
    }
  }

  @Override
  public void putRules(RuleBlock rules) {
    blocks.put(rules);
  }

  @Override
  public void removeRules(RuleBlock.Id rules) {
    blocks.remove(rules);
  }

  @Override
  public void putEndpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies) {
    workloads.put(endpoint, policies);
  }

  @Override
  public void removeEndpoint(String id) {
    workloads.remove(id);
  }

  @Override
  public void putHostEndpoint(HostEndpoint endpoint, ResolvedPolicies policies) {
    hosts.put(endpoint, policies);
  }

  @Override
  public void removeHostEndpoint(String id) {
    hosts.remove(id);
  }
}

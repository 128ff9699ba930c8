package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.netlink.Ipset;
import io.wayleave.linux.netlink.IpsetChange;
import io.wayleave.linux.netlink.IpsetFailure;
import io.wayleave.linux.netlink.IpsetFormat;
import io.wayleave.linux.netlink.IpsetMember;
import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Cidr;
import io.wayleave.model.DeltaTracker;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the ipsets with our prefix hold the desired members, by member deltas in place. Additions
 * and removals are two steps: the tables are written between them, so no rule ever refers to a set
 * that is not there and nothing is taken from a set while old rules are in force.
 *
 * <p>There are sets whose members by themselves let packets pass ({@link #putOpeningSet}): with
 * them it is the other way round, so that between the steps less passes than before and after.
 *
 * <p>A set that is there with another format, as an agent of another version or a stranger left it,
 * is replaced in one step also under the rules that refer to it, where the kernel can do that: it
 * cannot where the type or the family is another.
 *
 * <p>Blocks for the kernel. NOT thread safe.
 */
final class IpsetDriver {
  private static final Logger log = LoggerFactory.getLogger(IpsetDriver.class);

  /** The default of 65,536 would be reached by a large fleet; memory is taken by use. */
  static final int MAX_MEMBERS = 1 << 20;

  private static final String TEMPORARY = ChainNames.PREFIX + "tmp-";

  private final IpsetKernel kernel;

  /** A set of no format that we make has an empty one. */
  private final DeltaTracker<String, Optional<IpsetFormat>> sets = new DeltaTracker<>();

  private final Map<String, Members> members = new HashMap<>();
  private final Set<String> opening = new HashSet<>();
  private final Map<String, String> undeletable = new TreeMap<>();
  private final Map<String, String> refusedAdditions = new TreeMap<>();
  private final Map<String, String> refusedRemovals = new TreeMap<>();
  private boolean loaded;

  IpsetDriver(IpsetKernel kernel) {
    this.kernel = requireNonNull(kernel, "kernel is null");
  }

  void putSet(String set, IpsetType type, Family family) {
    sets.setDesired(set, Optional.of(new IpsetFormat(type, family, MAX_MEMBERS)));
  }

  /** One that rules ask in order to let packets pass that other rules might stop. */
  void putOpeningSet(String set, IpsetType type, Family family) {
    opening.add(set);
    putSet(set, type, family);
  }

  void removeSet(String set) {
    sets.removeDesired(set);
    opening.remove(set);
    membersOf(set).wantNone();
  }

  /** A network, or a single address, of a set of type NET. */
  void addMember(String set, Cidr member) {
    membersOf(set).want(member);
  }

  void removeMember(String set, Cidr member) {
    membersOf(set).wantNot(member);
  }

  /** Any that the set's type is for; a network not of length 0. */
  void addMember(String set, IpsetMember member) {
    membersOf(set).delta.setDesired(member, true);
  }

  void removeMember(String set, IpsetMember member) {
    membersOf(set).delta.removeDesired(member);
  }

  /** Reads the sets again before the next write. */
  void invalidate() {
    loaded = false;
  }

  /** The sets that are there and how many members each has; empty when not known. */
  Optional<Map<String, Integer>> sizes() {
    if (!loaded) {
      return Optional.empty();
    }
    Map<String, Integer> sizes = new HashMap<>();
    sets.actual().keySet().forEach(set -> sizes.put(set, membersOf(set).delta.actual().size()));
    return Optional.of(sizes);
  }

  /** Whether there are sets that are no longer wanted. */
  boolean hasUnwanted() {
    return !sets.pendingDeletes().isEmpty();
  }

  /** Sets that should be gone and are not yet, and why. */
  Map<String, String> undeletable() {
    return undeletable;
  }

  /**
   * Sets that the kernel does not have as they should be because it refused something, and what.
   */
  Map<String, String> refused() {
    Map<String, String> refused = new TreeMap<>(refusedRemovals);
    refused.putAll(refusedAdditions);
    return refused;
  }

  /**
   * Creates sets and adds members; takes those from opening sets that are not wanted. What the
   * kernel refuses is tried again by the next call.
   *
   * @throws DataplaneException when it is not known what was done
   */
  void applyAdditions() {
    add();
    if (!refusedAdditions.isEmpty()) {
      // Perhaps because others changed the sets, so once more from what is there.
      add();
    }
  }

  private void add() {
    if (!loaded) {
      load();
    }
    refusedAdditions.clear();
    Set<String> fresh = new HashSet<>();
    List<IpsetChange> changes = new ArrayList<>();
    sets.pendingPuts()
        .forEach(
            (set, format) -> {
              if (sets.actual().containsKey(set)) {
                replace(set, format.orElseThrow());
              } else {
                changes.add(create(set, set, format.orElseThrow()));
                fresh.add(set);
              }
            });
    for (String set : sets.desired().keySet()) {
      changeMembers(set, !opening.contains(set)).ifPresent(changes::add);
    }
    execute(changes, refusedAdditions);
    fresh.stream()
        .filter(set -> !refusedAdditions.containsKey(set))
        .forEach(set -> sets.setActual(set, sets.desired().get(set)));
    sets.desired().keySet().stream()
        .filter(set -> !refusedAdditions.containsKey(set))
        .forEach(set -> membersChanged(set, !opening.contains(set)));
  }

  private Optional<IpsetChange> changeMembers(String set, boolean toMore) {
    List<IpsetMember> changed = toMore ? membersOf(set).missing() : membersOf(set).surplus();
    return changed.isEmpty()
        ? Optional.empty()
        : Optional.of(
            toMore ? new IpsetChange.Add(set, changed) : new IpsetChange.Remove(set, changed));
  }

  private void membersChanged(String set, boolean toMore) {
    if (toMore) {
      membersOf(set).added();
    } else {
      membersOf(set).removed();
    }
  }

  /**
   * Removes members, adds those of opening sets, and destroys sets. A set that the kernel still
   * holds (it frees the rules of a replaced nft table a little later) is left for the next call.
   *
   * @throws DataplaneException when it is not known what was done
   */
  void applyRemovals() {
    List<IpsetChange> changes = new ArrayList<>();
    for (String set : sets.desired().keySet()) {
      changeMembers(set, opening.contains(set)).ifPresent(changes::add);
    }
    refusedRemovals.clear();
    execute(changes, refusedRemovals);
    sets.desired().keySet().stream()
        .filter(set -> !refusedRemovals.containsKey(set))
        .forEach(set -> membersChanged(set, opening.contains(set)));
    undeletable.clear();
    destroy(sets.pendingDeletes().keySet());
  }

  private void destroy(Set<String> gone) {
    if (gone.isEmpty()) {
      return;
    }
    List<IpsetChange> changes = gone.stream().<IpsetChange>map(IpsetChange.Destroy::new).toList();
    for (IpsetFailure failure : kernel.execute(changes)) {
      undeletable.put(failure.change().set(), failure.text());
    }
    for (String set : gone) {
      if (!undeletable.containsKey(set)) {
        sets.removeActual(set);
        members.remove(set);
      }
    }
  }

  /** The set is there and is not what it should be. */
  private void replace(String set, IpsetFormat format) {
    String temporary = TEMPORARY + Chain.hashOf(set);
    List<IpsetMember> first = opening.contains(set) ? List.of() : membersOf(set).desired();
    log.warn("ipset is of another format, replacing it set={} format={}", set, format);
    if (!executeFor(
        set,
        List.of(
            new IpsetChange.Destroy(temporary),
            create(temporary, set, format),
            new IpsetChange.Add(temporary, first)))) {
      return;
    }
    List<IpsetFailure> swap = kernel.execute(List.of(new IpsetChange.Swap(temporary, set)));
    boolean replaced = swap.isEmpty();
    if (replaced) {
      // It holds the old members now, and goes with all that is no longer wanted.
      sets.setActual(temporary, sets.actual().get(set));
    } else if (swap.getFirst().reason() == IpsetFailure.Reason.TYPE_MISMATCH) {
      replaced =
          executeFor(
              set, List.of(new IpsetChange.Destroy(set), new IpsetChange.Rename(temporary, set)));
    } else {
      refuse(set, swap.getFirst(), refusedAdditions);
    }
    if (replaced) {
      sets.setActual(set, Optional.of(format));
      membersOf(set).are(first);
    }
  }

  private IpsetChange create(String name, String set, IpsetFormat format) {
    return new IpsetChange.Create(name, format, membersOf(set).delta.desired().size());
  }

  private void execute(List<IpsetChange> changes, Map<String, String> refused) {
    for (IpsetFailure failure : run(changes)) {
      refuse(failure.change().set(), failure, refused);
    }
  }

  /** Makes changes for the sake of one set; false when any was refused. */
  private boolean executeFor(String set, List<IpsetChange> changes) {
    List<IpsetFailure> failures = run(changes);
    failures.stream().findFirst().ifPresent(failure -> refuse(set, failure, refusedAdditions));
    return failures.isEmpty();
  }

  private List<IpsetFailure> run(List<IpsetChange> changes) {
    if (changes.isEmpty()) {
      return List.of();
    }
    try {
      List<IpsetFailure> failures = kernel.execute(changes);
      log.debug("ipsets written changes={}", changes.size());
      return failures;
    } catch (DataplaneException e) {
      loaded = false;
      throw e;
    }
  }

  private void refuse(String set, IpsetFailure failure, Map<String, String> refused) {
    if (refused.putIfAbsent(set, failure.text()) == null) {
      log.error("ipset refused by the kernel set={} reason=\"{}\"", set, failure.text());
    }
    // What was done of it is not known, so it is looked at again.
    loaded = false;
  }

  private void load() {
    Map<String, Optional<IpsetFormat>> present = new HashMap<>();
    Map<String, Map<IpsetMember, Boolean>> presentMembers = new HashMap<>();
    for (Ipset set : kernel.list(ChainNames.PREFIX)) {
      present.put(set.name(), set.format());
      presentMembers.put(set.name(), set.members());
    }
    sets.replaceActual(present);
    present.keySet().forEach(this::membersOf);
    members.forEach(
        (set, tracker) -> tracker.delta.replaceActual(presentMembers.getOrDefault(set, Map.of())));
    loaded = true;
  }

  private Members membersOf(String set) {
    return members.computeIfAbsent(set, _ -> new Members());
  }

  /** The members of one set. */
  private static final class Members {
    /** With whether it matches, which all that are desired do. */
    private final DeltaTracker<IpsetMember, Boolean> delta = new DeltaTracker<>();

    /** What is wanted of the whole address space and its halves, by themselves. */
    private final Set<Cidr> wide = new HashSet<>();

    void want(Cidr net) {
      if (net.prefixLength() <= 1) {
        wide.add(net);
        refreshHalves(net.family());
      } else {
        delta.setDesired(IpsetMember.of(net), true);
      }
    }

    void wantNot(Cidr net) {
      if (net.prefixLength() <= 1) {
        wide.remove(net);
        refreshHalves(net.family());
      } else {
        delta.removeDesired(IpsetMember.of(net));
      }
    }

    /** The kernel takes no network of length 0; its two halves stand for it. */
    private void refreshHalves(Family family) {
      Cidr whole = Cidr.parse(family == Family.IPV4 ? "0.0.0.0/0" : "::/0");
      String upper = family == Family.IPV4 ? "128.0.0.0/1" : "8000::/1";
      for (Cidr half : List.of(new Cidr(whole.address(), 1), Cidr.parse(upper))) {
        if (wide.contains(whole) || wide.contains(half)) {
          delta.setDesired(IpsetMember.of(half), true);
        } else {
          delta.removeDesired(IpsetMember.of(half));
        }
      }
    }

    void wantNone() {
      wide.clear();
      List.copyOf(delta.desired().keySet()).forEach(delta::removeDesired);
    }

    List<IpsetMember> desired() {
      return List.copyOf(delta.desired().keySet());
    }

    List<IpsetMember> missing() {
      return List.copyOf(delta.pendingPuts().keySet());
    }

    List<IpsetMember> surplus() {
      return List.copyOf(delta.pendingDeletes().keySet());
    }

    void added() {
      delta.pendingPuts().forEach(delta::setActual);
    }

    void removed() {
      delta.pendingDeletes().keySet().forEach(delta::removeActual);
    }

    void are(List<IpsetMember> present) {
      Map<IpsetMember, Boolean> all = new HashMap<>();
      present.forEach(member -> all.put(member, true));
      delta.replaceActual(all);
    }
  }
}

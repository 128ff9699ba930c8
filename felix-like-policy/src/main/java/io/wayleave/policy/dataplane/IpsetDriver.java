package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.DeltaTracker;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the ipsets with our prefix hold the desired members, by member deltas in place. Additions
 * and removals are two steps: the tables are written between them, so no rule ever refers to a set
 * that is not there and nothing is taken from a set while old rules are in force.
 *
 * <p>Blocks while ipset runs. NOT thread safe.
 */
final class IpsetDriver {
  private static final Logger log = LoggerFactory.getLogger(IpsetDriver.class);

  /** The default of 65,536 would be reached by a large fleet; memory is taken by use. */
  private static final int MAX_MEMBERS = 1 << 20;

  private static final List<String> RESTORE = List.of("ipset", "restore", "-exist");
  private static final List<String> SAVE = List.of("ipset", "save");
  private static final List<String> DESTROY = List.of("ipset", "destroy");

  private final CommandRunner runner;
  private final DeltaTracker<String, Family> sets = new DeltaTracker<>();
  private final Map<String, DeltaTracker<Cidr, Boolean>> members = new HashMap<>();
  private final Map<String, String> undeletable = new TreeMap<>();
  private boolean loaded;

  IpsetDriver(CommandRunner runner) {
    this.runner = requireNonNull(runner, "runner is null");
  }

  void putSet(String set, Family family) {
    sets.setDesired(set, family);
  }

  void removeSet(String set) {
    sets.removeDesired(set);
    DeltaTracker<Cidr, Boolean> tracker = membersOf(set);
    List.copyOf(tracker.desired().keySet()).forEach(tracker::removeDesired);
  }

  void addMember(String set, Cidr member) {
    membersOf(set).setDesired(member, true);
  }

  void removeMember(String set, Cidr member) {
    membersOf(set).removeDesired(member);
  }

  /** Reads the sets again before the next write. */
  void invalidate() {
    loaded = false;
  }

  /** Sets that should be gone and are not yet, and why. */
  Map<String, String> failing() {
    return undeletable;
  }

  /**
   * Creates sets and adds members.
   *
   * @throws DataplaneException when ipset failed; some of it may have been done
   */
  void applyAdditions() {
    if (!loaded) {
      load();
    }
    List<String> commands = new ArrayList<>();
    sets.pendingPuts()
        .forEach(
            (set, family) ->
                commands.add(
                    "create %s hash:net family %s maxelem %d"
                        .formatted(set, family == Family.IPV4 ? "inet" : "inet6", MAX_MEMBERS)));
    for (String set : sets.desired().keySet()) {
      membersOf(set)
          .pendingPuts()
          .keySet()
          .forEach(member -> commands.add("add " + set + " " + member));
    }
    restore(commands);
    sets.pendingPuts().forEach(sets::setActual);
    for (String set : sets.desired().keySet()) {
      DeltaTracker<Cidr, Boolean> tracker = membersOf(set);
      tracker.pendingPuts().forEach(tracker::setActual);
    }
  }

  /**
   * Removes members and destroys sets. A set that the kernel still holds (it frees the rules of a
   * replaced nft table a little later) is left for the next call.
   *
   * @throws DataplaneException when ipset failed; some of it may have been done
   */
  void applyRemovals() {
    List<String> commands = new ArrayList<>();
    for (String set : sets.desired().keySet()) {
      membersOf(set)
          .pendingDeletes()
          .keySet()
          .forEach(member -> commands.add("del " + set + " " + member));
    }
    restore(commands);
    for (String set : sets.desired().keySet()) {
      DeltaTracker<Cidr, Boolean> tracker = membersOf(set);
      tracker.pendingDeletes().keySet().forEach(tracker::removeActual);
    }
    undeletable.clear();
    sets.pendingDeletes().keySet().forEach(this::destroy);
  }

  private void destroy(String set) {
    List<String> command = new ArrayList<>(DESTROY);
    command.add(set);
    CommandRunner.Result result = runner.run(command, "");
    if (result.succeeded()) {
      sets.removeActual(set);
      members.remove(set);
    } else {
      undeletable.put(set, result.complaint());
    }
  }

  private void restore(List<String> commands) {
    if (commands.isEmpty()) {
      return;
    }
    CommandRunner.Result result = runner.run(RESTORE, String.join("\n", commands) + "\n");
    if (!result.succeeded()) {
      loaded = false;
      throw new DataplaneException("ipset restore failed: " + result.complaint());
    }
    log.debug("ipsets written commands={}", commands.size());
  }

  private void load() {
    CommandRunner.Result saved = runner.run(SAVE, "");
    if (!saved.succeeded()) {
      throw new DataplaneException("ipset save failed: " + saved.complaint());
    }
    Map<String, Family> present = new HashMap<>();
    Map<String, Map<Cidr, Boolean>> presentMembers = new HashMap<>();
    for (String line : (Iterable<String>) saved.stdout().lines()::iterator) {
      List<String> words = List.of(line.split(" ", -1));
      if (words.size() < 3 || !ChainNames.isOurs(words.get(1))) {
        continue;
      }
      String set = words.get(1);
      switch (words.getFirst()) {
        case "create" -> present.put(set, words.contains("inet6") ? Family.IPV6 : Family.IPV4);
        case "add" ->
            presentMembers
                .computeIfAbsent(set, _ -> new HashMap<>())
                .put(Cidr.parse(words.get(2)), true);
        default -> log.warn("unknown line of ipset save line=\"{}\"", line);
      }
    }
    sets.replaceActual(present);
    present.keySet().forEach(this::membersOf);
    members.forEach(
        (set, tracker) -> tracker.replaceActual(presentMembers.getOrDefault(set, Map.of())));
    loaded = true;
  }

  private DeltaTracker<Cidr, Boolean> membersOf(String set) {
    return members.computeIfAbsent(set, _ -> new DeltaTracker<>());
  }
}

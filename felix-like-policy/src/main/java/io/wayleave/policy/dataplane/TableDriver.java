package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.DeltaTracker;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the filter table of one family hold the desired chains, and the host's own chains begin
 * with the jumps to them. It compares rule hashes, writes only chains that differ, all of them in
 * one atomic iptables-restore, and touches nothing that does not begin with our prefix.
 *
 * <p>A chain of a policy that the kernel refuses is replaced by one that drops everything, so the
 * endpoints under it fail closed and the rest goes on; it is tried again when its rules change and
 * after each {@link #invalidate}.
 *
 * <p>Blocks while iptables runs. NOT thread safe.
 */
final class TableDriver {
  private static final Logger log = LoggerFactory.getLogger(TableDriver.class);

  /** Both back ends say which line of their input they refuse, in several wordings. */
  private static final Pattern LINE = Pattern.compile("line:? (\\d+)");

  private static final Pattern OUR_JUMP =
      Pattern.compile("(^| )-[jg] " + Pattern.quote(ChainNames.PREFIX));

  private static final List<String> DENY_ALL = List.of("-j DROP");

  /** More than one endpoint that comes with its policies needs. */
  private static final int FEW_CHAINS = 32;

  /** A line of iptables-restore's input and the chain that it writes or deletes. */
  private record Line(String text, Optional<String> chain, boolean deletes) {}

  private final Family family;
  private final IptablesBackend backend;
  private final CommandRunner runner;

  /** Chain of the host to the chain of ours that its first rule jumps to, if any. */
  private final Map<String, Optional<String>> hooks;

  private final Map<String, Chain> contents = new HashMap<>();
  private final DeltaTracker<String, List<String>> hashes = new DeltaTracker<>();
  private final Map<String, List<String>> hostRules = new HashMap<>();
  private final Map<String, String> refused = new TreeMap<>();
  private final Map<String, String> undeletable = new TreeMap<>();
  private boolean loaded;
  private boolean everWritten;

  /** Empty when it is to be collected anew. */
  private Optional<TableState> state = Optional.empty();

  TableDriver(
      Family family,
      IptablesBackend backend,
      CommandRunner runner,
      Map<String, Optional<String>> hooks) {
    this.family = requireNonNull(family, "family is null");
    this.backend = requireNonNull(backend, "backend is null");
    this.runner = requireNonNull(runner, "runner is null");
    this.hooks = Collections.unmodifiableMap(new LinkedHashMap<>(hooks));
  }

  Family family() {
    return family;
  }

  /** Wants the chain with this content. */
  void put(Chain chain) {
    if (!chain.equals(contents.put(chain.name(), chain))) {
      refused.remove(chain.name());
      hashes.setDesired(chain.name(), chain.hashes());
    }
  }

  /** Wants no such chain. */
  void remove(String chain) {
    contents.remove(chain);
    refused.remove(chain);
    hashes.removeDesired(chain);
  }

  /** Reads the table again before the next write: others may have changed it. */
  void invalidate() {
    loaded = false;
  }

  /** What the table holds by the last read and what was written since; empty when not known. */
  Optional<TableState> state() {
    if (!loaded) {
      return Optional.empty();
    }
    if (state.isEmpty()) {
      Map<String, String> jumps = new HashMap<>();
      hooks.forEach(
          (chain, target) -> target.ifPresent(ours -> jumps.put(chain, hookHash(chain, ours))));
      state = Optional.of(new TableState(hashes.actual(), jumps));
    }
    return state;
  }

  /** Whether {@link #apply} has nothing to do. */
  boolean isWritten() {
    return loaded && hashes.inSync();
  }

  /** Whether {@link #apply} reads the table or writes more than the chains of a change or two. */
  boolean hasMuchToWrite() {
    return !loaded || hashes.pendingPuts().size() + hashes.pendingDeletes().size() > FEW_CHAINS;
  }

  /** What could not be written or deleted, by chain, and why. */
  Map<String, String> failing() {
    Map<String, String> failing = new TreeMap<>(undeletable);
    failing.putAll(refused);
    return failing;
  }

  /**
   * Writes what differs.
   *
   * @throws DataplaneException when the table could not be read or written; nothing has changed
   *     then
   */
  void apply(Mode mode) {
    if (!loaded) {
      load();
    }
    // Each round either succeeds, fails for good, or excludes one more chain.
    while (!write(mode)) {
      log.warn("filter table written again without what was refused family={}", family);
    }
  }

  private void load() {
    SavedTable table = SavedTable.parse(runner.output(backend.saveCommand(family)));
    Map<String, List<String>> found = table.ourChains();
    found.replaceAll(this::recognized);
    if (everWritten && !hashes.actual().equals(found)) {
      log.warn("filter table was changed by others family={}", family);
    }
    hashes.replaceActual(found);
    state = Optional.empty();
    hooks.keySet().forEach(chain -> hostRules.put(chain, table.rules(chain)));
    Set.copyOf(refused.keySet())
        .forEach(chain -> hashes.setDesired(chain, contents.get(chain).hashes()));
    refused.clear();
    undeletable.clear();
    loaded = true;
  }

  /**
   * The hashes of which the rules of a chain carry a part. What was written comes before what is
   * wanted, so that a rule is not taken for another one that shares this part.
   */
  private List<String> recognized(String chain, List<String> carried) {
    Map<String, String> hashOf = new HashMap<>();
    hashes
        .desired()
        .getOrDefault(chain, List.of())
        .forEach(hash -> hashOf.put(backend.carried(hash), hash));
    hashes.actual().getOrDefault(chain, List.of()).stream()
        .filter(Chain::isHash)
        .forEach(hash -> hashOf.put(backend.carried(hash), hash));
    return carried.stream().map(part -> hashOf.getOrDefault(part, part)).toList();
  }

  /** One attempt; false when something was refused that the next attempt goes without. */
  private boolean write(Mode mode) {
    Set<String> puts = new LinkedHashSet<>(hashes.pendingPuts().keySet());
    Set<String> deletes = new LinkedHashSet<>();
    switch (mode) {
      case ADOPT -> puts.removeAll(hashes.actual().keySet());
      case FULL -> {
        deletes.addAll(hashes.pendingDeletes().keySet());
        deletes.removeAll(undeletable.keySet());
      }
    }
    List<Line> lines = compose(puts, deletes);
    if (lines.isEmpty()) {
      return true;
    }
    StringBuilder input = new StringBuilder();
    lines.forEach(line -> input.append(line.text()).append('\n'));
    CommandRunner.Result result = runner.restore(backend.restoreCommand(family), input.toString());
    if (result.succeeded()) {
      state = Optional.empty();
      puts.forEach(chain -> hashes.setActual(chain, hashes.desired().get(chain)));
      deletes.forEach(hashes::removeActual);
      hooks.forEach((chain, target) -> hostRules.put(chain, repaired(chain, target)));
      everWritten = true;
      log.debug("filter table written family={} chains={} gone={}", family, puts, deletes);
      return true;
    }
    if (exclude(result.complaint(), lines)) {
      return false;
    }
    loaded = false;
    throw new DataplaneException(
        String.join(" ", backend.restoreCommand(family)) + " failed: " + result.complaint());
  }

  private List<Line> compose(Set<String> puts, Set<String> deletes) {
    List<Line> body = new ArrayList<>();
    // Under --noflush this line creates a chain and empties one that exists.
    puts.stream()
        .filter(chain -> !onlyGrows(chain))
        .forEach(chain -> body.add(new Line(":" + chain + " - [0:0]", Optional.of(chain), false)));
    deletes.forEach(
        chain -> body.add(new Line(":" + chain + " - [0:0]", Optional.of(chain), true)));
    puts.forEach(chain -> composeRules(chain, body));
    hooks.forEach((chain, target) -> composeHook(chain, target, body));
    deletes.forEach(chain -> body.add(new Line("-X " + chain, Optional.of(chain), true)));
    if (body.isEmpty()) {
      return body;
    }
    List<Line> lines = new ArrayList<>(body.size() + 2);
    lines.add(new Line("*filter", Optional.empty(), false));
    lines.addAll(body);
    lines.add(new Line("COMMIT", Optional.empty(), false));
    return lines;
  }

  private void composeRules(String chain, List<Line> into) {
    List<String> rules = effective(chain).rules();
    List<String> wanted = hashes.desired().get(chain);
    List<String> kept = onlyGrows(chain) ? hashes.actual().get(chain) : List.of();
    int met = 0;
    for (int i = 0; i < rules.size(); i++) {
      if (met < kept.size() && kept.get(met).equals(wanted.get(i))) {
        met++;
        continue;
      }
      String verb = met < kept.size() ? "-I " + chain + " " + (i + 1) : "-A " + chain;
      into.add(
          new Line(
              verb + " " + backend.carrying(wanted.get(i)) + " " + rules.get(i),
              Optional.of(chain),
              false));
    }
  }

  /**
   * Whether the chain is there and needs nothing but rules between those that it has. Nothing is
   * deleted then: after a deletion the nft program ends only when all readers of the old rules are
   * done, which takes longer than the write.
   */
  private boolean onlyGrows(String chain) {
    List<String> present = hashes.actual().get(chain);
    if (present == null) {
      return false;
    }
    int met = 0;
    for (String wanted : hashes.desired().get(chain)) {
      if (met < present.size() && present.get(met).equals(wanted)) {
        met++;
      }
    }
    return met == present.size();
  }

  private void composeHook(String chain, Optional<String> target, List<Line> into) {
    if (hostRules.get(chain).equals(repaired(chain, target))) {
      return;
    }
    hostRules.get(chain).stream()
        .filter(TableDriver::jumpsToUs)
        .forEach(rule -> into.add(new Line("-D " + chain + " " + rule, Optional.empty(), false)));
    target.ifPresent(
        ours ->
            into.add(new Line("-I " + chain + " 1 " + hook(chain, ours), Optional.empty(), false)));
  }

  /** The host's chain with our jump, if there is to be one, first and nowhere else. */
  private List<String> repaired(String chain, Optional<String> target) {
    List<String> rules = new ArrayList<>();
    target.ifPresent(
        ours ->
            rules.add(
                hostRules.get(chain).stream()
                    .filter(rule -> isHook(rule, chain, ours))
                    .findFirst()
                    .orElse(hook(chain, ours))));
    hostRules.get(chain).stream().filter(rule -> !jumpsToUs(rule)).forEach(rules::add);
    return rules;
  }

  private static boolean jumpsToUs(String rule) {
    return OUR_JUMP.matcher(rule).find();
  }

  private static boolean isHook(String rule, String chain, String target) {
    return rule.contains("wl:" + hookHash(chain, target)) && rule.endsWith("-j " + target);
  }

  private static String hook(String chain, String target) {
    return IptablesBackend.comment(hookHash(chain, target)) + " -j " + target;
  }

  private static String hookHash(String chain, String target) {
    return Chain.hashOf(chain + " " + target);
  }

  private Chain effective(String name) {
    Chain chain = contents.get(name);
    return refused.containsKey(name) ? new Chain(name, chain.role(), DENY_ALL) : chain;
  }

  /** Finds the chain that the refusal is about and goes without it, if that is possible. */
  private boolean exclude(String why, List<Line> lines) {
    Matcher matcher = LINE.matcher(why);
    if (!matcher.find()) {
      return false;
    }
    int number = Integer.parseInt(matcher.group(1));
    if (number < 1 || number > lines.size()) {
      return false;
    }
    Line line = lines.get(number - 1);
    if (line.chain().isEmpty()) {
      return false;
    }
    String name = line.chain().get();
    if (line.deletes()) {
      log.warn("chain not deleted chain={} family={} reason={}", name, family, why);
      undeletable.put(name, why);
      return true;
    }
    boolean replaceable =
        switch (contents.get(name).role()) {
          case POLICY -> !refused.containsKey(name);
          case STRUCTURE -> false;
        };
    if (replaceable) {
      log.error(
          "policy refused by the kernel, denying all under it chain={} family={} rule=\"{}\""
              + " reason={}",
          name,
          family,
          line.text(),
          why);
      refused.put(name, why);
      hashes.setDesired(name, effective(name).hashes());
    }
    return replaceable;
  }
}

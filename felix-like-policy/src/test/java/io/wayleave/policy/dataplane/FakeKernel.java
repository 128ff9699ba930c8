package io.wayleave.policy.dataplane;

import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Filter tables and ipsets in maps, behind the programs that the drivers run. It refuses what the
 * kernel refuses: a jump to a chain that is not there, a match with a set that is not there, the
 * end of a chain or set in use; a refused restore of a table changes nothing, one of ipset stops
 * where it is.
 */
public final class FakeKernel implements CommandRunner {
  private static final Pattern TARGET = Pattern.compile("-[jg] (\\S+)$");
  private static final Pattern SET = Pattern.compile("--match-set (\\S+) ");
  private static final Set<String> BUILT_IN_TARGETS = Set.of("DROP", "ACCEPT", "RETURN");

  private final Map<Family, Map<String, List<String>>> tables = new EnumMap<>(Family.class);
  private final Map<Family, Map<String, List<String>>> legacyTables = new EnumMap<>(Family.class);
  private final Map<String, Set<String>> sets = new TreeMap<>();
  private final Map<String, String> setOptions = new TreeMap<>();

  /** Every command that was run, then every line that it was given. */
  private final List<String> log = new ArrayList<>();

  private Predicate<String> refused = _ -> false;
  private Optional<String> failure = Optional.empty();
  private Set<String> held = Set.of();

  public FakeKernel() {
    for (Family family : Family.values()) {
      tables.put(family, emptyTable());
    }
  }

  private static Map<String, List<String>> emptyTable() {
    Map<String, List<String>> table = new LinkedHashMap<>();
    List.of("INPUT", "FORWARD", "OUTPUT").forEach(chain -> table.put(chain, new ArrayList<>()));
    return table;
  }

  /** The table of the legacy back end, which comes into being by being looked at. */
  public Map<String, List<String>> legacyTable(Family family) {
    return legacyTables.computeIfAbsent(family, _ -> emptyTable());
  }

  /** Lines that no table takes, until told otherwise. */
  public void refuse(Predicate<String> lines) {
    refused = lines;
  }

  /** Every program fails with this message, until told otherwise. */
  public void failWith(String message) {
    failure = Optional.of(message);
  }

  public void work() {
    failure = Optional.empty();
    refused = _ -> false;
    held = Set.of();
  }

  /** Sets that cannot be destroyed, as if old rules still held them. */
  public void hold(String set) {
    held = Set.of(set);
  }

  /** What was run and written since the last call. */
  public List<String> takeLog() {
    List<String> taken = List.copyOf(log);
    log.clear();
    return taken;
  }

  /** The rules of a chain, without hashes. */
  public List<String> rules(Family family, String chain) {
    return raw(family, chain).stream()
        .map(rule -> rule.replaceAll("-m comment --comment \"wl:[^\"]*\" ", ""))
        .toList();
  }

  /** The rules of a chain, to be damaged by a test. */
  public List<String> raw(Family family, String chain) {
    return tables.get(family).getOrDefault(chain, List.of());
  }

  public Map<String, List<String>> table(Family family) {
    return tables.get(family);
  }

  public Map<String, Set<String>> sets() {
    return sets;
  }

  @Override
  public synchronized Result run(List<String> command, String stdin) {
    log.add(String.join(" ", command));
    stdin.lines().forEach(log::add);
    if (failure.isPresent()) {
      return failed(failure.get());
    }
    String program = command.getFirst();
    Family family = program.startsWith("ip6") ? Family.IPV6 : Family.IPV4;
    if (program.equals("cat")) {
      boolean v6 = command.get(1).equals("/proc/net/ip6_tables_names");
      return ok(legacyTables.containsKey(v6 ? Family.IPV6 : Family.IPV4) ? "filter\n" : "");
    }
    if (program.contains("legacy")) {
      legacyTable(family);
    }
    Map<Family, Map<String, List<String>>> backend =
        program.contains("legacy") ? legacyTables : tables;
    if (program.endsWith("-save")) {
      return ok(save(backend.get(family)));
    } else if (program.endsWith("-restore")) {
      return restore(backend, family, stdin.lines().toList());
    }
    return switch (command.get(1)) {
      case "save" -> ok(saveSets());
      case "restore" -> restoreSets(stdin.lines().toList());
      case "destroy" -> destroy(command.get(2));
      default -> throw new AssertionError("no such command: " + command);
    };
  }

  private static String save(Map<String, List<String>> table) {
    StringBuilder text = new StringBuilder("*filter\n");
    table.keySet().forEach(chain -> text.append(":" + chain + " - [0:0]\n"));
    table.forEach(
        (chain, rules) -> rules.forEach(rule -> text.append("-A " + chain + " " + rule + "\n")));
    return text.append("COMMIT\n").toString();
  }

  private Result restore(
      Map<Family, Map<String, List<String>>> backend, Family family, List<String> lines) {
    Map<String, List<String>> draft = new LinkedHashMap<>();
    backend.get(family).forEach((chain, rules) -> draft.put(chain, new ArrayList<>(rules)));
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (refused.test(line) || !apply(line, draft)) {
        return failed("bad argument\nError occurred at line: " + (i + 1));
      }
    }
    backend.put(family, draft);
    return ok("");
  }

  private boolean apply(String line, Map<String, List<String>> draft) {
    List<String> words = List.of(line.split(" ", 3));
    String chain = words.size() > 1 ? words.get(1) : "";
    return switch (words.getFirst()) {
      case "*filter", "COMMIT" -> true;
      case "-A" -> valid(words.get(2), draft) && draft.get(chain).add(words.get(2));
      case "-I" -> {
        String rule = words.get(2).substring("1 ".length());
        draft.get(chain).addFirst(rule);
        yield valid(rule, draft);
      }
      case "-D" -> draft.get(chain).remove(words.get(2));
      case "-X" -> {
        boolean used =
            draft.values().stream().flatMap(List::stream).anyMatch(r -> r.endsWith(" " + chain));
        yield !used && draft.get(chain).isEmpty() && draft.remove(chain) != null;
      }
      default -> {
        draft.put(words.getFirst().substring(1), new ArrayList<>());
        yield true;
      }
    };
  }

  private boolean valid(String rule, Map<String, List<String>> draft) {
    Matcher target = TARGET.matcher(rule);
    Matcher set = SET.matcher(rule);
    boolean targetThere =
        !target.find()
            || BUILT_IN_TARGETS.contains(target.group(1))
            || draft.containsKey(target.group(1));
    return targetThere && (!set.find() || sets.containsKey(set.group(1)));
  }

  private String saveSets() {
    StringBuilder text = new StringBuilder();
    sets.forEach(
        (set, members) -> {
          text.append("create ").append(set).append(' ').append(setOptions.get(set)).append('\n');
          // ipset prints a single address without its length.
          members.forEach(
              member ->
                  text.append(
                      "add "
                          + set
                          + " "
                          + member.replaceAll("/32$|(?<=:.{0,39})/128$", "")
                          + "\n"));
        });
    return text.toString();
  }

  private Result restoreSets(List<String> lines) {
    for (int i = 0; i < lines.size(); i++) {
      List<String> words = List.of(lines.get(i).split(" ", 3));
      String set = words.get(1);
      if (words.getFirst().equals("create")) {
        sets.putIfAbsent(set, new TreeSet<>());
        setOptions.put(set, words.get(2));
      } else if (!sets.containsKey(set)) {
        return failed("Error in line " + (i + 1) + ": The set with the given name does not exist");
      } else if (words.getFirst().equals("add")) {
        sets.get(set).add(words.get(2));
      } else {
        sets.get(set).remove(words.get(2));
      }
    }
    return ok("");
  }

  private Result destroy(String set) {
    boolean used =
        tables.values().stream()
            .flatMap(table -> table.values().stream())
            .flatMap(List::stream)
            .anyMatch(rule -> rule.contains("--match-set " + set + " "));
    if (used || held.contains(set)) {
      return failed("Set cannot be destroyed: it is in use by a kernel component");
    }
    sets.remove(set);
    return ok("");
  }

  private static Result ok(String stdout) {
    return new Result(0, stdout, "");
  }

  private static Result failed(String stderr) {
    return new Result(1, "", stderr);
  }
}

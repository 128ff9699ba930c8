package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.Ipset;
import io.wayleave.linux.netlink.IpsetChange;
import io.wayleave.linux.netlink.IpsetFailure;
import io.wayleave.linux.netlink.IpsetFailure.Reason;
import io.wayleave.linux.netlink.IpsetFormat;
import io.wayleave.linux.netlink.IpsetMember;
import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
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
 * Filter tables and ipsets in maps, behind the programs and the sockets of the drivers. It refuses
 * what the kernel refuses: a jump to a chain that is not there, a match with a set that is not
 * there, the end of a chain or set in use; a refused restore of a table changes nothing.
 */
public final class FakeKernel implements CommandRunner, IpsetKernel {
  private static final Pattern TARGET = Pattern.compile("-[jg] (\\S+)$");
  private static final Pattern SET = Pattern.compile("--match-set (\\S+) ");
  private static final Set<String> BUILT_IN_TARGETS = Set.of("DROP", "ACCEPT", "RETURN");

  private final Map<Family, Map<String, List<String>>> tables = new EnumMap<>(Family.class);
  private final Map<Family, Map<String, List<String>>> legacyTables = new EnumMap<>(Family.class);
  private final Map<String, Set<String>> sets = new TreeMap<>();
  private final Map<String, IpsetFormat> setFormats = new TreeMap<>();

  /** Every command that was run, then every line or change that it was given. */
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

  /** As {@code ipset save} has it, with lengths. */
  List<String> savedSets() {
    List<String> lines = new ArrayList<>();
    sets.forEach(
        (set, members) -> {
          lines.add("create " + set + " " + setFormats.get(set));
          members.forEach(member -> lines.add("add " + set + " " + member));
        });
    return lines;
  }

  /** As another program, by lines of {@code ipset save} with lengths. */
  public void restoreSets(String... lines) {
    for (String line : lines) {
      List<String> words = List.of(line.split(" ", 3));
      String set = words.get(1);
      switch (words.getFirst()) {
        case "create" -> {
          sets.put(set, new TreeSet<>());
          format(words.get(2)).ifPresent(format -> setFormats.put(set, format));
        }
        case "add" -> sets.get(set).add(words.get(2));
        case "del" -> sets.get(set).remove(words.get(2));
        case "flush" -> sets.get(set).clear();
        default -> throw new AssertionError("no such line: " + line);
      }
    }
  }

  private static Optional<IpsetFormat> format(String options) {
    List<String> words = List.of(options.split(" "));
    return Arrays.stream(IpsetType.values())
        .filter(type -> type.kernelName().equals(words.getFirst()) && words.size() == 5)
        .findFirst()
        .map(
            type ->
                new IpsetFormat(
                    type,
                    words.get(2).equals("inet") ? Family.IPV4 : Family.IPV6,
                    Integer.parseInt(words.get(4))));
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
        .map(
            rule ->
                rule.replaceAll(
                    "-m comment --comment \"wl:[^\"]*\" |-m mark ! --mark 0x[0-9a-f]+/0x0 ", ""))
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
    throw new AssertionError("no such command: " + command);
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
        List<String> placed = List.of(words.get(2).split(" ", 2));
        draft.get(chain).add(Integer.parseInt(placed.getFirst()) - 1, placed.get(1));
        yield valid(placed.get(1), draft);
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

  @Override
  public synchronized List<Ipset> list(String prefix) {
    log.add("ipsets list");
    failure.ifPresent(FakeKernel::fail);
    List<Ipset> listed = new ArrayList<>();
    sets.forEach(
        (name, members) -> {
          if (name.startsWith(prefix)) {
            Optional<IpsetFormat> format = Optional.ofNullable(setFormats.get(name));
            Map<IpsetMember, Boolean> decoded = new HashMap<>();
            if (format.isPresent()) {
              members.forEach(
                  text ->
                      decoded.put(
                          member(text.replace(" nomatch", "")), !text.contains(" nomatch")));
            }
            listed.add(new Ipset(name, format, decoded));
          }
        });
    return listed;
  }

  @Override
  public synchronized List<IpsetFailure> execute(List<IpsetChange> changes) {
    log.add("ipsets change");
    changes.forEach(change -> log.add(change.toString()));
    failure.ifPresent(FakeKernel::fail);
    List<IpsetFailure> failures = new ArrayList<>();
    for (IpsetChange change : changes) {
      change(change)
          .ifPresent(
              reason -> failures.add(new IpsetFailure(change, reason, change + ": " + reason)));
    }
    return failures;
  }

  @Override
  public void close() {}

  private static void fail(String message) {
    throw new DataplaneException("ipsets failed: " + message);
  }

  /** Empty when it was done. */
  private Optional<Reason> change(IpsetChange change) {
    return switch (change) {
      case IpsetChange.Create(String set, IpsetFormat format, int _) -> {
        if (sets.containsKey(set) && !format.equals(setFormats.get(set))) {
          yield Optional.of(Reason.EXISTS);
        }
        sets.putIfAbsent(set, new TreeSet<>());
        setFormats.put(set, format);
        yield Optional.empty();
      }
      case IpsetChange.Add(String set, List<IpsetMember> members) -> {
        if (!sets.containsKey(set)) {
          yield Optional.of(Reason.MISSING);
        }
        members.forEach(member -> sets.get(set).remove(member + " nomatch"));
        members.forEach(member -> sets.get(set).add(member.toString()));
        yield sets.get(set).size() > setFormats.get(set).maxMembers()
            ? Optional.of(Reason.FULL)
            : Optional.empty();
      }
      case IpsetChange.Remove(String set, List<IpsetMember> members) -> {
        if (!sets.containsKey(set)) {
          yield Optional.of(Reason.MISSING);
        }
        members.forEach(member -> sets.get(set).remove(member.toString()));
        members.forEach(member -> sets.get(set).remove(member + " nomatch"));
        yield Optional.empty();
      }
      case IpsetChange.Swap(String set, String other) -> swap(set, other);
      case IpsetChange.Rename(String set, String name) -> {
        if (used(set)) {
          yield Optional.of(Reason.BUSY);
        }
        if (sets.containsKey(name)) {
          yield Optional.of(Reason.EXISTS);
        }
        sets.put(name, sets.remove(set));
        setFormats.put(name, setFormats.remove(set));
        yield Optional.empty();
      }
      case IpsetChange.Destroy(String set) -> {
        if (used(set)) {
          yield Optional.of(Reason.BUSY);
        }
        sets.remove(set);
        setFormats.remove(set);
        yield Optional.empty();
      }
    };
  }

  private Optional<Reason> swap(String set, String other) {
    IpsetFormat format = setFormats.get(set);
    IpsetFormat otherFormat = setFormats.get(other);
    if (otherFormat == null
        || format.type() != otherFormat.type()
        || format.family() != otherFormat.family()) {
      return Optional.of(Reason.TYPE_MISMATCH);
    }
    Set<String> members = sets.get(set);
    sets.put(set, sets.get(other));
    sets.put(other, members);
    setFormats.put(set, otherFormat);
    setFormats.put(other, format);
    return Optional.empty();
  }

  private boolean used(String set) {
    return held.contains(set)
        || tables.values().stream()
            .flatMap(table -> table.values().stream())
            .flatMap(List::stream)
            .anyMatch(rule -> rule.contains("--match-set " + set + " "));
  }

  private static IpsetMember member(String text) {
    int comma = text.indexOf(',');
    if (comma < 0) {
      return IpsetMember.of(Cidr.parse(text));
    }
    int colon = text.indexOf(':', comma);
    if (colon < 0) {
      return new IpsetMember.NetInterface(
          Cidr.parse(text.substring(0, comma)), text.substring(comma + 1));
    }
    return new IpsetMember.AddressPort(
        IpAddress.parse(text.substring(0, comma)),
        Protocol.parse(text.substring(comma + 1, colon)),
        Integer.parseInt(text.substring(colon + 1)));
  }

  private static Result ok(String stdout) {
    return new Result(0, stdout, "");
  }

  private static Result failed(String stderr) {
    return new Result(1, "", stderr);
  }
}

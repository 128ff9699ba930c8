package io.wayleave.policy.calc;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Direction;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PortName;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Subject;
import io.wayleave.model.policy.SubjectSelector;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * From what is stored of the whole fleet to what one node must enforce:
 *
 * <pre>
 *            profiles ──labels──▶ endpoints of all nodes      network sets
 *               │                     │           │                │
 *               │              those of this node └──── labels ────┤
 *               │                     │ labels                     │
 *   policies ───┼────selector───▶ selection                        │
 *      │        │                     │ (rules are active while    │
 *      │        │                     │  they govern an endpoint)  │
 *      │        └─────── rules ───────┼────────selectors──────▶ sets in use
 *      │                              │                            │
 *   tiers ────order────▶ policies per endpoint, in order           │
 *                                     └────────── flush ───────────┘
 * </pre>
 *
 * <p>Inputs mark what they make stale; {@link #flush} computes it and tells the sink what differs
 * from what it was told before. So the result depends on the current state only and never on the
 * order of the inputs, and what changes back before a flush is not seen. An input costs what it
 * affects: subjects and selectors find each other by the labels that they have and need ({@link
 * SubjectIndex}).
 *
 * <p>A policy's tier that is not stored exists as {@link Tier#implied}; a profile that is named and
 * not stored is left out of its endpoints' list. It does no I/O and knows nothing of packet
 * filters. NOT thread safe.
 */
public final class PolicyCalculator {
  /** What it calculates with. */
  public static final Set<Kind> KINDS =
      Collections.unmodifiableSet(
          EnumSet.of(
              Kind.WORKLOAD_ENDPOINT,
              Kind.HOST_ENDPOINT,
              Kind.PROFILE,
              Kind.NETWORK_SET,
              Kind.GLOBAL_NETWORK_SET,
              Kind.TIER,
              Kind.NETWORK_POLICY,
              Kind.GLOBAL_NETWORK_POLICY));

  /** Where what cannot be read stands, before every tier; no tier can have the name. */
  public static final String UNREADABLE = "(unreadable)";

  private static final List<PolicyRule> DENY = List.of(PolicyRule.of(PolicyRule.Action.Deny));

  /** The policies of equal selectors. Compared by identity. */
  private static final class Selection implements SubjectQuery {
    final SubjectSelector chosen;
    final Set<Block> policies = new LinkedHashSet<>();

    Selection(SubjectSelector chosen) {
      this.chosen = chosen;
    }

    @Override
    public SubjectSelector chosen() {
      return chosen;
    }

    @Override
    public Optional<PortName> portName() {
      return Optional.empty();
    }
  }

  /** A policy or profile and what has become of its rules. Compared by identity. */
  private static final class Block {
    final RuleBlock.Id id;

    /** Of policies, as stored. */
    Optional<Policy> policy = Optional.empty();

    /** Of what cannot be read and so closes endpoints, the endpoints that it may be meant for. */
    Optional<SubjectSelector> closes = Optional.empty();

    /** Of policies, where it is in the index. */
    Optional<Selection> selection = Optional.empty();

    /** As stored. */
    Optional<RuleBlock> stored = Optional.empty();

    /** As enforced: what is stored, while it governs an endpoint. */
    Optional<RuleBlock> active = Optional.empty();

    Set<SetId> sets = Set.of();
    Optional<RuleBlock> told = Optional.empty();

    Block(RuleBlock.Id id) {
      this.id = id;
    }
  }

  private record Told(Resource endpoint, ResolvedPolicies policies) {}

  private final String node;

  private final Items items = new Items(KINDS);
  private final Map<String, Profile> profiles = new HashMap<>();
  private final Map<String, Tier> tiers = new HashMap<>();
  private final Map<RuleBlock.Id, Block> blocks = new HashMap<>();
  private final Set<String> unreadableProfiles = new HashSet<>();
  private final Set<String> unreadableTiers = new HashSet<>();

  /** Ids of network sets that cannot be read, by kind. */
  private final Map<Kind, Set<String>> unreadableSets = new EnumMap<>(Kind.class);

  /** Policies by the tiers that they name. */
  private final Groups<Block> inTier = new Groups<>();

  /** Policies against the endpoints of this node. */
  private final SubjectIndex<Item, Selection> selection = new SubjectIndex<>();

  private final Map<SubjectSelector, Selection> selections = new HashMap<>();

  /** Endpoints of this node by the profiles that they name. */
  private final Groups<Item> governedByProfile = new Groups<>();

  private final SetsInUse<Item> sets = new SetsInUse<>();

  // What a flush has to look at; new ones each time, as clearing costs what was ever in them.
  private Set<Block> changedPolicies = new LinkedHashSet<>();
  private Set<String> changedTiers = new LinkedHashSet<>();
  private Set<Block> staleBlocks = new LinkedHashSet<>();
  private Set<Item> staleEndpoints = new LinkedHashSet<>();

  /** Empty when they are to be collected anew. */
  private Optional<Map<RuleBlock.Id, ActiveRules>> activeRules = Optional.empty();

  private final Map<Item, Told> told = new HashMap<>();
  private int toldWorkloads;

  /**
   * Calculates for one node.
   *
   * @param node name of the node whose endpoints are enforced here
   */
  public PolicyCalculator(String node) {
    this.node = requireNonNull(node, "node is null");
  }

  /**
   * Something that is new or has changed.
   *
   * @throws IllegalArgumentException when it is of none of the {@link #KINDS}
   */
  public void put(Resource resource) {
    switch (resource) {
      case WorkloadEndpoint endpoint ->
          putItem(
              endpoint,
              Subject.of(endpoint),
              endpoint.spec().profiles(),
              endpoint.spec().node().equals(node));
      case HostEndpoint endpoint ->
          putItem(
              endpoint,
              Subject.of(endpoint),
              endpoint.spec().profiles(),
              endpoint.spec().node().equals(node));
      case NetworkSet set -> putItem(set, Subject.of(set), List.of(), false);
      case GlobalNetworkSet set -> putItem(set, Subject.of(set), List.of(), false);
      case Profile profile -> setProfile(profile.name(), Optional.of(profile), true);
      case Tier tier -> setTier(tier.name(), Optional.of(tier), true);
      case NetworkPolicy policy ->
          setPolicy(RuleBlock.Id.of(policy), Optional.of(policy), Optional.empty());
      case GlobalNetworkPolicy policy ->
          setPolicy(RuleBlock.Id.of(policy), Optional.of(policy), Optional.empty());
      default -> throw governsNothing(resource.kind());
    }
  }

  /**
   * Something is gone, if it was there at all.
   *
   * @param id its {@link Resource#id}
   * @throws IllegalArgumentException when it is of none of the {@link #KINDS}
   */
  public void remove(Kind kind, String id) {
    switch (kind) {
      case WORKLOAD_ENDPOINT, HOST_ENDPOINT, NETWORK_SET, GLOBAL_NETWORK_SET ->
          removeItem(kind, id);
      case PROFILE -> setProfile(id, Optional.empty(), true);
      case TIER -> setTier(id, Optional.empty(), true);
      case NETWORK_POLICY, GLOBAL_NETWORK_POLICY ->
          setPolicy(new RuleBlock.Id(kind, id), Optional.empty(), Optional.empty());
      default -> throw governsNothing(kind);
    }
  }

  /**
   * Something is stored that cannot be read, so that nobody knows what it forbids. Until it is put
   * or removed:
   *
   * <ul>
   *   <li>a policy denies everything to the endpoints that it may govern, before all other
   *       policies;
   *   <li>a profile does so to the endpoints that name it: it may give them labels, by which
   *       policies would choose them;
   *   <li>a tier does so to the endpoints that a policy of it governs: it may come before others;
   *   <li>a network set lets all rules deny, in the place of their policy, that may choose it and
   *       that would allow more without its members ({@link RuleSets#needMembers});
   *   <li>an endpoint is not there. An interface that is not known passes nothing; a host endpoint
   *       guards nothing, as closing a host for it could end all access to it.
   * </ul>
   *
   * @param closes of policies, the endpoints that it may govern; else of no meaning
   */
  public void putUnreadable(Kind kind, String id, SubjectSelector closes) {
    switch (kind) {
      case NETWORK_POLICY, GLOBAL_NETWORK_POLICY ->
          setPolicy(new RuleBlock.Id(kind, id), Optional.empty(), Optional.of(closes));
      case PROFILE -> setProfile(id, Optional.empty(), false);
      case TIER -> setTier(id, Optional.empty(), false);
      case NETWORK_SET, GLOBAL_NETWORK_SET -> {
        remove(kind, id);
        if (unreadableSets.computeIfAbsent(kind, _ -> new HashSet<>()).add(id)) {
          staleBlocks.addAll(blocks.values());
        }
      }
      case WORKLOAD_ENDPOINT, HOST_ENDPOINT -> remove(kind, id);
      default -> throw governsNothing(kind);
    }
  }

  /** The refusal of a kind that is none of the {@link #KINDS}. */
  public static IllegalArgumentException governsNothing(Kind kind) {
    return new IllegalArgumentException(kind + " governs no packet");
  }

  /** A network set can be read, or is gone. */
  private void forgetUnreadable(Kind kind, String id) {
    Set<String> ids = unreadableSets.get(kind);
    if (ids != null && ids.remove(id)) {
      staleBlocks.addAll(blocks.values());
      if (ids.isEmpty()) {
        unreadableSets.remove(kind);
      }
    }
  }

  private void setTier(String name, Optional<Tier> tier, boolean readable) {
    Optional<Tier> before =
        Optional.ofNullable(tier.isPresent() ? tiers.put(name, tier.get()) : tiers.remove(name));
    boolean other = readable ? unreadableTiers.remove(name) : unreadableTiers.add(name);
    if (other || !before.equals(tier)) {
      changedTiers.add(name);
    }
  }

  private void putItem(Resource resource, Subject own, List<String> profileNames, boolean local) {
    forgetUnreadable(resource.kind(), resource.id());
    items.put(resource, own, profileNames, local);
  }

  private void removeItem(Kind kind, String id) {
    forgetUnreadable(kind, id);
    items.remove(kind, id);
  }

  private void setProfile(String name, Optional<Profile> profile, boolean readable) {
    Optional<Profile> before =
        Optional.ofNullable(
            profile.isPresent() ? profiles.put(name, profile.get()) : profiles.remove(name));
    boolean other = readable ? unreadableProfiles.remove(name) : unreadableProfiles.add(name);
    if (!other && before.equals(profile)) {
      return;
    }
    if (!labelsOf(before).equals(labelsOf(profile))) {
      items.profileChanged(name);
    }
    Block block = block(new RuleBlock.Id(Kind.PROFILE, name));
    block.stored = readable ? profile.map(RuleBlock::of) : Optional.of(closed(block.id));
    staleBlocks.add(block);
    if (other || before.isPresent() != profile.isPresent()) {
      staleEndpoints.addAll(governedByProfile.of(name));
    }
  }

  private static Map<String, String> labelsOf(Optional<Profile> profile) {
    return profile.map(stored -> stored.spec().labelsToApply()).orElse(Map.of());
  }

  private void setPolicy(
      RuleBlock.Id id, Optional<Policy> policy, Optional<SubjectSelector> closes) {
    Block block = block(id);
    if (block.policy.equals(policy) && block.closes.equals(closes)) {
      dropIfUnused(block);
      return;
    }
    block.policy.ifPresent(before -> inTier.leave(before.spec().tier(), block));
    policy.ifPresent(now -> inTier.join(now.spec().tier(), block));
    block.policy = policy;
    block.closes = closes;
    block.stored = closes.isPresent() ? Optional.of(closed(id)) : policy.map(RuleBlock::of);
    changedPolicies.add(block);
  }

  /** Tells the sink everything that has changed since the last call. */
  public void flush(CalculationSink sink) {
    items.takeChanged().forEach(this::applyItem);
    changedPolicies.forEach(this::applyPolicy);
    changedPolicies = new LinkedHashSet<>();
    for (String tier : changedTiers) {
      for (Block block : inTier.of(tier)) {
        staleUnder(block);
        staleBlocks.add(block);
      }
    }
    changedTiers = new LinkedHashSet<>();
    staleBlocks.forEach(this::applyBlock);

    if (!staleBlocks.isEmpty() || !staleEndpoints.isEmpty()) {
      activeRules = Optional.empty();
    }
    sets.tellAdditions(sink);
    for (Block block : staleBlocks) {
      if (block.active.isPresent() && !block.active.equals(block.told)) {
        block.told = block.active;
        sink.putRules(block.active.get());
      }
    }
    tellEndpoints(sink);
    for (Block block : staleBlocks) {
      if (block.active.isEmpty() && block.told.isPresent()) {
        block.told = Optional.empty();
        sink.removeRules(block.id);
      }
      dropIfUnused(block);
    }
    staleBlocks = new LinkedHashSet<>();
    sets.tellRemovals(sink);
  }

  /** Takes over an endpoint or network set as it is now. */
  private void applyItem(Item item) {
    if (item.present) {
      sets.put(item, item.own.withLabelsOf(item.profiles, this::profile));
    } else {
      sets.remove(item);
    }
    if (item.endpoint.isEmpty() && !selection.has(item)) {
      return;
    }
    Set<Selection> chosen = new HashSet<>(selection.queriesOf(item));
    if (item.endpoint.isPresent()) {
      selection.put(item, sets.subjectOf(item).orElseThrow());
    } else {
      selection.remove(item);
    }
    for (Selection now : selection.queriesOf(item)) {
      if (!chosen.remove(now)) {
        staleBlocks.addAll(now.policies);
      }
    }
    chosen.forEach(no -> staleBlocks.addAll(no.policies));
    enforceProfiles(item, item.endpoint.isPresent() ? item.profiles : List.of());
    staleEndpoints.add(item);
  }

  private void enforceProfiles(Item item, List<String> names) {
    if (item.enforcedProfiles.equals(names)) {
      return;
    }
    item.enforcedProfiles.forEach(name -> governedByProfile.leave(name, item));
    names.forEach(name -> governedByProfile.join(name, item));
    for (List<String> changed : List.of(item.enforcedProfiles, names)) {
      changed.forEach(name -> staleBlocks.add(block(new RuleBlock.Id(Kind.PROFILE, name))));
    }
    item.enforcedProfiles = names;
  }

  /** Takes over a policy as it is now. */
  private void applyPolicy(Block block) {
    Optional<SubjectSelector> chosen =
        block.policy.map(SubjectSelector::governedBy).or(() -> block.closes);
    staleUnder(block);
    if (!block.selection.map(Selection::chosen).equals(chosen)) {
      block.selection.ifPresent(before -> leaveSelection(before, block));
      block.selection = chosen.map(this::selectionOf);
      block.selection.ifPresent(now -> now.policies.add(block));
      staleUnder(block);
    }
    staleBlocks.add(block);
  }

  private Selection selectionOf(SubjectSelector chosen) {
    return selections.computeIfAbsent(
        chosen,
        _ -> {
          Selection fresh = new Selection(chosen);
          selection.add(fresh);
          return fresh;
        });
  }

  private void leaveSelection(Selection from, Block block) {
    from.policies.remove(block);
    if (from.policies.isEmpty()) {
      selection.remove(from);
      selections.remove(from.chosen);
    }
  }

  private void staleUnder(Block policy) {
    policy.selection.ifPresent(chosen -> staleEndpoints.addAll(selection.itemsOf(chosen)));
  }

  /** Follows rules that changed, or whose endpoints did: the sets of rules come and go. */
  private void applyBlock(Block block) {
    Optional<RuleBlock> now =
        governed(block).isEmpty()
            ? Optional.empty()
            : block.stored.map(rules -> enforced(block, rules));
    if (now.equals(block.active)) {
      return;
    }
    block.active = now;
    Set<SetId> before = block.sets;
    block.sets = now.map(RuleSets::of).orElse(Set.of());
    block.sets.forEach(sets::use);
    before.forEach(sets::release);
  }

  private RuleBlock enforced(Block block, RuleBlock rules) {
    if (closesFirst(block)) {
      return closed(block.id);
    }
    return !unreadableSets.isEmpty() && RuleSets.needMembers(rules, this::mayBeUnreadable)
        ? new RuleBlock(rules.id(), rules.namespace(), rules.types(), DENY, DENY)
        : rules;
  }

  /** Whether a network set that cannot be read may be among what is chosen. */
  private boolean mayBeUnreadable(SubjectSelector chosen) {
    if (chosen.namespace().isEmpty()) {
      return !unreadableSets.isEmpty();
    }
    String prefix = chosen.namespace().get() + "/";
    return unreadableSets.getOrDefault(Kind.NETWORK_SET, Set.of()).stream()
        .anyMatch(id -> id.startsWith(prefix));
  }

  private boolean closesFirst(Block block) {
    return block.closes.isPresent()
        || block.policy.map(policy -> unreadableTiers.contains(policy.spec().tier())).orElse(false);
  }

  private static RuleBlock closed(RuleBlock.Id id) {
    return new RuleBlock(id, Optional.empty(), EnumSet.allOf(Direction.class), DENY, DENY);
  }

  private Set<Item> governed(Block block) {
    if (block.id.kind() == Kind.PROFILE) {
      return governedByProfile.of(block.id.id());
    }
    return block.selection.map(selection::itemsOf).orElse(Set.of());
  }

  private void tellEndpoints(CalculationSink sink) {
    List<Item> gone = new ArrayList<>();
    for (Item item : staleEndpoints) {
      if (item.endpoint.isEmpty()) {
        gone.add(item);
        continue;
      }
      Told now = new Told(item.endpoint.get(), resolve(item));
      Told before = told.put(item, now);
      if (!now.equals(before)) {
        switch (now.endpoint()) {
          case HostEndpoint endpoint -> sink.putHostEndpoint(endpoint, now.policies());
          case WorkloadEndpoint endpoint -> {
            toldWorkloads += before == null ? 1 : 0;
            sink.putEndpoint(endpoint, now.policies());
          }
          default -> throw new IllegalStateException(now.endpoint().kind() + " is no endpoint");
        }
      }
    }
    for (Item item : gone) {
      if (told.remove(item) != null) {
        if (item.kind == Kind.HOST_ENDPOINT) {
          sink.removeHostEndpoint(item.id);
        } else {
          toldWorkloads--;
          sink.removeEndpoint(item.id);
        }
      }
    }
    staleEndpoints = new LinkedHashSet<>();
  }

  private ResolvedPolicies resolve(Item item) {
    Governing governing = new Governing();
    item.profiles.stream()
        .filter(unreadableProfiles::contains)
        .forEach(name -> governing.close(new RuleBlock.Id(Kind.PROFILE, name)));
    for (Selection chosen : selection.queriesOf(item)) {
      for (Block block : chosen.policies) {
        if (closesFirst(block)) {
          governing.close(block.id);
        } else {
          Policy policy = block.policy.orElseThrow();
          governing.add(tier(policy.spec().tier()), policy);
        }
      }
    }
    return governing.resolve(
        item.profiles.stream()
            .filter(profiles::containsKey)
            .distinct()
            .map(name -> new RuleBlock.Id(Kind.PROFILE, name))
            .toList(),
        item.kind == Kind.WORKLOAD_ENDPOINT && item.profiles.isEmpty());
  }

  private Tier tier(String name) {
    Tier stored = tiers.get(name);
    return stored != null ? stored : Tier.implied(name);
  }

  private Optional<Profile> profile(String name) {
    return Optional.ofNullable(profiles.get(name));
  }

  private Block block(RuleBlock.Id id) {
    return blocks.computeIfAbsent(id, Block::new);
  }

  private void dropIfUnused(Block block) {
    if (block.stored.isEmpty() && block.told.isEmpty() && !changedPolicies.contains(block)) {
      blocks.remove(block.id);
    }
  }

  /** Whether the endpoint or network set has been put, of whatever node, and not removed. */
  public boolean knows(Kind kind, String id) {
    return items.find(kind, id).map(item -> item.present).orElse(false);
  }

  /** Number of this node's workload endpoints, as last told. */
  public int localEndpoints() {
    return toldWorkloads;
  }

  /**
   * Rules in force on this node.
   *
   * @param endpoints how many of its endpoints they govern
   */
  public record ActiveRules(RuleBlock rules, int endpoints) {}

  /**
   * The rules that were told and have not been removed; the same object until one changes or
   * governs another number of endpoints.
   */
  public Map<RuleBlock.Id, ActiveRules> activeRules() {
    if (activeRules.isEmpty()) {
      Map<RuleBlock.Id, ActiveRules> active = new HashMap<>();
      blocks.forEach(
          (id, block) ->
              block.told.ifPresent(
                  rules -> active.put(id, new ActiveRules(rules, governed(block).size()))));
      activeRules = Optional.of(Map.copyOf(active));
    }
    return activeRules.get();
  }

  /** The tier of each policy whose rules were told and have not been removed. */
  public Map<RuleBlock.Id, String> tiersOfActivePolicies() {
    Map<RuleBlock.Id, String> names = new HashMap<>();
    blocks.forEach(
        (id, block) -> {
          if (block.told.isPresent()) {
            block.policy.ifPresent(policy -> names.put(id, policy.spec().tier()));
          }
        });
    return names;
  }

  /** Tiers that policies in force on this node name and nobody stored; they deny. */
  public Set<String> missingTiers() {
    Set<String> missing = new TreeSet<>();
    for (String name : inTier.names()) {
      if (!name.equals(Tier.DEFAULT)
          && !tiers.containsKey(name)
          && !unreadableTiers.contains(name)
          && inTier.of(name).stream().anyMatch(policy -> policy.told.isPresent())) {
        missing.add(name);
      }
    }
    return missing;
  }

  /** Profiles that endpoints of this node name and nobody stored; they allow nothing. */
  public Set<String> missingProfiles() {
    Set<String> missing = new TreeSet<>(governedByProfile.names());
    missing.removeAll(profiles.keySet());
    missing.removeAll(unreadableProfiles);
    return missing;
  }

  /**
   * What was told last of an endpoint of this node.
   *
   * @param kind of workload or host endpoints
   */
  public Optional<ResolvedPolicies> policiesOf(Kind kind, String id) {
    return items
        .find(kind, id)
        .flatMap(item -> Optional.ofNullable(told.get(item)))
        .map(Told::policies);
  }

  /** The rules as they were told last, while they are in force. */
  Optional<RuleBlock> rules(RuleBlock.Id id) {
    return Optional.ofNullable(blocks.get(id)).flatMap(block -> block.told);
  }

  /** The members of a set that rules in force refer to, as told last. */
  Optional<SetMembers> members(SetId id) {
    return sets.members(id);
  }

  /** Whether nothing is kept of what came and went. */
  boolean isEmpty() {
    return items.isEmpty()
        && inTier.isEmpty()
        && governedByProfile.isEmpty()
        && List.of(profiles, tiers, blocks, selections, told).stream().allMatch(Map::isEmpty)
        && unreadableSets.isEmpty()
        && unreadableTiers.isEmpty()
        && unreadableProfiles.isEmpty()
        && selection.isEmpty()
        && sets.isEmpty();
  }

  /** How often a selector has been compared with the labels of something so far. */
  long evaluations() {
    return selection.evaluations() + sets.evaluations();
  }
}

package io.wayleave.policy;

import io.wayleave.linux.netlink.Flow;
import io.wayleave.linux.netlink.FlowTuple;
import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Explanation.Verdict;
import io.wayleave.model.policy.Question;
import io.wayleave.policy.calc.CalculationSink;
import io.wayleave.policy.calc.Judge;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import io.wayleave.policy.calc.SetMember;
import io.wayleave.policy.dataplane.FlowKernel;
import io.wayleave.policy.dataplane.InterfaceAddresses;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends established flows of this node's containers that policy forbids now. The entry of such a
 * flow in connection tracking gets a mark, by which the rules drop its packets in both directions;
 * a flow that is allowed again loses it. The entry stays, as without it a packet of the server
 * would begin a new flow in the middle of the old one (nf_conntrack_tcp_loose), in the other
 * direction, which policy may allow.
 *
 * <p>A flow is judged as rules in FORWARD saw its first packet: from the original source to where
 * the answers come from, so after any translation of the destination and before that of the source.
 * What the host itself sends to its containers is always allowed. A flow that another announced,
 * such as the data of FTP, is allowed while that is. Flows of host endpoints go on until they end
 * by themselves.
 *
 * <p>A look walks through the whole table, so it is taken only when something was told that can
 * change a verdict, and kept to the addresses that it concerns:
 *
 * <ul>
 *   <li>when rules, their order, members of sets or an endpoint changed: before anybody is told
 *       that the write is done, and once more after {@link #SECOND_LOOK}: a packet that the old
 *       rules let through may still be on its way, and has no entry until it has left the host;
 *   <li>when endpoints came or went: a little later, since what is new has no flows. An address
 *       that has just been another container's is the exception. The flows of a container that is
 *       gone are forgotten, so that its address has none when it is given to the next one;
 *   <li>when others may have damaged our rules: a little later, as flows may have come meanwhile.
 * </ul>
 *
 * <p>It has no thread and no clock. NOT thread safe.
 */
final class EstablishedFlows implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EstablishedFlows.class);

  static final Duration SECOND_LOOK = Duration.ofMillis(100);
  static final Duration LATER = Duration.ofMillis(500);

  /** A look at many flows takes longer, and so does the rest before it: it shall not fill time. */
  private static final Duration LATER_PER_FLOW = Duration.ofNanos(20_000);

  private record Local(List<Cidr> nets, ResolvedPolicies policies) {
    boolean asksOneOf(Set<RuleBlock.Id> rules) {
      return Stream.concat(policies.ingress().stream(), policies.egress().stream())
              .flatMap(tier -> tier.policies().stream())
              .anyMatch(rules::contains)
          || policies.profiles().stream().anyMatch(rules::contains);
    }
  }

  /** What is to be looked at a second time. */
  private record Second(AffectedAddresses which, long due) {}

  private final FlowKernel kernel;
  private final InterfaceAddresses hostAddresses;
  private final Judge judge;

  private final Map<String, Local> endpoints = new HashMap<>();

  /** Ids of the endpoints by their addresses; more than one while an old record is there. */
  private final CidrTable<Set<String>> owners = new CidrTable<>();

  // Told since the last write.
  private AffectedAddresses affected = new AffectedAddresses();
  private Set<RuleBlock.Id> changedRules = new HashSet<>();
  private Set<SetId> newSets = new HashSet<>();

  /** Whether an address of an endpoint that is gone, and may have flows, has come to another. */
  private boolean reused;

  /** Addresses of endpoints that are gone, since the last look. */
  private final Set<Cidr> gone = new HashSet<>();

  private AffectedAddresses later = new AffectedAddresses();
  private Optional<Long> laterDue = Optional.empty();

  /** Looked at once, and nobody has said yet when. */
  private Optional<AffectedAddresses> fresh = Optional.empty();

  private final Deque<Second> seconds = new ArrayDeque<>();
  private long firstLooks;
  private long secondLooks;
  private int flowsSeen;

  EstablishedFlows(
      FlowKernel kernel, InterfaceAddresses hostAddresses, PolicyCalculator calculator) {
    this.kernel = kernel;
    this.hostAddresses = hostAddresses;
    this.judge = new Judge(calculator);
  }

  /** Sees what the calculation tells, and passes it on. */
  CalculationSink watching(CalculationSink next) {
    return new Watching(next);
  }

  /** The rules may not have been in force all the time. */
  void doubt() {
    later.addEverything();
  }

  /**
   * What was told is in force for new flows.
   *
   * @param urgent whether something else was told than that workload endpoints came or went
   * @return how many {@link #secondLooks} it takes until this is certain of all flows
   * @throws io.wayleave.policy.dataplane.DataplaneException when flows cannot be read or marked; to
   *     be called again then
   */
  long written(boolean urgent) {
    if (!changedRules.isEmpty()) {
      endpoints.values().stream()
          .filter(endpoint -> endpoint.asksOneOf(changedRules))
          .forEach(endpoint -> affected.addAll(endpoint.nets()));
      changedRules = new HashSet<>();
    }
    newSets = new HashSet<>();
    if (affected.isEmpty()) {
      return firstLooks;
    }
    if (urgent || reused) {
      look(affected);
      fresh.ifPresent(affected::addAll);
      fresh = Optional.of(affected);
      firstLooks = secondLooks + seconds.size() + 1;
      reused = false;
    } else {
      later.addAll(affected);
    }
    affected = new AffectedAddresses();
    return firstLooks;
  }

  /** How many second looks have been taken. */
  long secondLooks() {
    return secondLooks;
  }

  /**
   * Takes the looks that are due.
   *
   * @param now monotonic time in nanoseconds
   * @return nanoseconds until the next is, if nothing is told before
   * @throws io.wayleave.policy.dataplane.DataplaneException as {@link #written}; to be called again
   */
  long step(long now) {
    fresh.ifPresent(which -> seconds.add(new Second(which, now + SECOND_LOOK.toNanos())));
    fresh = Optional.empty();
    if (isLaterUnscheduled()) {
      laterDue =
          Optional.of(now + LATER.toNanos() + LATER_PER_FLOW.multipliedBy(flowsSeen).toNanos());
    }
    boolean isLater = laterDue.map(due -> now - due >= 0).orElse(false);
    AffectedAddresses which = new AffectedAddresses();
    long due = 0;
    for (Second second : seconds) {
      if (now - second.due() >= 0) {
        which.addAll(second.which());
        due++;
      }
    }
    if (isLater) {
      which.addAll(later);
    }
    if (due > 0 || isLater) {
      look(which);
    }
    for (long done = 0; done < due; done++) {
      seconds.remove();
      secondLooks++;
    }
    if (isLater) {
      later = new AffectedAddresses();
      laterDue = Optional.empty();
    }
    return Stream.concat(seconds.stream().map(Second::due), laterDue.stream())
        .mapToLong(next -> next - now)
        .min()
        .orElse(Long.MAX_VALUE);
  }

  /** Whether {@link #step} has to say when something is due. */
  boolean unscheduled() {
    return fresh.isPresent() || isLaterUnscheduled();
  }

  private boolean isLaterUnscheduled() {
    return laterDue.isEmpty() && !(later.isEmpty() && gone.isEmpty());
  }

  /** Marks stay. */
  @Override
  public void close() {
    kernel.close();
  }

  private void look(AffectedAddresses which) {
    CidrTable<Boolean> left = new CidrTable<>();
    gone.stream().filter(net -> !owners.has(net)).forEach(net -> left.put(net, true));
    flowsSeen = kernel.count();
    if (flowsSeen > 0) {
      List<Flow> flows =
          kernel.list(
              (from, to) ->
                  which.have(from) || which.have(to) || left.covers(from) || left.covers(to));
      settle(flows, left);
    }
    gone.clear();
  }

  private static boolean isOf(Flow flow, Predicate<IpAddress> addresses) {
    return addresses.test(flow.original().source()) || addresses.test(flow.reply().source());
  }

  private void settle(List<Flow> flows, CidrTable<Boolean> left) {
    View view = new View(flows);
    List<Flow> over = new ArrayList<>();
    List<Flow> forbidden = new ArrayList<>();
    List<Flow> allowed = new ArrayList<>();
    for (Flow flow : flows) {
      if (isOf(flow, left::covers)) {
        over.add(flow);
      } else if (view.forbids(flow)) {
        if (!FlowKernel.isForbidden(flow)) {
          forbidden.add(flow);
        }
      } else if (FlowKernel.isForbidden(flow)) {
        allowed.add(flow);
      }
    }
    change(forbidden, flow -> kernel.forbid(flow, true));
    change(allowed, flow -> kernel.forbid(flow, false));
    change(over, kernel::delete);
    if (!forbidden.isEmpty() || !allowed.isEmpty()) {
      log.info(
          "policy ended established flows forbidden={} allowedAgain={}",
          forbidden.size(),
          allowed.size());
    }
  }

  private static void change(List<Flow> flows, Consumer<Collection<Flow>> change) {
    if (!flows.isEmpty()) {
      change.accept(flows);
    }
  }

  /** The flows of one look. */
  private final class View {
    private final List<Flow> flows;
    private Optional<Map<FlowTuple, Flow>> byTuple = Optional.empty();
    private Optional<Set<IpAddress>> own = Optional.empty();

    View(List<Flow> flows) {
      this.flows = flows;
    }

    boolean forbids(Flow flow) {
      if (flow.master().isEmpty()) {
        return forbids(flow.original(), flow.reply().source(), flow.reply().detail());
      }
      FlowTuple master = flow.master().get();
      return entry(master)
          .map(entry -> forbids(master, entry.reply().source(), entry.reply().detail()))
          .orElseGet(() -> forbids(master, master.destination(), reversed(master.detail())));
    }

    private Optional<Flow> entry(FlowTuple original) {
      if (byTuple.isEmpty()) {
        Map<FlowTuple, Flow> known = new HashMap<>();
        flows.forEach(flow -> known.put(flow.original(), flow));
        byTuple = Optional.of(known);
      }
      return Optional.ofNullable(byTuple.get().get(original));
    }

    /** Two records of one address must both allow it: one of them is over. */
    private boolean forbids(FlowTuple original, IpAddress to, FlowTuple.Detail answer) {
      IpAddress from = original.source();
      Protocol foreign = from.family() == Family.IPV4 ? Protocol.ICMPV6 : Protocol.ICMP;
      if (original.protocol().equals(foreign)) {
        return false;
      }
      if (!owners.covers(from) && !owners.covers(to)) {
        return false;
      }
      Question packet = packet(original, to, answer);
      return denies(from, Direction.Egress, packet)
          || (denies(to, Direction.Ingress, packet) && !hostHas(from));
    }

    private boolean denies(IpAddress end, Direction direction, Question packet) {
      return owners.at(end).stream()
          .flatMap(Set::stream)
          .anyMatch(id -> judge.workload(id, direction, packet).equals(Optional.of(Verdict.DENY)));
    }

    private boolean hostHas(IpAddress address) {
      if (own.isEmpty()) {
        own = Optional.of(hostAddresses.read().keySet());
      }
      return own.get().contains(address);
    }
  }

  private static Question packet(FlowTuple original, IpAddress to, FlowTuple.Detail answer) {
    Question.End from = Question.End.of(original.source());
    Question.End there = Question.End.of(to);
    Protocol protocol = original.protocol();
    return switch (original.detail()) {
      case FlowTuple.Icmp(int type, int code, int _) ->
          Question.icmp(from, there, protocol, type, code);
      case FlowTuple.Ports(int source, int destination) when protocol.hasPorts() ->
          new Question(
              from,
              there,
              protocol,
              source,
              answer instanceof FlowTuple.Ports(int answering, int _) ? answering : destination,
              Optional.empty());
      case FlowTuple.Ports _, FlowTuple.Nothing _ -> Question.of(from, there, protocol);
    };
  }

  private static FlowTuple.Detail reversed(FlowTuple.Detail detail) {
    return detail instanceof FlowTuple.Ports(int source, int destination)
        ? new FlowTuple.Ports(destination, source)
        : detail;
  }

  private void own(String id, List<Cidr> nets) {
    nets.forEach(net -> owners.computeIfAbsent(net, TreeSet::new).add(id));
  }

  private void disown(String id, List<Cidr> nets) {
    for (Cidr net : nets) {
      owners.computeIfPresent(
          net,
          ids -> {
            ids.remove(id);
            return ids.isEmpty() ? null : ids;
          });
    }
  }

  private final class Watching implements CalculationSink {
    private final CalculationSink next;

    Watching(CalculationSink next) {
      this.next = next;
    }

    @Override
    public void putSet(SetId set) {
      newSets.add(set);
      next.putSet(set);
    }

    @Override
    public void addMember(SetId set, SetMember member) {
      // Members of a new set concern the rules that begin to refer to it.
      if (!newSets.contains(set)) {
        changed(member);
      }
      next.addMember(set, member);
    }

    @Override
    public void removeMember(SetId set, SetMember member) {
      changed(member);
      next.removeMember(set, member);
    }

    private void changed(SetMember member) {
      affected.add(
          switch (member) {
            case SetMember.Net(Cidr net) -> net;
            case SetMember.AddressPort port -> port.address().toCidr();
          });
    }

    /** The rules that refer to it have changed or gone, which is told by itself. */
    @Override
    public void removeSet(SetId set) {
      next.removeSet(set);
    }

    @Override
    public void putRules(RuleBlock rules) {
      changedRules.add(rules.id());
      next.putRules(rules);
    }

    /** What it governed is told before. */
    @Override
    public void removeRules(RuleBlock.Id rules) {
      next.removeRules(rules);
    }

    @Override
    public void putEndpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies) {
      String id = endpoint.id();
      List<Cidr> nets = endpoint.spec().ipNetworks();
      Local before = endpoints.put(id, new Local(nets, policies));
      reused |= nets.stream().anyMatch(gone::contains);
      own(id, nets);
      affected.addAll(nets);
      if (before != null) {
        leave(id, before.nets().stream().filter(net -> !nets.contains(net)).toList());
      }
      next.putEndpoint(endpoint, policies);
    }

    @Override
    public void removeEndpoint(String id) {
      Local before = endpoints.remove(id);
      if (before != null) {
        leave(id, before.nets());
      }
      next.removeEndpoint(id);
    }

    private void leave(String id, List<Cidr> nets) {
      disown(id, nets);
      affected.addAll(nets);
      gone.addAll(nets);
      reused |= nets.stream().anyMatch(owners::has);
    }

    @Override
    public void putHostEndpoint(HostEndpoint endpoint, ResolvedPolicies policies) {
      next.putHostEndpoint(endpoint, policies);
    }

    @Override
    public void removeHostEndpoint(String id) {
      next.removeHostEndpoint(id);
    }
  }
}

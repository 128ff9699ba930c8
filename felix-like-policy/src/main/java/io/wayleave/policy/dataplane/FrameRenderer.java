package io.wayleave.policy.dataplane;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import io.wayleave.policy.calc.RuleBlock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Everything but the policies' own rules: where packets enter our chains, how they find their
 * endpoint, and what an endpoint asks.
 *
 * <pre>
 *   FORWARD ─▶ wl-FORWARD   mark:=0
 *                           in by wl+  ─▶ wl-from-wl ─▶ wl-fw-IF ─▶ wl-eg-IF ─▶ wl-po-POLICY …
 *                           out by wl+ ─▶ wl-to-wl   ─▶ wl-in-IF ─▶ wl-pi-POLICY …
 *                           mark? ACCEPT
 *   INPUT   ─▶ wl-INPUT     in by wl+  ─▶ wl-from-wl, then what the host's own rules say
 *   OUTPUT  ─▶ wl-OUTPUT    out by wl+ ─▶ wl-host-to-wl: ACCEPT
 * </pre>
 *
 * <p>A denied packet is dropped where that is decided. An allowed one gets {@link #MARK} and
 * returns, so that a packet between two containers of this host is asked on both sides; in FORWARD
 * it is then accepted, whatever rules (Docker's policy of DROP, say) follow. What goes to the host
 * itself is, when the endpoint's egress allows it, left to the host's own INPUT rules. What comes
 * from the host itself is always allowed to its own containers, as in Calico, so that health checks
 * work under any policy.
 *
 * <p>The dispatch chains end in DROP: an interface of ours that is not known passes nothing, also
 * while no agent runs. Pure.
 */
final class FrameRenderer {
  /** One bit of the packet mark, set on packets that policy allows. */
  static final String MARK = "0x10000/0x10000";

  private static final String NO_MARK = "0x0/0x10000";

  /** More rules than this in one dispatch chain are split by the next letter of the name. */
  private static final int DISPATCH_WIDTH = 16;

  private static final String DROP = "-j DROP";

  private FrameRenderer() {}

  /** The host's chain to ours. */
  static Map<String, Optional<String>> hooks() {
    Map<String, Optional<String>> hooks = new LinkedHashMap<>();
    hooks.put("FORWARD", Optional.of(ChainNames.FORWARD));
    hooks.put("INPUT", Optional.of(ChainNames.INPUT));
    hooks.put("OUTPUT", Optional.of(ChainNames.OUTPUT));
    return hooks;
  }

  /** No chain of the host leads to ours. */
  static Map<String, Optional<String>> noHooks() {
    Map<String, Optional<String>> none = new LinkedHashMap<>(hooks());
    none.replaceAll((_, _) -> Optional.empty());
    return none;
  }

  /** The chains that are the same on every host. */
  static List<Chain> frame() {
    String ours = ChainNames.INTERFACE_PREFIX + "+";
    List<String> fromHost = new ArrayList<>(passForeign("-o"));
    fromHost.add("-j ACCEPT");
    return List.of(
        Chain.structure(
            ChainNames.FORWARD,
            List.of(
                "-j MARK --set-xmark " + NO_MARK,
                "-i " + ours + " -j " + ChainNames.FROM_WORKLOAD,
                "-o " + ours + " -j " + ChainNames.TO_WORKLOAD,
                "-m mark --mark " + MARK + " -j ACCEPT")),
        Chain.structure(
            ChainNames.INPUT, List.of("-i " + ours + " -j " + ChainNames.FROM_WORKLOAD)),
        Chain.structure(
            ChainNames.OUTPUT, List.of("-o " + ours + " -j " + ChainNames.HOST_TO_WORKLOAD)),
        Chain.structure(ChainNames.HOST_TO_WORKLOAD, fromHost),
        Chain.structure(ChainNames.ALLOW, List.of("-j MARK --set-xmark " + MARK)));
  }

  /** The chains of one endpoint. */
  static List<Chain> endpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies, Family family) {
    String name = endpoint.spec().interfaceName();
    return List.of(
        sourceCheck(endpoint, family),
        decide(Direction.Egress, name, policies),
        decide(Direction.Ingress, name, policies));
  }

  static List<String> endpointChains(String interfaceName) {
    return List.of(
        ChainNames.sourceCheck(interfaceName),
        ChainNames.endpoint(Direction.Egress, interfaceName),
        ChainNames.endpoint(Direction.Ingress, interfaceName));
  }

  /** The endpoint may send from its own addresses only. */
  private static Chain sourceCheck(WorkloadEndpoint endpoint, Family family) {
    String name = endpoint.spec().interfaceName();
    List<String> rules = new ArrayList<>();
    endpoint.spec().ipNetworks().stream()
        .filter(net -> net.family() == family)
        .sorted()
        .forEach(
            net -> rules.add("-s " + net + " -g " + ChainNames.endpoint(Direction.Egress, name)));
    if (family == Family.IPV6) {
      // Neighbour solicitation and advertisement come from link-local addresses and from ::.
      // RFC 4861 section 7.1 makes a hop limit of 255 prove that they were not forwarded.
      for (int type : new int[] {135, 136}) {
        rules.add(
            "-p ipv6-icmp -m icmp6 --icmpv6-type "
                + type
                + " -m hl --hl-eq 255 -g "
                + ChainNames.ALLOW);
      }
    }
    rules.add(DROP);
    return Chain.structure(ChainNames.sourceCheck(name), rules);
  }

  private static Chain decide(
      Direction direction, String interfaceName, ResolvedPolicies resolved) {
    List<String> rules = new ArrayList<>();
    rules.add("-m conntrack --ctstate RELATED,ESTABLISHED -g " + ChainNames.ALLOW);
    rules.add("-m conntrack --ctstate INVALID -j DROP");
    List<TierPolicies> tiers = resolved.tiers(direction);
    if (tiers.isEmpty() && resolved.openWithoutPolicies()) {
      rules.add("-g " + ChainNames.ALLOW);
    } else if (tiers.isEmpty() || tiers.getFirst().defaultAction() != Tier.DefaultAction.Deny) {
      // What has no rendering yet is closed.
      rules.add(DROP);
    } else {
      // The packet may carry the mark of the other endpoint's decision.
      rules.add("-j MARK --set-xmark " + NO_MARK);
      for (RuleBlock.Id policy : tiers.getFirst().policies()) {
        rules.add("-j " + ChainNames.policy(direction, policy));
        rules.add("-m mark --mark " + MARK + " -j RETURN");
      }
      rules.add(DROP);
    }
    return Chain.structure(ChainNames.endpoint(direction, interfaceName), rules);
  }

  /**
   * From an interface to the endpoint's chain in few steps whatever their number: a prefix tree
   * over the letters of the names.
   */
  static List<Chain> dispatch(Collection<String> interfaceNames) {
    SortedSet<String> names = new TreeSet<>(interfaceNames);
    List<Chain> chains = new ArrayList<>();
    dispatch(ChainNames.FROM_WORKLOAD, "-i", ChainNames.INTERFACE_PREFIX, names, chains);
    dispatch(ChainNames.TO_WORKLOAD, "-o", ChainNames.INTERFACE_PREFIX, names, chains);
    return chains;
  }

  private static void dispatch(
      String root, String option, String prefix, SortedSet<String> names, List<Chain> into) {
    boolean isRoot = prefix.equals(ChainNames.INTERFACE_PREFIX);
    List<String> rules = new ArrayList<>();
    if (isRoot) {
      rules.addAll(passForeign(option));
    }
    if (names.size() <= DISPATCH_WIDTH) {
      names.forEach(name -> rules.add(toEndpoint(option, name)));
    } else {
      SortedMap<String, SortedSet<String>> byNextLetter = new TreeMap<>();
      for (String name : names) {
        String longer = name.substring(0, Math.min(name.length(), prefix.length() + 1));
        byNextLetter.computeIfAbsent(longer, _ -> new TreeSet<>()).add(name);
      }
      byNextLetter.forEach(
          (longer, group) -> {
            if (group.size() == 1) {
              rules.add(toEndpoint(option, group.first()));
            } else {
              rules.add(option + " " + longer + "+ -g " + branch(root, longer));
              dispatch(root, option, longer, group, into);
            }
          });
    }
    rules.add(DROP);
    into.add(Chain.structure(isRoot ? root : branch(root, prefix), rules));
  }

  private static String branch(String root, String prefix) {
    return root + "-" + prefix.substring(ChainNames.INTERFACE_PREFIX.length());
  }

  private static String toEndpoint(String option, String interfaceName) {
    String chain =
        option.equals("-i")
            ? ChainNames.sourceCheck(interfaceName)
            : ChainNames.endpoint(Direction.Ingress, interfaceName);
    return option + " " + interfaceName + " -g " + chain;
  }

  private static List<String> passForeign(String option) {
    return ChainNames.FOREIGN_INTERFACES.stream()
        .sorted()
        .map(foreign -> option + " " + foreign + "+ -j RETURN")
        .toList();
  }
}

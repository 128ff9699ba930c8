package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Kind;
import io.wayleave.model.Node;
import io.wayleave.model.Protocol;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Explanation;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.Picture;
import io.wayleave.model.policy.Question;
import io.wayleave.model.status.CounterReport;
import io.wayleave.model.status.PacketReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code netctl policy}: what policies do, and why. */
@Command(name = "policy", description = "What policies do to a packet, and why.")
final class PolicyCommand {
  private static final Map<String, String> FLAGS =
      Map.of(
          "protocol", "--proto",
          "port", "--port",
          "sourcePort", "--source-port",
          "icmp", "--icmp-type",
          "type", "--icmp-type",
          "code", "--icmp-code",
          "from", "--from",
          "to", "--to");

  private static final Duration LOOK_AGAIN = Duration.ofMillis(300);

  private final Context context;

  PolicyCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(
      name = "explain",
      description = {
        "Walk the policies at both ends of a flow and say which rule decides it, and what staged",
        "policies would change. X and Y are addresses, endpoints (by name or by the beginning of",
        "their container's id), host endpoints or nodes."
      })
  int explain(
      @Option(names = "--from", required = true, paramLabel = "X", description = "the sender")
          String from,
      @Option(names = "--to", required = true, paramLabel = "Y", description = "the receiver")
          String to,
      @Option(
              names = {"--proto", "--protocol"},
              paramLabel = "PROTOCOL",
              description = "TCP (when absent), UDP, ICMP, ICMPv6, SCTP, UDPLite or a number")
          Optional<Protocol> protocol,
      @Option(names = "--port", paramLabel = "PORT", description = "where it goes to; 80 if absent")
          Optional<Integer> port,
      @Option(
              names = "--source-port",
              paramLabel = "PORT",
              description = "where it comes from; 49152 when absent")
          Optional<Integer> sourcePort,
      @Option(
              names = "--icmp-type",
              paramLabel = "TYPE",
              description = "of ICMP or ICMPv6; an echo request when absent")
          Optional<Integer> icmpType,
      @Option(names = "--icmp-code", paramLabel = "CODE", description = "of ICMP; 0 when absent")
          Optional<Integer> icmpCode,
      @Option(
              names = "--ip-version",
              paramLabel = "4|6",
              description = "between names; 4 when both ends have it")
          Optional<Integer> ipVersion) {
    Optional<Family> wanted = ipVersion.map(PolicyCommand::family);
    Protocol asked = protocol.orElse(Protocol.TCP);
    List<Resource> resources = new ArrayList<>();
    Picture.KINDS.forEach(kind -> resources.addAll(context.resources().list(kind.type())));
    Map<String, HostSettings> hosts = context.policyRollout().hosts();
    Party sender = Party.find("--from", from, resources);
    Party receiver = Party.find("--to", to, resources);
    Family family = commonFamily(sender, receiver, wanted, asked);
    Explanation explanation =
        Flags.read(
            FLAGS,
            () ->
                Explanation.explain(
                    Picture.of(resources).withHosts(hosts),
                    question(
                        sender.end(family),
                        receiver.end(family),
                        asked,
                        port,
                        sourcePort,
                        icmpType,
                        icmpCode)));
    context
        .output()
        .tree(ExplanationText.tree(explanation), () -> ExplanationText.text(explanation));
    return 0;
  }

  @Command(
      name = "status",
      description = {
        "Show what policies govern how many endpoints, on which nodes they are in force, and where",
        "and why they fail. Nodes whose agent is away keep what they had and are not counted."
      })
  int status() {
    Map<String, PolicyRollout.NodeState> nodes = context.policyRollout().nodes();
    List<String> policies =
        Stream.of(Kind.GLOBAL_NETWORK_POLICY, Kind.NETWORK_POLICY, Kind.PROFILE)
            .flatMap(kind -> context.resources().list(kind.type()).stream())
            .map(resource -> resource.kind().title() + " " + resource.id())
            .toList();
    context
        .output()
        .tree(PolicyStatusText.tree(policies, nodes), () -> PolicyStatusText.text(policies, nodes));
    return 0;
  }

  @Command(
      name = "counters",
      description = {
        "Show how many packets and bytes each rule of the policies took on this host, and what was",
        "decided without a rule; of one policy when it is named. A rule is counted since it was",
        "written to the kernel, and of a flow only the packets until it is established."
      })
  int counters(
      @Parameters(
              arity = "0..1",
              paramLabel = "POLICY",
              description =
                  "NAMESPACE/NAME of a NetworkPolicy, or NAME of a GlobalNetworkPolicy, of a"
                      + " Profile, or of a NetworkPolicy in the namespace default")
          Optional<String> policy) {
    AdminClient agent = context.agent();
    CounterReport report = agent.read(agent.get("/v1/policy/counters"), CounterReport.class);
    CounterReport shown =
        policy.map(typed -> PolicyCounters.only(typed, report, context.resources())).orElse(report);
    context
        .output()
        .tree(ResourceCodec.jsonMapper().valueToTree(shown), () -> PolicyCounters.text(shown));
    return 0;
  }

  @Command(
      name = "watch",
      description = {
        "Show packets that rules with action Log match on this host, and, when the agent's file"
            + " says",
        "logDeniedPackets: true, those that policy denies, until interrupted. The kernel lets a"
            + " few",
        "of each rule through a second. netctl policy explain says which rule denies."
      })
  int watch(
      @Option(
              names = "--count",
              paramLabel = "NUMBER",
              description = "end after so many packets; never when absent")
          Optional<Integer> count) {
    count
        .filter(number -> number < 1)
        .ifPresent(
            number -> {
              throw Flags.refusal("--count", number.toString(), "1 or more");
            });
    AdminClient agent = context.agent();
    PacketText text = new PacketText(context.resources());
    // What was logged before is of no interest.
    PacketReport report = packets(agent, Long.MAX_VALUE);
    long last = report.last();
    long lost = report.lost();
    int left = count.orElse(Integer.MAX_VALUE);
    while (left > 0 && Pause.of(LOOK_AGAIN)) {
      report = packets(agent, last);
      report
          .error()
          .ifPresent(
              why -> {
                throw new CommandFailedException(why);
              });
      for (PacketReport.Packet packet : report.packets()) {
        if (left-- > 0) {
          context
              .output()
              .tree(ResourceCodec.jsonMapper().valueToTree(packet), () -> text.line(packet));
        }
      }
      if (report.lost() > lost) {
        context
            .output()
            .remark("(" + (report.lost() - lost) + " packets more, too fast to show)\n");
      }
      context.output().flush();
      lost = report.lost();
      last = report.last();
    }
    return 0;
  }

  private static PacketReport packets(AdminClient agent, long after) {
    // A number that no packet has yet asks for none.
    String number = Long.toString(Math.min(after, 999_999_999_999_999_999L));
    return agent.read(agent.get("/v1/policy/packets?after=" + number), PacketReport.class);
  }

  private static Question question(
      Question.End from,
      Question.End to,
      Protocol protocol,
      Optional<Integer> port,
      Optional<Integer> sourcePort,
      Optional<Integer> icmpType,
      Optional<Integer> icmpCode) {
    boolean ports = protocol.hasPorts();
    if (icmpType.isEmpty() && icmpCode.isPresent()) {
      throw new InvalidInputException(
          "code", icmpCode.get().toString(), "a code only with --icmp-type");
    }
    return new Question(
        from,
        to,
        protocol,
        sourcePort.orElse(ports ? Question.USUAL_SOURCE_PORT : 0),
        port.orElse(ports ? 80 : 0),
        icmpType.map(type -> new Question.IcmpMessage(type, icmpCode.orElse(0))));
  }

  private static Family family(int version) {
    return switch (version) {
      case 4 -> Family.IPV4;
      case 6 -> Family.IPV6;
      default -> throw Flags.refusal("--ip-version", Integer.toString(version), "4 or 6");
    };
  }

  private static Family commonFamily(
      Party from, Party to, Optional<Family> wanted, Protocol protocol) {
    Optional<Family> ofProtocol =
        protocol.equals(Protocol.ICMPV6) ? Optional.of(Family.IPV6) : Optional.empty();
    return Stream.concat(wanted.or(() -> ofProtocol).stream(), Stream.of(Family.values()))
        .filter(family -> wanted.map(family::equals).orElse(true))
        .filter(family -> from.has(family) && to.has(family))
        .findFirst()
        .orElseThrow(
            () ->
                new CommandFailedException(
                    "--from "
                        + from.typed()
                        + " has "
                        + from.addresses()
                        + " and --to "
                        + to.typed()
                        + " has "
                        + to.addresses()
                        + "; give two that have addresses of "
                        + wanted.map(Family::toString).orElse("the same family")));
  }

  /**
   * One end as it was typed.
   *
   * @param endpoint id of the endpoint that was named
   */
  private record Party(String typed, List<IpAddress> addresses, Optional<String> endpoint) {
    boolean has(Family family) {
      return addresses.stream().anyMatch(address -> address.family() == family);
    }

    Question.End end(Family family) {
      return new Question.End(
          addresses.stream().filter(a -> a.family() == family).findFirst().orElseThrow(), endpoint);
    }

    static Party find(String flag, String typed, List<Resource> resources) {
      if (!typed.isEmpty()
          && typed.chars().allMatch(c -> ":.%abcdefABCDEF0123456789".indexOf(c) >= 0)
          && (typed.contains(".") || typed.contains(":"))) {
        Optional<IpAddress> address = address(typed);
        if (address.isPresent()) {
          return new Party(typed, List.of(address.get()), Optional.empty());
        }
      }
      List<Party> found =
          resources.stream()
              .flatMap(resource -> called(typed, resource, resources, true).stream())
              .toList();
      if (found.isEmpty()) {
        found =
            resources.stream()
                .flatMap(resource -> called(typed, resource, resources, false).stream())
                .toList();
      }
      if (found.isEmpty()) {
        throw Flags.refusal(
            flag,
            typed,
            "an address, or the name of an endpoint, a host endpoint or a node that exists;"
                + " netctl endpoint list shows the endpoints");
      }
      if (found.size() > 1) {
        throw new CommandFailedException(
            flag
                + " "
                + typed
                + " is several endpoints: "
                + Names.some(
                    found.stream()
                        .map(party -> party.endpoint().orElse(typed))
                        .sorted(Comparator.naturalOrder())
                        .toList(),
                    5)
                + "; name one of them");
      }
      return found.getFirst();
    }

    private static Optional<IpAddress> address(String typed) {
      try {
        return Optional.of(IpAddress.parse(typed));
      } catch (InvalidInputException e) {
        return Optional.empty();
      }
    }

    /** The party, if the resource is called so: by its name, or by the beginning of its id. */
    private static Optional<Party> called(
        String typed, Resource resource, List<Resource> all, boolean byName) {
      boolean named = resource.name().equals(typed);
      return switch (resource) {
        case WorkloadEndpoint endpoint
            when byName ? named : endpoint.spec().containerID().startsWith(typed) ->
            Optional.of(
                new Party(
                    typed,
                    endpoint.spec().ipNetworks().stream().map(net -> net.address()).toList(),
                    Optional.of(endpoint.id())));
        case HostEndpoint endpoint when byName && named ->
            Optional.of(new Party(typed, addresses(endpoint, all), Optional.of(endpoint.id())));
        // A host endpoint of the same name says more.
        case Node node
            when byName
                && named
                && all.stream()
                    .noneMatch(
                        other -> other instanceof HostEndpoint && other.name().equals(typed)) ->
            Optional.of(new Party(typed, addresses(node), Optional.empty()));
        default -> Optional.empty();
      };
    }

    /** One that names an interface only is reached by its node's addresses. */
    private static List<IpAddress> addresses(HostEndpoint endpoint, List<Resource> all) {
      return endpoint.spec().expectedIPs().isEmpty()
          ? all.stream()
              .filter(Node.class::isInstance)
              .map(Node.class::cast)
              .filter(node -> node.name().equals(endpoint.spec().node()))
              .flatMap(node -> addresses(node).stream())
              .toList()
          : endpoint.spec().expectedIPs();
    }

    private static List<IpAddress> addresses(Node node) {
      return node.spec().bgp().stream()
          .flatMap(bgp -> Stream.of(bgp.ipv4(), bgp.ipv6()))
          .flatMap(Optional::stream)
          .toList();
    }
  }
}

package io.wayleave.policy.dataplane;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What iptables does with a packet in chains, as far as the frame's matches go: interfaces, source
 * addresses, protocols, ports, marks, the state of the connection, and the sets of endpoints.
 */
final class TableWalk {
  /**
   * A packet.
   *
   * @param state NEW, ESTABLISHED, INVALID, UNTRACKED
   * @param known the sides, {@code src} and {@code dst}, that the set of endpoints knows
   * @param port destination port
   * @param icmpType of ICMPv6 with the hop limit 255, or -1
   * @param forbidden whether its connection is marked so
   */
  record Packet(
      String in,
      String out,
      String source,
      String protocol,
      int port,
      int icmpType,
      String state,
      Set<String> known,
      boolean forbidden) {
    static Packet in(String interfaceName) {
      return through(interfaceName, "");
    }

    static Packet out(String interfaceName) {
      return through("", interfaceName);
    }

    static Packet through(String in, String out) {
      return new Packet(in, out, "", "tcp", 80, -1, "NEW", Set.of(), false);
    }

    Packet from(String address) {
      return new Packet(in, out, address, protocol, port, icmpType, state, known, forbidden);
    }

    Packet to(String protocol, int port) {
      return new Packet(in, out, source, protocol, port, icmpType, state, known, forbidden);
    }

    Packet icmp6(int type) {
      return new Packet(in, out, source, "ipv6-icmp", 0, type, state, known, forbidden);
    }

    Packet inState(String state) {
      return new Packet(in, out, source, protocol, port, icmpType, state, known, forbidden);
    }

    Packet ofForbiddenFlow() {
      return new Packet(in, out, source, protocol, port, icmpType, "ESTABLISHED", known, true);
    }

    Packet knowing(String... sides) {
      return new Packet(in, out, source, protocol, port, icmpType, state, Set.of(sides), forbidden);
    }
  }

  /**
   * How it ends.
   *
   * @param verdict ACCEPT, DROP, RETURN when it falls out of the first chain, or the name of a
   *     chain that is not there
   * @param rules number of rules that were looked at
   */
  record End(String verdict, int mark, int rules) {}

  private final Map<String, List<String>> chains;
  private final Packet packet;
  private int mark;
  private int rules;

  private TableWalk(Map<String, List<String>> chains, Packet packet, int mark) {
    this.chains = chains;
    this.packet = packet;
    this.mark = mark;
  }

  static End walk(Map<String, List<String>> chains, String chain, Packet packet, int mark) {
    TableWalk walk = new TableWalk(chains, packet, mark);
    return new End(walk.run(chain), walk.mark, walk.rules);
  }

  private record Place(String chain, int next) {}

  private String run(String first) {
    Deque<Place> returns = new ArrayDeque<>();
    Place place = new Place(first, 0);
    while (true) {
      List<String> chain = chains.get(place.chain());
      if (place.next() == chain.size()) {
        if (returns.isEmpty()) {
          return "RETURN";
        }
        place = returns.pop();
        continue;
      }
      String rule = chain.get(place.next());
      rules++;
      Place next = new Place(place.chain(), place.next() + 1);
      Deque<String> words = new ArrayDeque<>(List.of(rule.split(" ", -1)));
      if (!matches(words)) {
        place = next;
        continue;
      }
      boolean jump = words.pop().equals("-j");
      String target = words.pop();
      switch (target) {
        case "DROP", "ACCEPT" -> {
          return target;
        }
        case "RETURN" -> {
          if (returns.isEmpty()) {
            return target;
          }
          place = returns.pop();
        }
        case "MARK" -> {
          words.pop();
          int[] set = valueAndMask(words.pop());
          mark = (mark & ~set[1]) ^ set[0];
          place = next;
        }
        default -> {
          if (!chains.containsKey(target)) {
            return target;
          }
          if (jump) {
            returns.push(next);
          }
          place = new Place(target, 0);
        }
      }
    }
  }

  /** Takes the matches from the words up to the target. */
  private boolean matches(Deque<String> words) {
    boolean all = true;
    String module = "";
    while (!Set.of("-j", "-g").contains(words.peek())) {
      boolean not = words.peek().equals("!");
      if (not) {
        words.pop();
      }
      String option = words.pop();
      String value = words.pop();
      if (option.equals("-m")) {
        module = value;
        continue;
      }
      boolean ofConnection = module.equals("connmark");
      all &=
          not
              ^ switch (option) {
                case "-i" -> named(value, packet.in());
                case "-o" -> named(value, packet.out());
                case "-s" ->
                    value.equals(packet.source() + "/32") || value.equals(packet.source() + "/128");
                case "-p" -> value.equals(packet.protocol());
                case "--dports" ->
                    List.of(value.split(",")).contains(Integer.toString(packet.port()));
                case "--ctstate" -> List.of(value.split(",")).contains(packet.state());
                case "--icmpv6-type" -> value.equals(Integer.toString(packet.icmpType()));
                case "--match-set" ->
                    value.endsWith("-endpoints")
                        && packet.known().contains(words.pop().replaceFirst(",.*", ""));
                case "--hl-eq" -> value.equals("255");
                case "--mark" ->
                    ofConnection
                        ? packet.forbidden()
                        : (mark & valueAndMask(value)[1]) == valueAndMask(value)[0];
                default -> throw new AssertionError("no such match here: " + option);
              };
    }
    return all;
  }

  private static boolean named(String pattern, String name) {
    return pattern.endsWith("+")
        ? name.startsWith(pattern.substring(0, pattern.length() - 1))
        : name.equals(pattern);
  }

  private static int[] valueAndMask(String text) {
    String[] parts = text.split("/", -1);
    return new int[] {Integer.decode(parts[0]), Integer.decode(parts[1])};
  }
}

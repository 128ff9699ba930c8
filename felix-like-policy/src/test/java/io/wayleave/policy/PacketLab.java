package io.wayleave.policy;

import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.CommandRunner;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.policy.dataplane.ProcessRunner;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A host, its containers and a neighbour outside, in network namespaces of this machine, wired as
 * the CNI plugin wires them:
 *
 * <pre>
 *   container N ── eth0 ═ wl… ── host ── out0 ═ eth0 ── outside
 *   10.77.0.N, fd77::N          192.0.2.1, 2001:db8::1   192.0.2.2, 2001:db8::2
 * </pre>
 *
 * No server runs anywhere: a closed port that answers (RST, ICMP unreachable) shows that packets
 * pass both ways, silence shows that they do not.
 */
final class PacketLab implements AutoCloseable {
  static final String OUTSIDE_V4 = "192.0.2.2";
  static final String OUTSIDE_V6 = "2001:db8::2";
  static final String HOST_V4 = "192.0.2.1";
  static final String HOST_V6 = "2001:db8::1";

  private static final Pattern LINK_LOCAL = Pattern.compile("fe80:[0-9a-f:]+");
  private static final AtomicInteger COUNTER = new AtomicInteger();
  private static final CommandRunner HERE = new ProcessRunner(List.of(), Duration.ofSeconds(20));

  /** How long silence must last to be taken for a drop. */
  private static final String SILENCE_SECONDS = "0.5";

  /** How long an answer may take on a busy machine. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final String id;
  private final List<String> namespaces = new ArrayList<>();

  PacketLab() {
    this.id = "wltp" + ProcessHandle.current().pid() + "n" + COUNTER.incrementAndGet();
    try {
      namespace(host());
      namespace(outside());
      here(
          "ip", "link", "add", "out0", "netns", host(), "type", "veth", "peer", "name", "eth0",
          "netns", outside());
      batch(
          host(),
          "link set lo up",
          "link set out0 up",
          "addr add 192.0.2.1/24 dev out0",
          "addr add 2001:db8::1/64 dev out0 nodad");
      batch(
          outside(),
          "link set lo up",
          "link set eth0 up",
          "addr add 192.0.2.2/24 dev eth0",
          "addr add 2001:db8::2/64 dev eth0 nodad",
          "route add default via 192.0.2.1",
          "route add default via 2001:db8::1");
      in(host(), "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  String host() {
    return id + "h";
  }

  String outside() {
    return id + "o";
  }

  String container(int number) {
    return id + "c" + number;
  }

  static String v4(int number) {
    return "10.77.0." + number;
  }

  static String v6(int number) {
    return "fd77::" + number;
  }

  static String interfaceOf(int number) {
    return "wl%011x".formatted(0xabc00 + number);
  }

  /** What a runtime and the CNI plugin make, policy apart. */
  WorkloadEndpoint addContainer(int number, Map<String, String> labels) {
    String container = container(number);
    String veth = interfaceOf(number);
    namespace(container);
    here(
        "ip",
        "link",
        "add",
        veth,
        "netns",
        host(),
        "address",
        "ee:ee:ee:ee:ee:ee",
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        container);
    batch(
        host(),
        "link set " + veth + " addrgenmode none",
        "link set " + veth + " up",
        "addr add fe80::ecee:eeff:feee:eeee/64 dev " + veth + " nodad",
        "route add " + v4(number) + "/32 dev " + veth,
        "route add " + v6(number) + "/128 dev " + veth);
    batch(
        container,
        "link set lo up",
        "link set eth0 up",
        "addr add " + v4(number) + "/32 dev eth0",
        "addr add " + v6(number) + "/128 dev eth0 nodad",
        "neigh replace 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent",
        "route add 169.254.1.1 dev eth0 scope link",
        "route add default via 169.254.1.1 dev eth0 src " + v4(number),
        "neigh replace fe80::ecee:eeff:feee:eeee lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent",
        "route add default via fe80::ecee:eeff:feee:eeee dev eth0 src " + v6(number));
    return endpoint(number, labels);
  }

  /** The same container with other labels. */
  WorkloadEndpoint endpoint(int number, Map<String, String> labels) {
    return Fixtures.endpoint(
        "n1", "c" + number, interfaceOf(number), labels, v4(number), v6(number));
  }

  PolicyConfig config() {
    return PolicyConfig.of("n1")
        .withNamespace(Path.of("/run/netns", host()))
        .withResyncInterval(Duration.ofMinutes(10));
  }

  boolean tcp(String from, String to, int port) {
    return answers(from, tcpProbe(to, port));
  }

  boolean udp(String from, String to, int port) {
    return answers(from, udpProbe(to, port));
  }

  boolean ping(String from, String to) {
    return answers(from, pingProbe(to));
  }

  boolean pingFrom(String from, String source, String to) {
    return answers(from, "busybox ping -c 1 -W 1 -I " + source + " " + to + " >/dev/null");
  }

  /** From any source port of the range; sets it for the whole namespace. */
  boolean tcpFromPorts(String from, int first, int last, String to, int port) {
    in(from, "sysctl", "-q", "-w", "net.ipv4.ip_local_port_range=" + first + " " + last);
    return tcp(from, to, port);
  }

  /** The container's link-local address once it may be used, else empty. */
  String linkLocal(String container) {
    Matcher matcher =
        LINK_LOCAL.matcher(
            in(container, "ip", "-6", "-o", "addr", "show", "dev", "eth0", "-tentative"));
    return matcher.find() ? matcher.group() : "";
  }

  /** Waits for an answer that may be slow in coming, so that a busy machine is no failure. */
  boolean answersSoon(BooleanSupplier probe) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!probe.getAsBoolean()) {
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      LockSupport.parkNanos(10_000_000);
    }
    return true;
  }

  /** Exit code 0 when something came back in time. */
  private static String tcpProbe(String to, int port) {
    // A refused connection is an answer; 124 is timeout's exit code for silence.
    return "timeout "
        + SILENCE_SECONDS
        + " bash -c 'exec 3<>/dev/tcp/"
        + to
        + "/"
        + port
        + "' 2>/dev/null; test $? -ne 124";
  }

  private static String udpProbe(String to, int port) {
    // read fails at once with the ICMP error, and with more than 128 after silence.
    return "exec 3<>/dev/udp/"
        + to
        + "/"
        + port
        + "; echo x >&3; read -t "
        + SILENCE_SECONDS
        + " -u 3 answer; test $? -le 128";
  }

  private static String pingProbe(String to) {
    return "busybox ping -c 1 -W 1 " + to + " >/dev/null";
  }

  private boolean answers(String from, String script) {
    return exec(from, "bash", "-c", script).exitCode() == 0;
  }

  CommandRunner.Result exec(String namespace, String... command) {
    List<String> full = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace));
    full.addAll(List.of(command));
    return HERE.run(full, "");
  }

  /** The host's IPv4 filter table as the back end prints it. */
  String filter(IptablesBackend backend, String... options) {
    List<String> command = new ArrayList<>(List.of(program(backend) + "-save", "-t", "filter"));
    command.addAll(List.of(options));
    return in(host(), command.toArray(String[]::new));
  }

  static String program(IptablesBackend backend) {
    return switch (backend) {
      case NFT -> "iptables-nft";
      case LEGACY -> "iptables-legacy";
    };
  }

  /** Runs a command in a namespace and expects it to succeed. */
  String in(String namespace, String... command) {
    return expect(exec(namespace, command), String.join(" ", command));
  }

  private void namespace(String name) {
    here("ip", "netns", "add", name);
    namespaces.add(name);
  }

  private void batch(String namespace, String... lines) {
    expect(
        HERE.run(List.of("ip", "-n", namespace, "-batch", "-"), String.join("\n", lines) + "\n"),
        String.join("; ", lines));
  }

  private static String here(String... command) {
    return expect(HERE.run(List.of(command), ""), String.join(" ", command));
  }

  private static String expect(CommandRunner.Result result, String what) {
    if (result.exitCode() != 0) {
      throw new AssertionError(what + ": " + result.stderr());
    }
    return result.stdout();
  }

  /** The veth pairs go with their namespaces. */
  @Override
  public void close() {
    for (String namespace : namespaces.reversed()) {
      HERE.run(List.of("ip", "netns", "del", namespace), "");
    }
    namespaces.clear();
  }
}

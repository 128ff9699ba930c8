package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong command lines: one line that says what is wrong and what would be right, exit code 2. */
class UsageTest {
  private static final String GLOBAL_OPTIONS =
      "--admin-socket, --datastore, --datastore-ca, --datastore-cert, --datastore-key,"
          + " --datastore-password-file, --datastore-user, --debug, --help, --output, --timeout";

  private final NetctlRun netctl = new NetctlRun();

  /** Arguments separated by blanks, and the line on standard error. */
  record Wrong(String arguments, String line) {
    @Override
    public String toString() {
      return arguments;
    }
  }

  static List<Wrong> wrong() {
    String commands =
        "pool, ipam, peer, node, bgp, endpoint, policy, get, apply, create, replace, delete,"
            + " datastore, version, completion";
    String create = "peer create tor1 --address 10.0.0.1 --as 65001 ";
    return List.of(
        new Wrong("", "netctl needs a command; there are " + commands),
        new Wrong("pols", "netctl has no command \"pols\"; there are " + commands),
        new Wrong(
            "pool",
            "netctl pool needs a command; there are create, delete, disable, drain, enable, list,"
                + " show"),
        new Wrong(
            "peer show tor1",
            "netctl peer has no command \"show\"; there are create, delete, list"),
        new Wrong(
            "pool list --colour",
            "netctl pool list has no option \"--colour\"; there are " + GLOBAL_OPTIONS),
        new Wrong("pool list web", "netctl pool list does not take \"web\"; it takes options only"),
        new Wrong(
            "peer delete a b", "netctl peer delete does not take \"b\"; it takes NAME and options"),
        new Wrong(
            "pool create web",
            "netctl pool create needs --cidr CIDR (the range, such as 10.244.0.0/16 or"
                + " fd00:10:244::/48)"),
        new Wrong(
            "peer create tor1 --address 10.0.0.1",
            "netctl peer create needs --as N (the peer's AS number, 1 to 4294967295)"),
        new Wrong(
            "peer create --address 10.0.0.1 --as 1",
            "netctl peer create needs NAME (name of the new peer)"),
        new Wrong(
            "peer create tor1 --address 10.0.0.1 --as 0",
            "--as: \"0\" is not allowed; allowed: an AS number of 1 to 4294967295"),
        new Wrong(
            "peer create tor1 --address 10.0.0.1 --as ten",
            "--as: \"ten\" is not allowed; allowed: an AS number of 1 to 4294967295, or in dotted"
                + " form such as 1.10"),
        new Wrong(
            "peer create tor1 --address 10.0.0.1:0 --as 1",
            "--address: \"10.0.0.1:0\" is not allowed; allowed: a port of 1 to 65535 after the"
                + " colon"),
        new Wrong(
            create + "--keepalive 0",
            "--keepalive: \"0\" is not allowed; allowed: 1 to 21845 seconds"),
        new Wrong(
            create + "--keepalive soon",
            "--keepalive: \"soon\" is not allowed; allowed: a whole number"),
        new Wrong(
            create + "--restart-time 4096",
            "--restart-time: \"4096\" is not allowed; allowed: 1 to 4095 seconds"),
        new Wrong(
            create + "--node r1h1 --node-selector all()",
            "--node and --node-selector are both given; give one or none"),
        new Wrong(create + "--as 65002", "--as is given twice; give it once"),
        new Wrong(
            "pool create web --cidr 10.0.0.1/8",
            "--cidr: \"10.0.0.1/8\" is not allowed; allowed: a network without host bits, here"
                + " 10.0.0.0/8"),
        new Wrong(
            "pool create web --cidr 10.0.0.0/8 --block-size 33",
            "--block-size: \"33\" is not allowed; allowed: 20 to 32 in an IPV4 pool"),
        new Wrong(
            "pool create web/1 --cidr 10.0.0.0/8",
            "NAME: \"web/1\" is not allowed; allowed: 1 to 253 letters, digits, '-', '_' and '.',"
                + " beginning and ending with a letter or digit"),
        new Wrong(
            "pool create web --cidr 10.0.0.0/8 --assignment-mode often",
            "--assignment-mode: \"often\" is not allowed; allowed: Automatic or Manual"),
        new Wrong(
            "pool create web --cidr 10.0.0.0/8 --allowed-uses Workload,Fun",
            "--allowed-uses: \"Fun\" is not allowed; allowed: Workload or Tunnel"),
        new Wrong("pool show --holders", "--holders needs NAME (name of the pool)"),
        new Wrong(
            "ipam",
            "netctl ipam needs a command; there are check, configure, release, show, split"),
        new Wrong(
            "ipam show --ip ten",
            "--ip: \"ten\" is not allowed; allowed: an IPv4 or IPv6 address such as 10.1.2.3 or"
                + " fd00::1"),
        new Wrong(
            "ipam show --ip 10.0.0.1 --borrowed",
            "--ip is given with --blocks or --borrowed; give one of them"),
        new Wrong(
            "ipam release", "netctl ipam release needs --ip ADDRESS (the address to release)"),
        new Wrong(
            "ipam configure --strict-affinity=maybe",
            "--strict-affinity: \"maybe\" is not allowed; allowed: true or false"),
        new Wrong(
            "ipam configure --max-blocks-per-host -1",
            "--max-blocks-per-host: \"-1\" is not allowed; allowed: 0, which means 20, or more"),
        new Wrong(
            "ipam configure --reuse-delay soon",
            "--reuse-delay: \"soon\" is not allowed; allowed: 0 to 1h in whole seconds, such as"
                + " 90s, 5m or 1h"),
        new Wrong(
            "ipam configure --reuse-delay 2h",
            "--reuse-delay: \"7200\" is not allowed; allowed: 0 to 3600"),
        new Wrong("ipam split web many", "N: \"many\" is not allowed; allowed: a whole number"),
        new Wrong(
            "ipam split web", "netctl ipam split needs N (how many: a power of 2, from 2 to 64)"),
        new Wrong(
            "pool list -o xml", "--output: \"xml\" is not allowed; allowed: table, json or yaml"),
        new Wrong(
            "pool list --timeout 1h",
            "--timeout: \"1h\" is not allowed; allowed: 10ms to 10m, such as 500ms, 5s or 1m"),
        new Wrong("pool list --timeout", "--timeout needs a value, TIME"),
        new Wrong("get pods", "kind: \"pods\" is not allowed; allowed: " + Kind.titles()),
        new Wrong("get", "netctl get needs KIND (such as ippools or BGPPeer)"),
        new Wrong(
            "apply",
            "netctl apply needs --filename FILE (a manifest, - for standard input;"
                + " may be given several times)"),
        new Wrong("delete", "netctl delete needs KIND and NAME, or -f FILE"),
        new Wrong("delete ippool", "netctl delete needs KIND and NAME, or -f FILE"),
        new Wrong(
            "delete ippool web -f web.yaml",
            "KIND and -f are both given; give KIND and NAME, or -f FILE"),
        new Wrong(
            "node label r1h1 rack",
            "label \"rack\" is not allowed; allowed: KEY=VALUE to set, KEY- to remove"),
        new Wrong(
            "node label r1h1 ra:ck=1",
            "labels: \"ra:ck\" is not allowed; allowed: label keys of letters, digits, '-', '_'"
                + " and '.', with an optional DNS name and '/' before"));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void saysWhatIsWrongInOneLine(Wrong wrong) {
    NetctlRun.Result result =
        netctl.run(wrong.arguments.isEmpty() ? new String[0] : wrong.arguments.split(" "));
    assertThat(result.err()).isEqualTo("netctl: " + wrong.line + "\n");
    assertThat(result.out()).isEmpty();
    assertThat(result.code()).isEqualTo(2);
    assertThat(netctl.opened()).as("a datastore opened for nothing").isEmpty();
  }

  @Test
  void helpIsAResult() {
    NetctlRun.Result result = netctl.run("peer", "create", "--help");
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .startsWith("Usage: netctl peer create --address=ADDRESS[:PORT] --as=N ")
        .endsWith("\nOptions of every command: netctl --help\n")
        .doesNotContain("--datastore");
    assertThat(netctl.run("--help").out()).contains("--datastore=URL").contains("  pool ");
    assertThat(netctl.opened()).isEmpty();
  }

  @Test
  void everyCommandHasHelp() {
    for (String command :
        List.of(
            "",
            "pool",
            "pool create",
            "pool list",
            "pool show",
            "pool delete",
            "pool disable",
            "pool enable",
            "pool drain",
            "ipam",
            "ipam check",
            "ipam show",
            "ipam release",
            "ipam configure",
            "ipam split",
            "peer",
            "peer create",
            "peer list",
            "peer delete",
            "node",
            "node list",
            "node status",
            "node label",
            "endpoint",
            "endpoint list",
            "endpoint show",
            "get",
            "apply",
            "create",
            "replace",
            "delete",
            "version",
            "completion")) {
      NetctlRun.Result result = netctl.run((command + " -h").strip().split(" "));
      assertThat(result.code()).as(command).isZero();
      assertThat(result.out().lines().findFirst().orElseThrow() + " ")
          .startsWith(("Usage: netctl " + command).strip() + " ");
    }
  }
}

package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.TestNamespace;
import io.wayleave.linux.Tool;
import io.wayleave.linux.netlink.IpsetFailure.Reason;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each word is compared with what the ipset program says of the same sets. */
@Tag("real")
class IpsetsTest {
  private static final IpsetFormat NET4 = new IpsetFormat(IpsetType.NET, Family.IPV4, 1 << 20);
  private static final IpsetFormat NET6 = new IpsetFormat(IpsetType.NET, Family.IPV6, 1 << 20);
  private static final IpsetFormat PORT4 = new IpsetFormat(IpsetType.IP_PORT, Family.IPV4, 1000);
  private static final IpsetFormat IFACE4 =
      new IpsetFormat(IpsetType.NET_INTERFACE, Family.IPV4, 1000);
  private static final IpsetFormat IFACE6 =
      new IpsetFormat(IpsetType.NET_INTERFACE, Family.IPV6, 1000);
  private static final IpsetFormat PORT6 = new IpsetFormat(IpsetType.IP_PORT, Family.IPV6, 1000);

  private TestNamespace namespace;
  private Ipsets ipsets;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    ipsets = Ipsets.open(namespace.namespace());
  }

  @AfterEach
  void close() throws IOException {
    ipsets.close();
    namespace.close();
  }

  @Test
  void theProgramSeesWhatWasMade() throws IOException {
    execute(
        create("n4", NET4),
        add("n4", net("10.0.0.1"), net("10.1.0.0/16"), net("128.0.0.0/1")),
        create("n6", NET6),
        add("n6", net("fd00::1"), net("fd00:1::/64")),
        create("p4", PORT4),
        add("p4", port("10.0.0.1", Protocol.TCP, 80), port("10.0.0.1", Protocol.UDP, 53)),
        create("p6", PORT6),
        add("p6", port("fd00::1", Protocol.SCTP, 0), port("fd00::1", Protocol.UDPLITE, 65535)),
        create("i4", IFACE4),
        add("i4", at("10.0.0.1", "wl0123456789abc"), at("10.0.0.1", "wl1"), at("10.1.0.0/16", "e")),
        create("i6", IFACE6),
        add("i6", at("fd00::1", "wl1")));

    assertThat(save())
        .contains(
            "add n4 10.0.0.1",
            "add n4 10.1.0.0/16",
            "add n4 128.0.0.0/1",
            "add n6 fd00::1",
            "add n6 fd00:1::/64",
            "add p4 10.0.0.1,tcp:80",
            "add p4 10.0.0.1,udp:53",
            "add p6 fd00::1,sctp:0",
            "add p6 fd00::1,udplite:65535",
            "add i4 10.0.0.1,wl0123456789abc",
            "add i4 10.0.0.1,wl1",
            "add i4 10.1.0.0/16,e",
            "add i6 fd00::1,wl1")
        .filteredOn(line -> line.startsWith("create"))
        .satisfiesExactlyInAnyOrder(
            line -> assertThat(line).startsWith("create n4 hash:net family inet hashsize 1024"),
            line -> assertThat(line).startsWith("create n6 hash:net family inet6 hashsize 1024"),
            line -> assertThat(line).startsWith("create p4 hash:ip,port family inet hashsize 1024"),
            line -> assertThat(line).startsWith("create p6 hash:ip,port family inet6 "),
            line -> assertThat(line).startsWith("create i4 hash:net,iface family inet hashsize"),
            line -> assertThat(line).startsWith("create i6 hash:net,iface family inet6 hashsize"))
        .allMatch(line -> line.contains("maxelem 1048576") || line.contains("maxelem 1000"))
        .noneMatch(line -> line.contains("counters") || line.contains("timeout"));
    assertThat(save()).hasSize(6 + 13);
  }

  @Test
  void listsWhatTheProgramMade() throws IOException {
    Tool.feed(
        namespace,
        """
        create n4 hash:net family inet maxelem 1048576
        add n4 10.0.0.1
        add n4 10.1.0.0/16
        add n4 10.1.2.0/24 nomatch
        create n6 hash:net family inet6 maxelem 5000 counters comment
        add n6 fd00:1::/64 comment "somebody's"
        create p4 hash:ip,port family inet maxelem 1000
        add p4 10.0.0.1,tcp:80
        add p4 10.0.0.1,icmp:8/0
        create i4 hash:net,iface family inet maxelem 1000
        add i4 10.0.0.1,wl0123456789abc
        add i4 10.2.0.0/16,wl1
        create empty hash:ip,port family inet6 maxelem 1000
        create timed hash:net family inet timeout 300
        add timed 10.0.0.1
        create other bitmap:port range 0-1023
        add other 80
        create unwanted hash:net
        """,
        "ipset",
        "restore");

    assertThat(ipsets.list(name -> !name.equals("unwanted")))
        .containsExactlyInAnyOrder(
            new Ipset(
                "n4",
                Optional.of(NET4),
                Map.of(net("10.0.0.1"), true, net("10.1.0.0/16"), true, net("10.1.2.0/24"), false)),
            new Ipset(
                "n6",
                Optional.of(new IpsetFormat(IpsetType.NET, Family.IPV6, 5000)),
                Map.of(net("fd00:1::/64"), true)),
            new Ipset(
                "p4",
                Optional.of(PORT4),
                Map.of(
                    port("10.0.0.1", Protocol.TCP, 80),
                    true,
                    port("10.0.0.1", Protocol.ICMP, 8 << 8),
                    true)),
            new Ipset(
                "i4",
                Optional.of(IFACE4),
                Map.of(at("10.0.0.1", "wl0123456789abc"), true, at("10.2.0.0/16", "wl1"), true)),
            new Ipset("empty", Optional.of(PORT6), Map.of()),
            new Ipset("timed", Optional.empty(), Map.of()),
            new Ipset("other", Optional.empty(), Map.of()));
    assertThat(ipsets.sizes(name -> name.startsWith("n"))).isEqualTo(Map.of("n4", 3, "n6", 1));

    // A member of any kind can be taken out, and one that does not match be made to.
    execute(
        new IpsetChange.Remove("p4", List.of(port("10.0.0.1", Protocol.ICMP, 8 << 8))),
        new IpsetChange.Remove("n4", List.of(net("10.1.0.0/16"))),
        add("n4", net("10.1.2.0/24")));
    assertThat(save())
        .contains("add p4 10.0.0.1,tcp:80", "add n4 10.0.0.1", "add n4 10.1.2.0/24")
        .noneMatch(line -> line.contains("icmp") || line.contains("10.1.0.0/16"));
  }

  @Test
  void whatIsAsItShouldBeIsNoFailure() throws IOException {
    execute(create("a", NET4), add("a", net("10.0.0.1")));
    execute(
        create("a", NET4),
        add("a", net("10.0.0.1")),
        new IpsetChange.Remove("a", List.of(net("10.9.9.9"))),
        new IpsetChange.Destroy("missing"));
    assertThat(save()).contains("add a 10.0.0.1").hasSize(2);
  }

  @Test
  void eachFailureIsToldWithItsReasonAndStopsNothing() throws IOException {
    execute(create("used", NET4), create("a", NET4), create("b", PORT4));
    Tool.run(
        namespace,
        "iptables-nft",
        "-A",
        "INPUT",
        "-m",
        "set",
        "--match-set",
        "used",
        "src",
        "-j",
        "DROP");
    IpsetFormat small = new IpsetFormat(IpsetType.NET, Family.IPV4, 2);
    List<IpsetFailure> failures =
        ipsets.execute(
            List.of(
                new IpsetChange.Destroy("used"),
                add("missing", net("10.0.0.1")),
                new IpsetChange.Swap("a", "b"),
                create("a", small),
                new IpsetChange.Rename("used", "c"),
                create("small", small),
                add("small", net("10.0.0.1"), net("10.0.0.2"), net("10.0.0.3")),
                add("b", net("10.0.0.1")),
                add("a", net("10.0.0.1"))));
    assertThat(failures)
        .extracting(failure -> failure.change().toString(), IpsetFailure::reason)
        .containsExactly(
            tuple("destroy used", Reason.BUSY),
            tuple("add missing 10.0.0.1/32", Reason.MISSING),
            tuple("swap a b", Reason.TYPE_MISMATCH),
            tuple("create a hash:net family inet maxelem 2", Reason.EXISTS),
            tuple("rename used c", Reason.BUSY),
            tuple("add small 3 members", Reason.FULL),
            tuple("add b 10.0.0.1/32", Reason.OTHER));
    assertThat(failures.getFirst().text())
        .isEqualTo("destroy used: the set is in use by a rule or another set");
    assertThat(save()).contains("add a 10.0.0.1");
  }

  @Test
  void setsChangePlacesUnderARule() throws IOException {
    execute(create("a", new IpsetFormat(IpsetType.NET, Family.IPV4, 10)), create("b", NET4));
    execute(add("a", net("10.0.0.1")), add("b", net("10.0.0.2")));
    Tool.run(
        namespace,
        "iptables-nft",
        "-A",
        "INPUT",
        "-m",
        "set",
        "--match-set",
        "a",
        "src",
        "-j",
        "DROP");
    execute(new IpsetChange.Swap("b", "a"), new IpsetChange.Destroy("b"));
    assertThat(save()).contains("add a 10.0.0.2").hasSize(2);
    execute(create("c", NET4), new IpsetChange.Rename("c", "d"));
    assertThat(ipsets.sizes(_ -> true)).containsOnlyKeys("a", "d");
  }

  @Test
  void tenThousandMembersTakeLittle() throws IOException {
    List<IpsetMember> members = new ArrayList<>();
    IpAddress first = IpAddress.parse("10.0.0.0");
    for (int i = 0; i < 10_000; i++) {
      members.add(IpsetMember.of(first.plus(i).toCidr()));
    }
    List<Long> made = new ArrayList<>();
    List<Long> listed = new ArrayList<>();
    List<Long> one = new ArrayList<>();
    List<Long> sized = new ArrayList<>();
    for (int round = 0; round < 9; round++) {
      String set = "n" + round;
      made.add(
          micros(
              () ->
                  execute(
                      new IpsetChange.Create(set, NET4, members.size()),
                      new IpsetChange.Add(set, members))));
      listed.add(
          micros(() -> assertThat(ipsets.list(set::equals).getFirst().members()).hasSize(10_000)));
      one.add(micros(() -> execute(add(set, net("192.0.2.1")))));
      sized.add(micros(() -> assertThat(ipsets.sizes(set::equals)).containsEntry(set, 10_001)));
      execute(new IpsetChange.Destroy(set));
    }
    System.getLogger(getClass().getName())
        .log(
            System.Logger.Level.INFO,
            "10,000 members in us: make {0}, list {1}, add one {2}, sizes {3}",
            made,
            listed,
            one,
            sized);
    // Several times what was seen, so that a busy machine is no failure.
    assertThat(median(made)).isLessThan(200_000);
    assertThat(median(one)).isLessThan(5_000);
  }

  @Test
  void namesThatWouldMeanSomethingElseAreRefused() {
    assertThatThrownBy(() -> new IpsetChange.Destroy(""))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("set");
    assertThatThrownBy(() -> new IpsetChange.Destroy("x".repeat(32)))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> net("0.0.0.0/0")).isInstanceOf(InvalidInputException.class);
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private static long micros(Step step) throws IOException {
    long start = System.nanoTime();
    step.run();
    return (System.nanoTime() - start) / 1000;
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }

  private static org.assertj.core.groups.Tuple tuple(Object... values) {
    return org.assertj.core.api.Assertions.tuple(values);
  }

  private void execute(IpsetChange... changes) throws IOException {
    assertThat(ipsets.execute(List.of(changes))).isEmpty();
  }

  private List<String> save() throws IOException {
    return Tool.run(namespace, "ipset", "save").lines().toList();
  }

  private static IpsetChange create(String set, IpsetFormat format) {
    return new IpsetChange.Create(set, format, 0);
  }

  private static IpsetChange add(String set, IpsetMember... members) {
    return new IpsetChange.Add(set, List.of(members));
  }

  private static IpsetMember net(String net) {
    return IpsetMember.of(Cidr.parse(net));
  }

  private static IpsetMember at(String net, String interfaceName) {
    return new IpsetMember.NetInterface(Cidr.parse(net), interfaceName);
  }

  private static IpsetMember port(String address, Protocol protocol, int port) {
    return new IpsetMember.AddressPort(IpAddress.parse(address), protocol, port);
  }
}

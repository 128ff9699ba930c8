package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.PathSelection;
import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpDecoder;
import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Unreach;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.CodecContext.PeerType;
import io.wayleave.bgp.wire.DecodeOutcome;
import io.wayleave.bgp.wire.FrameSplitter;
import io.wayleave.bgp.wire.FrameSplitter.Frame;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class UpdateGroupsTest {
  private static final CodecContext CODEC =
      new CodecContext(
          PeerType.EXTERNAL,
          true,
          Set.of(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST),
          false,
          false,
          Set.of(),
          Set.of(),
          4096,
          4096);
  private static final Export TRANSIT = export(true);
  private static final Export OWN_ONLY = export(false);

  private final LocRib rib =
      new LocRib(new BestPath(PathSelection.DEFAULT, NextHopMetric.CONNECTED), false);
  private UpdateGroups groups = new UpdateGroups(rib, UpdateGroups.Limits.DEFAULT);

  private static Export export(boolean transit) {
    return export(transit, 1);
  }

  private static Export export(boolean transit, int addPaths) {
    return new Export(
        false,
        Asn.of(64512),
        Optional.empty(),
        RouterId.parse("7.7.7.7"),
        Export.Rules.of(PeerPolicy.DEFAULT.with(rules -> rules.transit(transit))),
        false,
        addPaths,
        Optional.of(OwnNextHop.IPV4),
        Optional.of(OwnNextHop.IPV6));
  }

  private static Cidr prefix(int n) {
    return Cidr.parse("10.0." + n + ".0/24");
  }

  /** What a peer was told of a prefix. */
  private record Told(PathAttributes attributes, NextHop nextHop) {}

  /** A peer that reads only while it is open. */
  private final class Ear implements Member.Sink {
    final String peer;
    final NextHop own;
    final Map<Cidr, Told> known = new HashMap<>();
    // By prefix and path identifier, where they are told.
    final Map<String, Told> paths = new TreeMap<>();
    CodecContext codec = CODEC;
    final List<Update> updates = new ArrayList<>();
    final Set<Family> ended = EnumSet.noneOf(Family.class);
    final List<Family> refreshed = new ArrayList<>();
    Export export = TRANSIT;
    final List<Family> begun = new ArrayList<>();
    boolean open = true;
    Member member;

    Ear(int n) {
      peer = "p" + n;
      own = NextHop.of(IpAddress.parse("192.0.2." + n));
    }

    Map<Family, NextHop> ownNextHops() {
      return Map.of(
          Family.IPV4,
          own,
          Family.IPV6,
          NextHop.of(IpAddress.ofIpv6(0x2001_0db8L << 32, own.address().low())));
    }

    Ear join() {
      known.clear();
      paths.clear();
      ended.clear();
      member = groups.join(peer, this, export, codec, EnumSet.allOf(Family.class), ownNextHops());
      return this;
    }

    @Override
    public boolean canSend() {
      return open;
    }

    @Override
    public ByteBuf buffer(int octets) {
      return Unpooled.buffer(octets, octets);
    }

    @Override
    public void send(ByteBuf messages, int count) {
      assertThat(open).isTrue();
      int read = 0;
      while (FrameSplitter.next(messages, 4096) instanceof Frame.Complete(ByteBuf frame)) {
        DecodeOutcome outcome = BgpDecoder.decode(frame, codec);
        assertThat(outcome).isInstanceOf(DecodeOutcome.Decoded.class);
        hear((Update) ((DecodeOutcome.Decoded) outcome).message());
        read++;
      }
      assertThat(messages.readableBytes()).isZero();
      assertThat(read).isEqualTo(count);
    }

    private void hear(Update update) {
      updates.add(update);
      if (codec.sendsPathIds(Family.IPV4)) {
        hearPaths(update);
        return;
      }
      for (Unreach unreach : update.unreach()) {
        for (Cidr prefix : unreach.prefixes()) {
          assertThat(known.remove(prefix)).as("withdrawn %s was known", prefix).isNotNull();
        }
      }
      for (Reach reach : update.reach()) {
        reach
            .prefixes()
            .forEach(prefix -> known.put(prefix, new Told(reach.attributes(), reach.nextHop())));
      }
    }

    private void hearPaths(Update update) {
      for (Unreach unreach : update.unreach()) {
        for (int i = 0; i < unreach.prefixes().size(); i++) {
          String path = unreach.prefixes().get(i) + " " + unreach.prefixes().pathId(i);
          assertThat(paths.remove(path)).as("withdrawn %s was known", path).isNotNull();
        }
      }
      for (Reach reach : update.reach()) {
        for (int i = 0; i < reach.prefixes().size(); i++) {
          paths.put(
              reach.prefixes().get(i) + " " + reach.prefixes().pathId(i),
              new Told(reach.attributes(), reach.nextHop()));
        }
      }
    }

    @Override
    public void sendEndOfRib(Family family) {
      assertThat(ended.add(family)).as("End-of-RIB once").isTrue();
    }

    @Override
    public boolean marksRefreshes() {
      return true;
    }

    @Override
    public void sendBeginOfRefresh(Family family) {
      begun.add(family);
    }

    @Override
    public void sendEndOfRefresh(Family family) {
      refreshed.add(family);
    }

    List<Cidr> announced() {
      return updates.stream()
          .flatMap(update -> update.reach().stream())
          .flatMap(reach -> reach.prefixes().stream())
          .toList();
    }

    List<Cidr> withdrawn() {
      return updates.stream()
          .flatMap(update -> update.unreach().stream())
          .flatMap(unreach -> unreach.prefixes().stream())
          .toList();
    }
  }

  private void turn() {
    while (rib.process(100, groups::selected)) {
      // Until nothing is marked any more.
    }
    while (groups.transmit(true)) {
      // Until nothing more can be sent.
    }
  }

  private void put(Cidr prefix, Path path) {
    rib.put(prefix, path);
  }

  private void remove(Cidr prefix, Path path) {
    rib.remove(prefix, path.source());
  }

  @Test
  void prefixesWithTheSamePathShareAMessage() {
    Ear ear = new Ear(9).join();
    turn();
    Path one = Paths.of(1);
    put(prefix(1), one);
    put(prefix(2), Paths.of(2));
    put(prefix(3), one);
    turn();
    assertThat(ear.updates).hasSize(2);
    assertThat(ear.updates.getFirst().reach().getFirst().prefixes())
        .containsExactly(prefix(1), prefix(3));
    assertThat(groups.sentTo(ear.member, Family.IPV4)).isEqualTo(3);
    assertThat(ear.ended).containsExactlyInAnyOrder(Family.IPV4, Family.IPV6);
  }

  @Test
  void theNewerStateOverwritesWhatWasNotSent() {
    Ear ear = new Ear(9).join();
    ear.open = false;
    put(prefix(1), Paths.of(1));
    put(prefix(2), Paths.of(1));
    turn();
    put(prefix(1), Paths.of(1, _ -> {}, 65000, 65001));
    remove(prefix(2), Paths.of(1));
    turn();
    ear.open = true;
    turn();
    assertThat(ear.updates).hasSize(1);
    assertThat(ear.updates.getFirst().reach().getFirst().attributes().asPath())
        .hasToString("64512 65000 65001");
    assertThat(ear.announced()).containsExactly(prefix(1));
  }

  @Test
  void whatThePeerKnowsAlreadyIsNotSent() {
    Ear ear = new Ear(9).join();
    put(prefix(1), Paths.of(1));
    turn();
    ear.open = false;
    put(prefix(1), Paths.of(1, _ -> {}, 65000, 65001));
    turn();
    put(prefix(1), Paths.of(1));
    turn();
    remove(prefix(1), Paths.of(1));
    turn();
    put(prefix(1), Paths.of(1));
    turn();
    ear.open = true;
    turn();
    assertThat(ear.updates).hasSize(1);
    // Not what is told changes, but where it comes from.
    put(prefix(1), Paths.of(2));
    remove(prefix(1), Paths.of(1));
    turn();
    assertThat(ear.updates).hasSize(1);
    remove(prefix(1), Paths.of(2));
    turn();
    assertThat(ear.withdrawn()).containsExactly(prefix(1));
    assertThat(groups.sentTo(ear.member, Family.IPV4)).isZero();
  }

  @Test
  void membersShareMessagesAndEachHasItsOwnNextHop() {
    Ear one = new Ear(8).join();
    Ear other = new Ear(9).join();
    put(prefix(1), Paths.of(1));
    put(Cidr.parse("fd00:1::/64"), Paths.local());
    turn();
    assertThat(groups.size()).isEqualTo(1);
    for (Ear ear : List.of(one, other)) {
      assertThat(ear.known.get(prefix(1)).nextHop()).isEqualTo(ear.own);
      assertThat(ear.known.get(Cidr.parse("fd00:1::/64")).nextHop())
          .isEqualTo(ear.ownNextHops().get(Family.IPV6));
    }
  }

  @Test
  void noRouteGoesBackToItsSource() {
    Ear one = new Ear(1).join();
    Ear two = new Ear(2).join();
    Ear third = new Ear(9).join();
    put(prefix(1), Paths.of(1));
    put(prefix(2), Paths.of(2));
    turn();
    assertThat(groups.size()).isEqualTo(1);
    assertThat(one.known.keySet()).containsExactly(prefix(2));
    assertThat(two.known.keySet()).containsExactly(prefix(1));
    assertThat(third.known.keySet()).containsExactlyInAnyOrder(prefix(1), prefix(2));
    assertThat(groups.sentTo(one.member, Family.IPV4)).isEqualTo(1);

    // The best path moves from one member to the other, and what others are told stays the same.
    third.updates.clear();
    put(prefix(1), Paths.of(2));
    remove(prefix(1), Paths.of(1));
    turn();
    assertThat(one.known.keySet()).containsExactlyInAnyOrder(prefix(1), prefix(2));
    assertThat(two.known).isEmpty();
    assertThat(third.updates).isEmpty();

    // The same, and others are told something new.
    put(prefix(1), Paths.of(1, builder -> builder.med(1), 65000));
    put(prefix(1), Paths.of(2, _ -> {}, 65000, 65001));
    turn();
    assertThat(one.known.keySet()).containsExactly(prefix(2));
    assertThat(two.known.keySet()).containsExactly(prefix(1));

    remove(prefix(2), Paths.of(2));
    turn();
    assertThat(one.known).isEmpty();
    assertThat(third.known.keySet()).containsExactly(prefix(1));
  }

  @Test
  void refreshSendsEverythingOnceMoreToTheOneThatAsked() {
    Ear one = new Ear(8).join();
    Ear other = new Ear(9).join();
    put(prefix(1), Paths.of(1));
    put(prefix(2), Paths.of(1));
    put(Cidr.parse("fd00:1::/64"), Paths.local());
    turn();
    one.updates.clear();
    other.updates.clear();
    one.open = false;
    groups.resend(one.member, Family.IPV4);
    turn();
    assertThat(one.begun).containsExactly(Family.IPV4);
    remove(prefix(2), Paths.of(1));
    turn();
    assertThat(one.refreshed).isEmpty();
    one.open = true;
    turn();
    assertThat(one.announced()).containsExactly(prefix(1));
    assertThat(one.withdrawn()).containsExactly(prefix(2));
    assertThat(one.refreshed).containsExactly(Family.IPV4);
    assertThat(other.announced()).isEmpty();
    assertThat(other.refreshed).isEmpty();
    assertThat(groups.size()).as("together again").isEqualTo(1);
  }

  /** The second one may be by a peer that has thrown away what it read before. */
  @Test
  void requestsInTheMidstOfARefreshAreServedOnceAfterIt() {
    groups = new UpdateGroups(rib, new UpdateGroups.Limits(100, 100, 1 << 20));
    Ear one = new Ear(8).join();
    for (int n = 0; n < 100; n++) {
      put(prefix(n), Paths.of(1 + n % 5));
    }
    turn();
    one.updates.clear();
    groups.resend(one.member, Family.IPV4);
    assertThat(groups.transmit(true)).isTrue();
    int early = one.announced().size();
    assertThat(early).isBetween(1, 99);
    for (int n = 0; n < 50; n++) {
      groups.resend(one.member, Family.IPV4);
      if (n < 2) {
        assertThat(groups.transmit(true)).isTrue();
      }
    }
    assertThat(one.begun).hasSize(1);
    turn();
    turn();
    assertThat(one.announced()).hasSize(200);
    assertThat(one.begun).containsExactly(Family.IPV4, Family.IPV4);
    assertThat(one.refreshed).isNotEmpty();
    assertThat(groups.size()).isEqualTo(1);
  }

  /** All go over to other rules, or to another address of ours: that is one table, not one each. */
  @Test
  void membersThatChangeAlikeStayTogether() {
    List<Ear> ears = new ArrayList<>();
    for (int n = 1; n <= 9; n++) {
      ears.add(new Ear(n).join());
    }
    put(prefix(1), Paths.of(20));
    put(prefix(2), Paths.local());
    turn();
    assertThat(groups.size()).isEqualTo(1);
    ears.forEach(ear -> ear.updates.clear());
    for (Ear ear : ears.subList(0, 6)) {
      groups.change(ear.member, OWN_ONLY, ear.ownNextHops());
    }
    boolean _ = groups.transmit(true);
    assertThat(groups.size()).isEqualTo(2);
    turn();
    for (Ear ear : ears) {
      boolean changed = ears.indexOf(ear) < 6;
      assertThat(ear.known).hasSize(changed ? 1 : 2);
      assertThat(ear.withdrawn()).hasSize(changed ? 1 : 0);
      assertThat(ear.announced()).isEmpty();
    }
    for (Ear ear : ears) {
      groups.change(
          ear.member,
          ears.indexOf(ear) < 6 ? OWN_ONLY : TRANSIT,
          Map.of(Family.IPV4, NextHop.of(IpAddress.parse("203.0.113.1"))));
    }
    boolean _ = groups.transmit(true);
    assertThat(groups.size()).isEqualTo(2);
    turn();
    for (Ear ear : ears) {
      assertThat(ear.known.values())
          .extracting(Told::nextHop)
          .containsOnly(NextHop.of(IpAddress.parse("203.0.113.1")));
    }
  }

  /** A report in between shows what the peer knows. */
  @Test
  void whatWasToldByANextHopThatIsGoneIsShownUntilItIsWithdrawn() {
    Ear ear = new Ear(9).join();
    put(prefix(1), Paths.local());
    turn();
    Export withoutIpv4 =
        new Export(
            false,
            Asn.of(64512),
            Optional.empty(),
            RouterId.parse("7.7.7.7"),
            Export.Rules.of(PeerPolicy.DEFAULT.with(rules -> rules.transit(true))),
            false,
            1,
            Optional.empty(),
            Optional.of(OwnNextHop.IPV6));
    ear.open = false;
    groups.change(ear.member, withoutIpv4, Map.of());
    turn();
    List<NextHop> shown = new ArrayList<>();
    groups.forEachSentTo(
        ear.member, Family.IPV4, 0, Integer.MAX_VALUE, (_, hop, _) -> shown.add(hop));
    assertThat(shown).containsExactly(ear.own);
    ear.open = true;
    turn();
    assertThat(ear.known).isEmpty();
  }

  @Test
  void aMemberThatLagsTooFarLeavesAndComesBack() {
    groups = new UpdateGroups(rib, new UpdateGroups.Limits(1 << 20, 1000, 10_000));
    Ear slow = new Ear(8).join();
    Ear fast = new Ear(9).join();
    turn();
    slow.open = false;
    for (int n = 0; n < 10_000; n++) {
      put(IpAddress.ofIpv4(0x0a00_0000 + n).toCidr(), Paths.of(1));
    }
    turn();
    assertThat(fast.known).hasSize(10_000);
    assertThat(groups.size()).isEqualTo(2);
    for (int n = 1; n < 10_000; n++) {
      remove(IpAddress.ofIpv4(0x0a00_0000 + n).toCidr(), Paths.of(1));
    }
    turn();
    slow.open = true;
    turn();
    turn();
    assertThat(slow.known).isEqualTo(withOwn(fast.known, slow)).hasSize(1);
    assertThat(slow.announced()).as("what was overtaken is not sent").hasSizeLessThan(5000);
    assertThat(groups.size()).isEqualTo(1);
  }

  private static Map<Cidr, Told> withOwn(Map<Cidr, Told> known, Ear ear) {
    Map<Cidr, Told> own = new HashMap<>();
    known.forEach((prefix, told) -> own.put(prefix, new Told(told.attributes(), ear.own)));
    return own;
  }

  @Test
  void otherRulesSendWhatDiffersOnly() {
    Ear one = new Ear(8).join();
    Ear other = new Ear(9).join();
    put(prefix(1), Paths.of(1));
    put(prefix(2), Paths.local());
    turn();
    one.updates.clear();
    groups.change(one.member, OWN_ONLY, one.ownNextHops());
    turn();
    assertThat(one.withdrawn()).containsExactly(prefix(1));
    assertThat(one.announced()).isEmpty();
    assertThat(other.known).hasSize(2);
    groups.change(one.member, TRANSIT, one.ownNextHops());
    turn();
    assertThat(one.announced()).containsExactly(prefix(1));
    assertThat(groups.size()).isEqualTo(1);
  }

  /** What waits for a slow peer was made for the former next hop, which may be of another size. */
  @Test
  void whatIsQueuedKeepsTheNextHopThatItWasMadeFor() {
    Cidr first = Cidr.parse("fd00:1::/64");
    Cidr second = Cidr.parse("fd00:2::/64");
    Ear fast = new Ear(8).join();
    Ear slow = new Ear(9).join();
    turn();
    slow.open = false;
    put(first, Paths.local());
    turn();
    assertThat(fast.known).containsOnlyKeys(first);
    NextHop former = slow.ownNextHops().get(Family.IPV6);
    NextHop both = NextHop.of(former.address(), IpAddress.parse("fe80::9"));
    Export withLinkLocal =
        new Export(
            false,
            Asn.of(64512),
            Optional.empty(),
            RouterId.parse("7.7.7.7"),
            Export.Rules.of(PeerPolicy.DEFAULT.with(rules -> rules.transit(true))),
            false,
            1,
            Optional.of(OwnNextHop.IPV4),
            Optional.of(OwnNextHop.IPV6_AND_LINK_LOCAL));
    groups.change(slow.member, withLinkLocal, Map.of(Family.IPV4, slow.own, Family.IPV6, both));
    put(second, Paths.local());
    slow.open = true;
    turn();
    assertThat(slow.updates.getFirst().reach().getFirst().nextHop()).isEqualTo(former);
    assertThat(slow.known).containsOnlyKeys(first, second);
    assertThat(slow.known.values()).extracting(Told::nextHop).containsOnly(both);
  }

  private Ear withPaths(int n, int most) {
    Ear ear = new Ear(n);
    ear.codec =
        new CodecContext(
            PeerType.EXTERNAL,
            true,
            CODEC.families(),
            false,
            false,
            Set.of(AddressFamily.IPV4_UNICAST),
            Set.of(AddressFamily.IPV4_UNICAST),
            4096,
            4096);
    ear.export = export(true, most);
    return ear.join();
  }

  /** RFC 7911. */
  @Test
  void aPeerWithAddPathIsToldTheBestOnesOrAll() {
    Ear all = withPaths(8, AddPath.ALL);
    Ear two = withPaths(9, 2);
    Ear source = withPaths(2, AddPath.ALL);
    turn();
    put(prefix(1), Paths.of(1, _ -> {}, 65001, 65002, 65003));
    put(prefix(1), Paths.of(2, _ -> {}, 65002));
    put(prefix(1), Paths.of(3, _ -> {}, 65003, 65004));
    turn();
    assertThat(asPaths(all))
        .containsExactlyInAnyOrder("64512 65001 65002 65003", "64512 65002", "64512 65003 65004");
    assertThat(asPaths(two)).containsExactlyInAnyOrder("64512 65002", "64512 65003 65004");
    assertThat(asPaths(source))
        .as("not its own")
        .containsExactlyInAnyOrder("64512 65001 65002 65003", "64512 65003 65004");
    assertThat(groups.sentTo(source.member, Family.IPV4)).isEqualTo(2);

    // A path that was never the best one changes, and one goes.
    put(prefix(1), Paths.of(3, _ -> {}, 65003, 65005));
    turn();
    assertThat(asPaths(two)).containsExactlyInAnyOrder("64512 65002", "64512 65003 65005");
    remove(prefix(1), Paths.of(2));
    turn();
    assertThat(asPaths(two))
        .containsExactlyInAnyOrder("64512 65001 65002 65003", "64512 65003 65005");
    assertThat(asPaths(all)).hasSize(2);
    groups.resend(all.member, Family.IPV4);
    turn();
    assertThat(asPaths(all)).hasSize(2);
    remove(prefix(1), Paths.of(1));
    remove(prefix(1), Paths.of(3));
    turn();
    assertThat(all.paths).isEmpty();
    assertThat(two.paths).isEmpty();
    assertThat(rib.prefixes(Family.IPV4).inUse()).isZero();
  }

  /** RFC 7911: the peer may choose a new identifier each time, we need not. */
  @Test
  void identifiersOfPathsThatAreGoneAreGivenAwayAgain() {
    Ear ear = withPaths(9, AddPath.ALL);
    Ear other = withPaths(8, AddPath.ALL);
    turn();
    Set<String> told = new HashSet<>();
    PeerPaths peerPaths = new PeerPaths();
    for (int n = 1; n < 200; n++) {
      Path path = Paths.ofPathId(1, n);
      IpAddress one = prefix(1).address();
      rib.put(Family.IPV4, one.high(), one.low(), 24, path, peerPaths);
      turn();
      told.addAll(ear.paths.keySet());
      rib.remove(Family.IPV4, one.high(), one.low(), 24, path.source(), n, peerPaths);
      if (n % 10 == 0) {
        groups.resend(other.member, Family.IPV4);
      }
      turn();
      assertThat(ear.paths).isEmpty();
    }
    assertThat(told).hasSize(1);
  }

  @Test
  void peersThatAreGoneAreForgotten() {
    Ear ear = new Ear(99).join();
    turn();
    for (int n = 1; n < 50; n++) {
      Ear passing = new Ear(n).join();
      turn();
      put(prefix(1), Paths.of(n));
      turn();
      groups.leave(passing.member);
      remove(prefix(1), Paths.of(n));
      turn();
      assertThat(ear.known).isEmpty();
    }
    assertThat(ear.member.group().tables().get(Family.IPV4).origins()).isEqualTo(1);
  }

  @Test
  void thePathsOfAPrefixAreShownTogether() {
    Ear ear = withPaths(9, AddPath.ALL);
    turn();
    put(prefix(1), Paths.of(1));
    put(prefix(1), Paths.of(2));
    put(prefix(1), Paths.of(3));
    turn();
    put(prefix(2), Paths.of(1));
    put(prefix(2), Paths.of(2));
    turn();
    assertThat(shown(ear, 0, rib.prefixes(Family.IPV4).limit()))
        .containsExactlyInAnyOrder(prefix(1), prefix(1), prefix(1), prefix(2), prefix(2));
    assertThat(shown(ear, 1, 2)).containsExactly(prefix(2), prefix(2));
  }

  private List<Cidr> shown(Ear ear, int from, int to) {
    List<Cidr> prefixes = new ArrayList<>();
    groups.forEachSentTo(ear.member, Family.IPV4, from, to, (prefix, _, _) -> prefixes.add(prefix));
    return prefixes;
  }

  private static List<String> asPaths(Ear ear) {
    return ear.paths.values().stream().map(told -> told.attributes().asPath().toString()).toList();
  }

  @Test
  void aStuckTableDoesNotKeepNewSessionsWaiting() {
    put(prefix(1), Paths.of(1));
    turn();
    for (int n = 20; n < 40; n++) {
      Ear stuck = new Ear(n).join();
      turn();
      stuck.open = false;
      groups.resend(stuck.member, Family.IPV4);
      turn();
    }
    Ear late = new Ear(9).join();
    turn();
    assertThat(late.known).hasSize(1);
  }

  /** Those it waits for may come after it in the turn, and end in the same one. */
  @Test
  void aTableThatWaitedIsSentWhenTheOthersAreDone() {
    groups = new UpdateGroups(rib, new UpdateGroups.Limits(100, 100, 1 << 20));
    for (int n = 1; n <= 3; n++) {
      put(prefix(n), Paths.of(n));
    }
    List<Ear> early = new ArrayList<>();
    for (int n = 20; n < 25; n++) {
      early.add(new Ear(n).join());
    }
    turn();
    Ear late = new Ear(9).join();
    late.open = false;
    for (Ear ear : early.subList(0, 4)) {
      groups.resend(ear.member, Family.IPV4);
    }
    // The four are in the midst of it now, behind the late one.
    assertThat(groups.transmit(true)).isTrue();
    late.open = true;
    turn();
    assertThat(late.known).hasSize(3);
    assertThat(late.ended).hasSize(2);
  }

  /** Whatever happens on the way, each peer that reads on ends up with what it should know. */
  @Test
  void everyPeerEndsUpWithTheLatestState() {
    for (int seed = 0; seed < 30; seed++) {
      Random random = new Random(seed);
      LocRib table =
          new LocRib(new BestPath(PathSelection.DEFAULT, NextHopMetric.CONNECTED), false);
      new Storm(table, random).run("seed " + seed);
    }
  }

  private final class Storm {
    private final LocRib table;
    private final Random random;
    private final List<Ear> ears = new ArrayList<>();
    private final Set<Ear> up = new HashSet<>();

    Storm(LocRib table, Random random) {
      this.table = table;
      this.random = random;
      groups =
          new UpdateGroups(table, new UpdateGroups.Limits(200 + random.nextInt(2000), 100, 300));
      for (int n = 1; n <= 5; n++) {
        ears.add(new Ear(n));
      }
    }

    void run(String name) {
      for (int i = 0; i < 1500; i++) {
        step();
      }
      ears.forEach(ear -> ear.open = true);
      for (int i = 0; i < 200; i++) {
        boolean _ = table.process(10, groups::selected);
        boolean _ = groups.transmit(true);
      }
      for (Ear ear : up) {
        assertThat(ear.known).as("%s, %s", name, ear.peer).isEqualTo(expected(ear));
        assertThat(groups.sentTo(ear.member, Family.IPV4)).isEqualTo(ear.known.size());
        assertThat(ear.ended).hasSize(2);
      }
      assertThat(groups.size())
          .as(name)
          .isEqualTo((int) up.stream().map(ear -> ear.export).distinct().count());
      for (Ear ear : List.copyOf(up)) {
        groups.leave(ear.member);
      }
      for (int i = 0; i < 30; i++) {
        for (int n = 1; n <= 5; n++) {
          table.remove(prefix(i), Paths.external(n));
        }
        table.remove(prefix(i), new PathSource.Local());
      }
      while (table.process(100, groups::selected)) {
        // Until nothing is marked any more.
      }
      assertThat(table.prefixes(Family.IPV4).inUse()).as("%s: all given back", name).isZero();
    }

    private void step() {
      Ear ear = ears.get(random.nextInt(ears.size()));
      Cidr prefix = prefix(random.nextInt(30));
      switch (random.nextInt(24)) {
        case 0 -> ear.open = !ear.open;
        case 1 -> {
          if (up.remove(ear)) {
            groups.leave(ear.member);
          } else {
            ear.open = true;
            up.add(ear.join());
          }
        }
        case 2 -> {
          if (up.contains(ear)) {
            groups.resend(ear.member, Family.IPV4);
          }
        }
        case 3 -> {
          ear.export = ear.export.equals(TRANSIT) ? OWN_ONLY : TRANSIT;
          if (up.contains(ear)) {
            groups.change(ear.member, ear.export, ear.ownNextHops());
          }
        }
        case 4, 5, 6, 7 -> {
          boolean _ = table.process(1 + random.nextInt(10), groups::selected);
        }
        case 8, 9, 10, 11 -> {
          boolean _ = groups.transmit(random.nextBoolean());
        }
        case 12 -> {
          table.put(prefix, Paths.local());
        }
        case 13 -> {
          table.remove(prefix, new PathSource.Local());
        }
        case 14, 15, 16 -> {
          table.remove(prefix, Paths.external(1 + random.nextInt(5)));
        }
        default -> {
          int length = 1 + random.nextInt(2);
          int[] path = new int[length];
          Arrays.fill(path, 65000);
          table.put(prefix, Paths.of(1 + random.nextInt(5), _ -> {}, path));
        }
      }
    }

    private Map<Cidr, Told> expected(Ear ear) {
      Map<Cidr, Told> expected = new HashMap<>();
      table.forEachSelected(
          Family.IPV4,
          (id, chosen) -> {
            Path best = chosen.get(0);
            boolean own =
                best.source() instanceof PathSource.Peer source && source.peer().equals(ear.peer);
            if (!own) {
              ear.export
                  .of(Family.IPV4, best)
                  .ifPresent(
                      route ->
                          expected.put(
                              table.prefixes(Family.IPV4).prefix(id),
                              new Told(route.attributes(), ear.own)));
            }
          });
      return expected;
    }
  }
}

package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.netlink.IpsetChange;
import io.wayleave.linux.netlink.IpsetMember;
import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the driver does to sets, on the fake kernel and on the real one alike. */
abstract class IpsetDriverContract {
  private static final String NET4 = " hash:net family inet maxelem 1048576";
  private static final String NET6 = " hash:net family inet6 maxelem 1048576";
  private static final String PORT4 = " hash:ip,port family inet maxelem 1048576";
  private static final IpsetMember.AddressPort WEB =
      new IpsetMember.AddressPort(IpAddress.parse("10.0.0.1"), Protocol.TCP, 80);
  private static final IpsetMember.AddressPort DNS =
      new IpsetMember.AddressPort(IpAddress.parse("10.0.0.1"), Protocol.UDP, 53);

  abstract IpsetKernel kernel();

  /** What another program sees: lines of {@code ipset save} with lengths, sizes of hashes apart. */
  abstract List<String> saved();

  /** What another program does. */
  abstract void restore(String... lines);

  /** A rule refers to the set of IPv4 until the next call of {@link #release}. */
  abstract void hold(String set);

  abstract void release(String set);

  private IpsetDriver driver;

  private IpsetDriver driver() {
    if (driver == null) {
      driver = new IpsetDriver(kernel());
    }
    return driver;
  }

  @Test
  void setsOfEveryKindGetTheirMembers() {
    driver().putSet("wl-4-a", IpsetType.NET, Family.IPV4);
    driver().addMember("wl-4-a", Cidr.parse("10.0.0.1"));
    driver().addMember("wl-4-a", Cidr.parse("10.1.0.0/16"));
    driver().putSet("wl-6-a", IpsetType.NET, Family.IPV6);
    driver().addMember("wl-6-a", Cidr.parse("fd00::/64"));
    driver().putSet("wl-4-p", IpsetType.IP_PORT, Family.IPV4);
    driver().addMember("wl-4-p", WEB);
    driver().addMember("wl-4-p", DNS);
    apply();
    assertThat(saved())
        .containsExactlyInAnyOrder(
            "create wl-4-a" + NET4,
            "add wl-4-a 10.0.0.1/32",
            "add wl-4-a 10.1.0.0/16",
            "create wl-6-a" + NET6,
            "add wl-6-a fd00::/64",
            "create wl-4-p" + PORT4,
            "add wl-4-p 10.0.0.1,tcp:80",
            "add wl-4-p 10.0.0.1,udp:53");

    driver().removeMember("wl-4-a", Cidr.parse("10.1.0.0/16"));
    driver().removeMember("wl-4-p", WEB);
    driver().applyAdditions();
    assertThat(saved()).contains("add wl-4-a 10.1.0.0/16", "add wl-4-p 10.0.0.1,tcp:80");
    driver().applyRemovals();
    assertThat(saved())
        .containsExactlyInAnyOrder(
            "create wl-4-a" + NET4,
            "add wl-4-a 10.0.0.1/32",
            "create wl-6-a" + NET6,
            "add wl-6-a fd00::/64",
            "create wl-4-p" + PORT4,
            "add wl-4-p 10.0.0.1,udp:53");
  }

  /** What they have lets packets pass, so it comes after the tables and goes before them. */
  @Test
  void membersOfAnOpeningSetGoFirstAndComeLast() {
    driver().putOpeningSet("wl-4-o", IpsetType.NET_INTERFACE, Family.IPV4);
    driver().addMember("wl-4-o", at("10.0.0.1", "wl1"));
    driver().addMember("wl-4-o", at("10.0.0.2", "wl2"));
    driver().putSet("wl-4-a", IpsetType.NET, Family.IPV4);
    driver().addMember("wl-4-a", Cidr.parse("10.0.0.1"));
    driver().applyAdditions();
    assertThat(saved())
        .contains("create wl-4-o hash:net,iface family inet maxelem 1048576")
        .contains("add wl-4-a 10.0.0.1/32");
    assertThat(members("wl-4-o")).isEmpty();
    driver().applyRemovals();
    assertThat(members("wl-4-o")).containsExactlyInAnyOrder("10.0.0.1/32,wl1", "10.0.0.2/32,wl2");

    driver().removeMember("wl-4-o", at("10.0.0.1", "wl1"));
    driver().addMember("wl-4-o", at("10.0.0.3", "wl1"));
    driver().applyAdditions();
    assertThat(members("wl-4-o")).containsExactly("10.0.0.2/32,wl2");
    driver().applyRemovals();
    assertThat(members("wl-4-o")).containsExactlyInAnyOrder("10.0.0.2/32,wl2", "10.0.0.3/32,wl1");

    // What others put there goes as early, and what they took comes as late.
    restore("add wl-4-o 10.0.0.9/32,wl9", "del wl-4-o 10.0.0.2/32,wl2");
    driver().invalidate();
    driver().applyAdditions();
    assertThat(members("wl-4-o")).containsExactly("10.0.0.3/32,wl1");
    driver().applyRemovals();
    assertThat(members("wl-4-o")).containsExactlyInAnyOrder("10.0.0.2/32,wl2", "10.0.0.3/32,wl1");
  }

  @Test
  void anOpeningSetOfAnotherSizeIsReplacedByAnEmptyOne() {
    restore("create wl-4-o hash:net,iface family inet maxelem 100", "add wl-4-o 10.0.0.9/32,wl9");
    driver().putOpeningSet("wl-4-o", IpsetType.NET_INTERFACE, Family.IPV4);
    driver().addMember("wl-4-o", at("10.0.0.1", "wl1"));
    driver().applyAdditions();
    assertThat(members("wl-4-o")).isEmpty();
    driver().applyRemovals();
    assertThat(saved())
        .containsExactly(
            "create wl-4-o hash:net,iface family inet maxelem 1048576",
            "add wl-4-o 10.0.0.1/32,wl1");
  }

  private static IpsetMember at(String address, String interfaceName) {
    return new IpsetMember.NetInterface(Cidr.parse(address), interfaceName);
  }

  @Test
  void theWholeAddressSpaceIsItsTwoHalves() {
    driver().putSet("wl-4-a", IpsetType.NET, Family.IPV4);
    driver().putSet("wl-6-a", IpsetType.NET, Family.IPV6);
    driver().addMember("wl-4-a", Cidr.parse("0.0.0.0/0"));
    driver().addMember("wl-4-a", Cidr.parse("128.0.0.0/1"));
    driver().addMember("wl-6-a", Cidr.parse("::/0"));
    apply();
    assertThat(members("wl-4-a")).containsExactlyInAnyOrder("0.0.0.0/1", "128.0.0.0/1");
    assertThat(members("wl-6-a")).containsExactlyInAnyOrder("::/1", "8000::/1");

    driver().invalidate();
    apply();
    driver().removeMember("wl-4-a", Cidr.parse("0.0.0.0/0"));
    driver().removeMember("wl-6-a", Cidr.parse("::/0"));
    apply();
    assertThat(members("wl-4-a")).containsExactly("128.0.0.0/1");
    assertThat(members("wl-6-a")).isEmpty();
  }

  @Test
  void repairsWhatOthersDidToMembersAndSets() {
    three();
    restore(
        "add wl-4-a 192.0.2.0/24",
        "del wl-4-a 10.0.0.1/32",
        "flush wl-6-a",
        "add wl-4-p 10.0.0.9,tcp:22");
    apply();
    assertThat(members("wl-4-a")).as("nobody said that something changed").contains("192.0.2.0/24");
    driver().invalidate();
    apply();
    assertThree();
  }

  @Test
  void aMemberThatDoesNotMatchIsMadeTo() {
    restore(
        "create wl-4-a hash:net family inet maxelem 1048576",
        "add wl-4-a 10.0.0.1/32 nomatch",
        "add wl-4-a 10.0.0.9/32 nomatch");
    three();
    assertThree();
  }

  @Test
  void adoptsWhatAnEarlierAgentLeft() {
    three();
    driver = null;
    three();
    assertThree();
  }

  @Test
  void destroysOnlyOwnSetsAndAgainWhenTheyWereHeld() {
    three();
    restore("create others hash:net family inet maxelem 65536");
    hold("wl-4-a");
    driver().removeSet("wl-4-a");
    driver().removeSet("wl-6-a");
    driver().removeSet("wl-4-p");
    apply();
    assertThat(driver().undeletable()).containsOnlyKeys("wl-4-a");
    assertThat(saved()).contains("create wl-4-a" + NET4).noneMatch(line -> line.contains("wl-6"));
    release("wl-4-a");
    apply();
    assertThat(driver().undeletable()).isEmpty();
    assertThat(saved()).containsExactly("create others hash:net family inet maxelem 65536");
  }

  @Test
  void aSetThatComesBackHasItsNewMembersOnly() {
    three();
    driver().removeSet("wl-4-a");
    driver().putSet("wl-4-a", IpsetType.NET, Family.IPV4);
    driver().addMember("wl-4-a", Cidr.parse("10.0.0.2"));
    apply();
    assertThat(members("wl-4-a")).containsExactly("10.0.0.2/32");
  }

  @Test
  void aSetOfAnotherSizeIsReplacedUnderItsRules() {
    restore(
        "create wl-4-a hash:net family inet maxelem 100",
        "add wl-4-a 10.0.0.1/32",
        "add wl-4-a 10.0.0.7/32");
    hold("wl-4-a");
    three();
    assertThree();
    release("wl-4-a");
  }

  @Test
  void aSetOfAnotherKindIsReplacedWhenNothingHoldsIt() {
    restore(
        "create wl-4-a hash:ip,port family inet maxelem 1048576",
        "add wl-4-a 10.0.0.1,tcp:80",
        "create wl-6-a hash:net family inet maxelem 1048576",
        "create wl-4-p bitmap:port range 0-1023");
    hold("wl-4-a");
    three();
    // The others are as they should be.
    assertThat(driver().refused()).containsOnlyKeys("wl-4-a");
    assertThat(driver().refused().get("wl-4-a")).startsWith("destroy wl-4-a: ");
    assertThat(saved())
        .contains(
            "create wl-4-p hash:ip,port family inet maxelem 1048576", "add wl-6-a fd00::1/128");
    release("wl-4-a");
    apply();
    assertThat(driver().refused()).isEmpty();
    assertThree();
  }

  @Test
  void afterARefusalItLooksAgainAtOnce() {
    three();
    // Somebody takes a set away, so that an addition is refused.
    kernelDestroys("wl-4-a");
    driver().addMember("wl-4-a", Cidr.parse("10.0.0.2"));
    apply();
    assertThat(driver().refused()).isEmpty();
    assertThat(members("wl-4-a")).containsExactlyInAnyOrder("10.0.0.1/32", "10.0.0.2/32");
  }

  @Test
  void aRefusedRemovalIsToldUntilItIsDone() {
    three();
    kernelDestroys("wl-4-a");
    driver().removeMember("wl-4-a", Cidr.parse("10.0.0.1"));
    apply();
    assertThat(driver().refused()).containsOnlyKeys("wl-4-a");
    // Those who use the set are closed by it now; the next call only repairs.
    driver().applyAdditions();
    assertThat(driver().refused()).containsOnlyKeys("wl-4-a");
    driver().applyRemovals();
    assertThat(driver().refused()).isEmpty();
    assertThat(saved()).contains("create wl-4-a" + NET4);
  }

  private void kernelDestroys(String set) {
    assertThat(kernel().execute(List.of(new IpsetChange.Destroy(set)))).isEmpty();
  }

  private void three() {
    driver().putSet("wl-4-a", IpsetType.NET, Family.IPV4);
    driver().addMember("wl-4-a", Cidr.parse("10.0.0.1"));
    driver().putSet("wl-6-a", IpsetType.NET, Family.IPV6);
    driver().addMember("wl-6-a", Cidr.parse("fd00::1"));
    driver().putSet("wl-4-p", IpsetType.IP_PORT, Family.IPV4);
    driver().addMember("wl-4-p", WEB);
    apply();
  }

  private void assertThree() {
    assertThat(saved())
        .containsExactlyInAnyOrder(
            "create wl-4-a" + NET4,
            "add wl-4-a 10.0.0.1/32",
            "create wl-6-a" + NET6,
            "add wl-6-a fd00::1/128",
            "create wl-4-p" + PORT4,
            "add wl-4-p 10.0.0.1,tcp:80");
  }

  private List<String> members(String set) {
    String start = "add " + set + " ";
    return saved().stream()
        .filter(line -> line.startsWith(start))
        .map(line -> line.substring(start.length()))
        .toList();
  }

  private void apply() {
    driver().applyAdditions();
    driver().applyRemovals();
  }
}

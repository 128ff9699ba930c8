package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
final class IpsetDriverRealTest extends IpsetDriverContract {
  private final TestHost host = new TestHost();
  private final NetlinkIpsets kernel = new NetlinkIpsets(host.namespace());

  @AfterEach
  void close() {
    kernel.close();
    host.close();
  }

  @Override
  IpsetKernel kernel() {
    return kernel;
  }

  @Override
  List<String> saved() {
    return host.run("ipset", "save")
        .lines()
        .map(line -> line.replaceAll(" hashsize \\d+| bucketsize \\d+| initval 0x[0-9a-f]+", ""))
        // The program prints a single address without its length.
        .map(line -> line.replaceAll("^(add wl-\\S+ [0-9.]+)(,wl.*)?$", "$1/32$2"))
        .map(line -> line.replaceAll("^(add wl-\\S+ [0-9a-f:]*:[0-9a-f:]*)$", "$1/128"))
        .toList();
  }

  @Override
  void restore(String... lines) {
    host.feed(String.join("\n", lines) + "\n", "ipset", "restore");
  }

  @Override
  void hold(String set) {
    rule("-A", set);
  }

  @Override
  void release(String set) {
    // The rule of a legacy table is gone with the table; nft's would go a little later.
    rule("-D", set);
  }

  private void rule(String verb, String set) {
    String flags = set.contains("-p") ? "src,src" : "src";
    host.run(
        "iptables-legacy", verb, "INPUT", "-m", "set", "--match-set", set, flags, "-j", "DROP");
  }

  @Test
  void tenThousandMembersFromNothingAndOneMore() {
    List<Long> made = new ArrayList<>();
    List<Long> one = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      IpsetDriver driver = new IpsetDriver(kernel);
      IpAddress first = IpAddress.parse("10.0.0.0");
      long start = System.nanoTime();
      driver.putSet("wl-4-a", IpsetType.NET, Family.IPV4);
      for (int i = 0; i < 10_000; i++) {
        driver.addMember("wl-4-a", first.plus(i).toCidr());
      }
      driver.applyAdditions();
      driver.applyRemovals();
      long middle = System.nanoTime();
      driver.addMember("wl-4-a", IpAddress.parse("10.9.0.0").toCidr());
      driver.applyAdditions();
      driver.applyRemovals();
      long end = System.nanoTime();
      made.add((middle - start) / 1000);
      one.add((end - middle) / 1000);
      assertThat(saved()).hasSize(10_002);
      driver.removeSet("wl-4-a");
      driver.applyAdditions();
      driver.applyRemovals();
      assertThat(saved()).isEmpty();
    }
    System.getLogger(getClass().getName())
        .log(
            System.Logger.Level.INFO,
            "10,000 members from nothing in us: {0}; one more: {1}",
            made,
            one);
    made.sort(null);
    one.sort(null);
    assertThat(made.get(2)).isLessThan(500_000);
    assertThat(one.get(2)).isLessThan(10_000);
  }
}

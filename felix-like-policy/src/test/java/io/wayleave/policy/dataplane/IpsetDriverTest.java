package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.List;
import org.junit.jupiter.api.Test;

final class IpsetDriverTest extends IpsetDriverContract {
  private final FakeKernel kernel = new FakeKernel();

  @Override
  IpsetKernel kernel() {
    return kernel;
  }

  @Override
  List<String> saved() {
    return kernel.savedSets();
  }

  @Override
  void restore(String... lines) {
    kernel.restoreSets(lines);
  }

  @Override
  void hold(String set) {
    kernel.hold(set);
  }

  @Override
  void release(String set) {
    kernel.work();
  }

  @Test
  void writesWhatDiffersAndNoMore() {
    IpsetDriver driver = new IpsetDriver(kernel);
    driver.putSet("wl-4-a", IpsetType.NET, Family.IPV4);
    driver.addMember("wl-4-a", Cidr.parse("10.0.0.1"));
    apply(driver);
    assertThat(kernel.takeLog())
        .containsExactly(
            "ipsets list",
            "ipsets change",
            "create wl-4-a hash:net family inet maxelem 1048576",
            "add wl-4-a 10.0.0.1/32");

    driver.addMember("wl-4-a", Cidr.parse("10.0.0.2"));
    driver.removeMember("wl-4-a", Cidr.parse("10.0.0.1"));
    driver.applyAdditions();
    assertThat(kernel.takeLog()).containsExactly("ipsets change", "add wl-4-a 10.0.0.2/32");
    driver.applyRemovals();
    assertThat(kernel.takeLog()).containsExactly("ipsets change", "del wl-4-a 10.0.0.1/32");
    apply(driver);
    assertThat(kernel.takeLog()).isEmpty();
    driver.invalidate();
    apply(driver);
    assertThat(kernel.takeLog()).containsExactly("ipsets list");
  }

  private static void apply(IpsetDriver driver) {
    driver.applyAdditions();
    driver.applyRemovals();
  }
}

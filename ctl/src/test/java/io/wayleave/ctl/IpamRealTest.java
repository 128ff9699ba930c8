package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.model.Cidr;
import io.wayleave.model.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** netctl's commands about addresses on a real etcd. */
@Tag("real")
class IpamRealTest {
  private EtcdServer etcd;
  private Datastore datastore;
  private Ipam host;

  @BeforeEach
  void start() {
    etcd = EtcdServer.start();
    datastore = etcd.connect();
    host = new Ipam(datastore, "r1h1", Map::of, IpamOptions.defaults());
    datastore.commit(
        Transaction.builder().put(ResourceStore.key(Kind.NODE, "r1h1"), "{}").build(),
        datastore.deadline());
  }

  @AfterEach
  void stop() {
    datastore.close();
    etcd.close();
  }

  private Handle allocate(String id) {
    return host.allocate(AllocationRequest.count(id, 1, 0), datastore.deadline());
  }

  private NetctlRun.Result run(String... args) {
    return NetctlRun.real(Map.of("WAYLEAVE_DATASTORE", etcd.url()), args);
  }

  @Test
  void aLostHandleIsFoundAndMendedAndAPoolIsDivided() {
    run("pool", "create", "web", "--cidr", "10.244.0.0/24");
    allocate("c1");
    allocate("c2");
    assertThat(run("ipam", "check"))
        .isEqualTo(new NetctlRun.Result(0, "1 block and 2 handles checked: no problem\n", ""));
    etcd.control("del", "/wayleave/v1/" + Keys.HANDLES + "c1");
    etcd.control("del", "/wayleave/v1/ipam/owners/c1");
    assertThat(run("ipam", "check").code()).isEqualTo(1);
    NetctlRun.Result fixed = run("ipam", "check", "--fix");
    assertThat(fixed.out()).contains("address-without-handle").contains("1 problem, 1 fixed");
    assertThat(fixed.code()).isZero();
    assertThat(run("ipam", "split", "web", "4").out()).contains("web-3  10.244.0.192/26");
    assertThat(allocate("c3").addresses()).hasSize(1);
    assertThat(run("ipam", "show", "--ip", allocate("c4").addresses().getFirst().toString()).out())
        .contains("handle         c4");
    assertThat(run("ipam", "check").code()).isZero();
    assertThat(run("ipam", "release", "--ip", "10.244.0.255").code()).isEqualTo(1);
  }

  /** The commands of the page, in their order, with containers that move in between. */
  @Test
  void thePageOnChangingTheBlockSizeIsTrue() throws IOException {
    Deque<String[]> commands = new ArrayDeque<>();
    Path page = Path.of(System.getProperty("basedir", "."), "..", "docs", "change-block-size.md");
    for (String line : Files.readAllLines(page)) {
      if (line.startsWith("    netctl ")) {
        commands.add(line.strip().substring("netctl ".length()).split(" "));
      }
    }
    assertThat(commands).hasSize(7);
    run("pool", "create", "containers", "--cidr", "10.244.0.0/16");
    Handle old = allocate("old");
    assertThat(succeeds(commands)).contains("block size  /26"); // pool show
    succeeds(commands); // pool create
    assertThat(succeeds(commands)).contains("1 address in 1 block still in use", "old"); // drain
    Handle moved = allocate("moved");
    Cidr block = moved.assigned().getFirst().block();
    assertThat(block.prefixLength()).isEqualTo(28);
    assertThat(Cidr.parse("10.245.0.0/16").contains(block)).isTrue();
    assertThat(run("pool", "delete", "containers").err()).contains("1 address in use");
    assertThat(host.find("old", datastore.deadline()).map(Handle::addresses))
        .isEqualTo(Optional.of(old.addresses()));
    host.release("old", Optional.empty(), datastore.deadline());
    assertThat(succeeds(commands)).contains("it can be deleted"); // drain
    assertThat(succeeds(commands)).contains("allocated   0"); // pool show --holders
    assertThat(succeeds(commands)).isEqualTo("IPPool containers deleted\n");
    assertThat(succeeds(commands)).contains("no problem"); // ipam check
    assertThat(List.copyOf(commands)).isEmpty();
  }

  private String succeeds(Deque<String[]> commands) {
    String[] command = commands.remove();
    NetctlRun.Result result = run(command);
    assertThat(result.err()).as(String.join(" ", command)).isEmpty();
    assertThat(result.code()).isZero();
    return result.out();
  }
}

package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.container;
import static io.wayleave.ipam.Fixture.deadline;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The check on a fabric that goes on: between any two reads, and between reading and mending, hosts
 * allocate, release, claim and give up blocks. The same seed gives the same history.
 */
@Timeout(60)
class IpamCheckLiveTest {
  private static final int LOOKS = 15;
  private static final int LOSSES = 3;
  private static final int HOSTS = 4;

  private final MemoryDatastore store = new MemoryDatastore();
  private final ManualClock clock = new ManualClock();
  private final Fixture fixture = new Fixture(store);
  private final TornListings torn = new TornListings(store, this::hostsAct);
  private final IpamCheck check = new IpamCheck(torn, clock);
  private final long seed = System.nanoTime();
  private final SplittableRandom random = new SplittableRandom(seed);
  private final List<Ipam> hosts = new ArrayList<>();
  private final List<Deque<String>> held = new ArrayList<>();
  private int quiet = 6;
  private int actions;

  @BeforeEach
  void startHosts() {
    System.out.println("seed " + seed);
    fixture.pool("a", "10.0.0.0/25", 29);
    for (int i = 0; i < HOSTS; i++) {
      fixture.node("h" + i);
      hosts.add(fixture.host("h" + i, Fixture.options("h" + i).withClock(clock)));
      held.add(new ArrayDeque<>());
    }
    for (int i = 0; i < 1000; i++) {
      hostsAct();
    }
  }

  /** Mostly nothing, so that there are quiet moments; else a few operations. */
  private void hostsAct() {
    if (random.nextInt(quiet) == 0) {
      for (int i = random.nextInt(1, 3); i > 0; i--) {
        hostActs(random.nextInt(HOSTS));
      }
    }
  }

  private void hostActs(int i) {
    Ipam host = hosts.get(i);
    Deque<String> own = held.get(i);
    actions++;
    try {
      if (own.size() < 3 || (own.size() < 20 && random.nextBoolean())) {
        own.add(host.allocate(container("h" + i, "c" + actions), deadline()).id());
      } else if (random.nextInt(6) == 0) {
        List<Block> blocks =
            fixture.blocks().stream().filter(block -> block.belongsTo("h" + i)).toList();
        if (!blocks.isEmpty()) {
          host.releaseAffinity(blocks.get(random.nextInt(blocks.size())).cidr(), deadline());
        }
      } else {
        host.release(own.remove(), Optional.empty(), deadline());
      }
    } catch (IpamException.Exhausted e) {
      // It is full now and then.
    }
  }

  @Test
  void nothingIsFoundWhereNothingIsWrong() {
    int unsettled = 0;
    for (int look = 0; look < LOOKS; look++) {
      IpamCheck.Report report = check.run(look % 2 == 0, deadline());
      assertThat(report.findings()).as("seed " + seed).isEmpty();
      unsettled += report.unsettled().size();
    }
    Invariants.check(store);
    System.out.println(actions + " actions, " + unsettled + " unsettled");
    assertThat(actions).isGreaterThan(LOOKS);
  }

  @Test
  void onePassAloneFindsWhatIsNotThere() {
    int fooled = 0;
    for (int look = 0; look < LOOKS; look++) {
      fooled += IpamDiagnosis.of(IpamPicture.read(torn, deadline())).size();
    }
    assertThat(fooled).as("seed " + seed).isPositive();
  }

  @Test
  void whatIsWrongIsFoundAndMendedAllTheSame() {
    quiet = 30; // a lost address in a block that changes all the time is told as unsettled
    for (int loss = 0; loss < LOSSES; loss++) {
      List<IpAddress> lost = loseSome();
      for (int again = 0; again < 20 && !lost.isEmpty(); again++) {
        IpamCheck.Report report = check.run(true, deadline());
        assertThat(report.findings())
            .as("seed " + seed)
            .allMatch(
                finding -> finding.problem().kind() == IpamProblem.Kind.ADDRESS_WITHOUT_HANDLE);
        lost = report.remaining() == 0 && report.unsettled().isEmpty() ? List.of() : lost;
      }
      assertThat(lost).as("not mended, seed " + seed).isEmpty();
      Invariants.check(store);
    }
  }

  /** Takes a free address in a block for nobody. */
  private List<IpAddress> loseSome() {
    List<Block> blocks = fixture.blocks();
    for (Block block : blocks) {
      Block.Taken taken = block.take(1, Block.Terms.NONE);
      if (!taken.addresses().isEmpty()) {
        String key = IpamKeys.block(block.cidr());
        store.commit(Transaction.builder().put(key, taken.block().toJson()).build(), deadline());
        return taken.addresses();
      }
    }
    Cidr network = blocks.getFirst().cidr();
    throw new AssertionError("all full, such as " + network);
  }
}

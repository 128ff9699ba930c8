package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AdjRibOutTest {
  private final AdjRibOut out = new AdjRibOut(Family.IPV4);

  private static Cidr prefix(int n) {
    return Cidr.parse("10.0." + n + ".0/24");
  }

  private static Optional<Route> route(int n) {
    Path path = Paths.of(n);
    return Optional.of(new Route(path.attributes(), path.nextHop()));
  }

  private List<Update> drain() {
    List<Update> updates = new ArrayList<>();
    for (Optional<Update> next = out.next(); next.isPresent(); next = out.next()) {
      updates.add(next.get());
    }
    return updates;
  }

  @Test
  void prefixesWithTheSameRouteShareAMessage() {
    out.set(prefix(1), route(1));
    out.set(prefix(2), route(2));
    out.set(prefix(3), route(1));
    List<Update> updates = drain();
    assertThat(updates).hasSize(2);
    assertThat(updates.getFirst().reach().getFirst().prefixes())
        .containsExactly(prefix(1), prefix(3));
    assertThat(out.size()).isEqualTo(3);
    assertThat(out.hasPending()).isFalse();
  }

  @Test
  void theNewerStateOverwritesWhatWasNotSent() {
    out.set(prefix(1), route(1));
    out.set(prefix(1), route(2));
    out.set(prefix(2), route(1));
    out.set(prefix(2), Optional.empty());
    List<Update> updates = drain();
    assertThat(updates).hasSize(1);
    assertThat(updates.getFirst().reach().getFirst().nextHop()).isEqualTo(route(2).get().nextHop());
    assertThat(updates.getFirst().reach().getFirst().prefixes()).containsExactly(prefix(1));
  }

  @Test
  void whatThePeerKnowsAlreadyIsNotSent() {
    out.set(prefix(1), route(1));
    drain();
    out.set(prefix(1), route(2));
    out.set(prefix(1), route(1));
    out.set(prefix(2), Optional.empty());
    assertThat(out.hasPending()).isFalse();
    assertThat(drain()).isEmpty();
    out.set(prefix(1), Optional.empty());
    out.set(prefix(1), route(1));
    assertThat(drain()).isEmpty();
    out.set(prefix(1), Optional.empty());
    assertThat(drain().getFirst().unreach().getFirst().prefixes()).containsExactly(prefix(1));
    assertThat(out.size()).isZero();
  }

  @Test
  void refreshSendsEverythingOnceMore() {
    out.set(prefix(1), route(1));
    out.set(prefix(2), route(1));
    drain();
    out.resend();
    out.set(prefix(2), Optional.empty());
    out.resend();
    List<Update> updates = drain();
    assertThat(updates).hasSize(2);
    assertThat(updates.get(0).unreach().getFirst().prefixes()).containsExactly(prefix(2));
    assertThat(updates.get(1).reach().getFirst().prefixes()).containsExactly(prefix(1));
  }

  @Test
  void aPeerThatReadsAllMessagesKnowsTheLatestState() {
    Random random = new Random(64);
    Map<Cidr, Route> wanted = new HashMap<>();
    Map<Cidr, Route> known = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      Cidr prefix = prefix(random.nextInt(40));
      Optional<Route> route =
          random.nextInt(3) == 0 ? Optional.empty() : route(1 + random.nextInt(3));
      out.set(prefix, route);
      route.ifPresentOrElse(set -> wanted.put(prefix, set), () -> wanted.remove(prefix));
      if (random.nextInt(5) == 0) {
        out.next().ifPresent(update -> read(update, known));
      }
      if (random.nextInt(500) == 0) {
        out.resend();
      }
    }
    drain().forEach(update -> read(update, known));
    assertThat(known).isEqualTo(wanted);
    Map<Cidr, Route> sent = new HashMap<>();
    out.forEachSent(sent::put);
    assertThat(sent).isEqualTo(wanted);
  }

  private static void read(Update update, Map<Cidr, Route> known) {
    update.unreach().forEach(unreach -> unreach.prefixes().forEach(known::remove));
    update
        .reach()
        .forEach(
            reach ->
                reach
                    .prefixes()
                    .forEach(
                        prefix ->
                            known.put(prefix, new Route(reach.attributes(), reach.nextHop()))));
  }
}

package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PingerTest {
  @Test
  void countsWhatIsMissingBetweenAnswers() {
    Pinger.Result result = Pinger.parse(output(200, i -> i != 60 && i != 61));

    assertThat(result.sent()).isEqualTo(200);
    assertThat(result.lost()).containsExactly(60, 61);
  }

  @Test
  void answersUnderWayAtTheEndAreNotLost() {
    assertThat(Pinger.parse(output(200, i -> i <= 197)).lost()).isEmpty();
  }

  @Test
  void aStreamThatDiedIsLostThoughNoAnswerFollows() {
    assertThat(Pinger.parse(output(200, i -> i <= 90)).lost())
        .isEqualTo(IntStream.rangeClosed(91, 150).boxed().toList());
  }

  @Test
  void answersOutOfOrderAndTwiceCountOnce() {
    String text = reply(2) + reply(1) + reply(1).replace("\n", " (DUP!)\n") + reply(3) + summary(3);

    assertThat(Pinger.parse(text).lost()).isEmpty();
  }

  @Test
  void anErrorIsNoAnswer() {
    String text = reply(1) + "From 10.0.0.1 icmp_seq=2 Destination Host Unreachable\n" + reply(3);

    assertThat(Pinger.parse(text + summary(3)).lost()).containsExactly(2);
  }

  @Test
  void withoutASummaryNothingIsConcluded() {
    assertThatThrownBy(() -> Pinger.parse("ping: connect: Network is unreachable\n"))
        .hasMessageContaining("Network is unreachable");
  }

  private static String output(int sent, IntPredicate answered) {
    return IntStream.rangeClosed(1, sent)
            .filter(answered)
            .mapToObj(PingerTest::reply)
            .collect(Collectors.joining())
        + summary(sent);
  }

  private static String reply(int sequence) {
    return "64 bytes from 10.244.1.1: icmp_seq=" + sequence + " ttl=61 time=0.170 ms\n";
  }

  private static String summary(int sent) {
    return "\n--- 10.244.1.1 ping statistics ---\n"
        + sent
        + " packets transmitted, 0 received, 0% packet loss, time 1ms\n";
  }
}

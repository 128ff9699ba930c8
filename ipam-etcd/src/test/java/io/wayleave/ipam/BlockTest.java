package io.wayleave.ipam;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BlockTest {
  private static final long NOW = 1_900_000_000L;

  @Test
  void addressesAreGivenInOrderUntilTheBlockIsFull() {
    Block.Taken first = block("10.0.0.0/30").take(3, Block.Terms.NONE);
    assertThat(first.addresses()).containsExactly(ip("10.0.0.0"), ip("10.0.0.1"), ip("10.0.0.2"));
    Block.Taken rest = first.block().take(3, Block.Terms.NONE);
    assertThat(rest.addresses()).containsExactly(ip("10.0.0.3"));
    assertThat(rest.block().freeCount()).isZero();
    assertThat(rest.block().take(1, Block.Terms.NONE).addresses()).isEmpty();
  }

  @Test
  void aFreedAddressIsUsedAgainAsLateAsPossible() {
    Block block = block("10.0.0.0/29").take(8, Block.Terms.NONE).block();
    block = block.release(List.of(ip("10.0.0.5")), 0).release(List.of(ip("10.0.0.1")), 0);
    Block.Taken again = block.take(1, Block.Terms.NONE);
    assertThat(again.addresses()).containsExactly(ip("10.0.0.5"));
    block = again.block().release(List.of(ip("10.0.0.5")), 0);
    assertThat(block.take(2, Block.Terms.NONE).addresses())
        .containsExactly(ip("10.0.0.1"), ip("10.0.0.5"));
  }

  @Test
  void addressesThatWereNeverUsedComeBeforeFreedOnes() {
    Block block =
        block("10.0.0.0/29").take(2, Block.Terms.NONE).block().release(List.of(ip("10.0.0.0")), 0);
    assertThat(block.take(7, Block.Terms.NONE).addresses())
        .startsWith(ip("10.0.0.2"))
        .endsWith(ip("10.0.0.7"), ip("10.0.0.0"));
  }

  @Test
  void aNamedAddressIsGivenOnceAndKeepsItsPlaceInNoQueue() {
    Block block = block("10.0.0.0/29").take(ip("10.0.0.6")).orElseThrow();
    assertThat(block.isUsed(ip("10.0.0.6"))).isTrue();
    assertThat(block.take(ip("10.0.0.6"))).isEmpty();
    block = block.release(List.of(ip("10.0.0.6")), 0).take(ip("10.0.0.6")).orElseThrow();
    assertThat(block.take(8, Block.Terms.NONE).addresses())
        .hasSize(7)
        .doesNotContain(ip("10.0.0.6"));
  }

  @Test
  void whatAWrongClockWroteDoesNotHoldForEver() {
    long now = 1_000_000;
    Block ahead = Block.empty(Cidr.parse("10.0.0.0/29"), "p", Optional.of("h"), "1", now + 20_000);
    assertThat(ahead.isIdleSince(now - 60)).isTrue();
    Block little = Block.empty(Cidr.parse("10.0.0.0/29"), "p", Optional.of("h"), "1", now + 600);
    assertThat(little.isIdleSince(now - 60)).isFalse();
  }

  @Test
  void releasingWhatIsFreeChangesNothing() {
    Block block =
        block("10.0.0.0/29").take(3, Block.Terms.NONE).block().release(List.of(ip("10.0.0.1")), 0);
    assertThat(block.release(List.of(ip("10.0.0.1"), ip("10.0.0.7")), 0)).isEqualTo(block);
  }

  @Test
  void anAddressOfAnotherBlockIsNoAddressOfThisOne() {
    assertThatThrownBy(() -> block("10.0.0.0/29").isUsed(ip("10.0.0.8")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10.0.0.8");
  }

  static Stream<Cidr> sizes() {
    return Stream.concat(
        IntStream.rangeClosed(20, 32).mapToObj(length -> Cidr.parse("10.16.0.0/" + length)),
        IntStream.rangeClosed(116, 128).mapToObj(length -> Cidr.parse("fd00:10:16::/" + length)));
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void theValueStaysSmallAndIsReadBackInEveryStateOfEverySize(Cidr cidr) {
    Block block =
        Block.empty(
            cidr,
            "p".repeat(253),
            Optional.of("n".repeat(253)),
            Long.toHexString(Long.MIN_VALUE),
            NOW);
    assertStored(block);
    Block full = block.take(Block.MAX_SIZE, Block.Terms.NONE).block();
    assertThat(full.freeCount()).isZero();
    assertStored(full);
    // The worst there is: everything was used and freed, in an order without pattern, and at as
    // many moments as there are.
    List<IpAddress> shuffled = new ArrayList<>(full.usedAddresses());
    Collections.shuffle(shuffled, new Random(1));
    assertStored(full.release(shuffled.subList(0, shuffled.size() / 2), 0));
    Block freed = full;
    for (int i = 0; i < shuffled.size(); i += 8) {
      freed = freed.release(shuffled.subList(i, Math.min(i + 8, shuffled.size())), NOW + i / 8);
    }
    assertThat(freed.usedCount()).isZero();
    assertStored(freed);
    assertThat(new HashSet<>(freed.take(Block.MAX_SIZE, Block.Terms.NONE).addresses()))
        .isEqualTo(new HashSet<>(shuffled));
  }

  private static void assertStored(Block block) {
    byte[] value = block.toJson();
    assertThat(value.length).isLessThan(8192);
    assertThat(Block.fromJson(value)).isEqualTo(block);
  }

  @Test
  void inTheLargestBlockAnAddressIsNotReusedBeforeTwoThousandOthers() {
    Block block = block("10.16.0.0/20").take(4096, Block.Terms.NONE).block();
    IpAddress first = ip("10.16.5.5");
    block = block.release(List.of(first), 0);
    List<IpAddress> others =
        block.usedAddresses().stream().filter(address -> !address.equals(first)).toList();
    block = block.release(others.subList(0, Block.MAX_QUEUE - 1), 0);
    assertThat(block.take(1, Block.Terms.NONE).addresses()).containsExactly(first);
    List<IpAddress> all = block.take(Block.MAX_QUEUE, Block.Terms.NONE).addresses();
    assertThat(all.getLast()).isEqualTo(others.get(Block.MAX_QUEUE - 2));
  }

  @Test
  void aValueThatCannotBeABlocksStateIsRefusedByField() {
    assertRefused("[]", "\"[]\"");
    assertRefused("{", "JSON object");
    assertRefused(json(2, "10.0.0.0/30", "", 0, ""), "schema");
    assertRefused(json(1, "10.0.0.1/30", "", 0, ""), "cidr");
    assertRefused(json(1, "10.0.0.0/8", "", 0, ""), "cidr");
    assertRefused(json(1, "10.0.0.0/30", "EA==", 0, ""), "used");
    assertRefused(json(1, "10.0.0.0/30", "%", 0, ""), "used");
    assertRefused(json(1, "10.0.0.0/30", "", 1, ""), "freed");
    assertRefused(json(1, "10.0.0.0/30", "", -1, ""), "freedCount");
    // Address 1 is used and in the queue; then address 1 is in the queue twice.
    assertRefused(json(1, "10.0.0.0/30", "Ag==", 1, "QA=="), "freed");
    assertRefused(json(1, "10.0.0.0/30", "", 2, "UA=="), "freed");
    assertThat(
            Block.fromJson(json(1, "10.0.0.0/30", "Ag==", 1, "gA==").getBytes(UTF_8)).usedCount())
        .isEqualTo(1);
  }

  private static void assertRefused(String json, String what) {
    assertThatThrownBy(() -> Block.fromJson(json.getBytes(UTF_8)))
        .as(json)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(what);
  }

  private static String json(int schema, String cidr, String used, int count, String freed) {
    return """
    {"schema":%d,"cidr":"%s","pool":"p","node":"n","incarnation":"1","used":"%s",\
    "freedCount":%d,"freed":"%s"}\
    """
        .formatted(schema, cidr, used, count, freed);
  }

  private static Block block(String cidr) {
    return Block.empty(Cidr.parse(cidr), "p", Optional.of("h1"), "1", 0);
  }

  private static IpAddress ip(String text) {
    return IpAddress.parse(text);
  }

  @Test
  void whatWasFreedJustNowIsKnown() {
    Block block = block("10.0.0.0/30").take(4, Block.Terms.NONE).block();
    block = block.release(List.of(ip("10.0.0.2")), NOW).release(List.of(ip("10.0.0.1")), NOW + 60);
    Block.Terms minute = new Block.Terms(List.of(), NOW + 60);
    assertThat(block.freeCount()).isEqualTo(2);
    assertThat(block.freeCount(minute)).isEqualTo(1);
    Block.Taken taken = Block.fromJson(block.toJson()).take(2, minute);
    assertThat(taken.addresses()).containsExactly(ip("10.0.0.2"));
    assertThat(taken.block().take(1, Block.Terms.NONE).addresses()).containsExactly(ip("10.0.0.1"));
  }

  @Test
  void ofManyMomentsTheOldestCountAsALittleYounger() {
    Block block = block("10.0.0.0/24").take(256, Block.Terms.NONE).block();
    List<IpAddress> all = block.usedAddresses();
    for (int i = 0; i < 100; i++) {
      block = block.release(List.of(all.get(i)), NOW + i);
    }
    for (int age = 1; age <= 100; age++) {
      // Never is an address given that was freed less than so long ago.
      assertThat(block.take(256, new Block.Terms(List.of(), NOW + 100 - age)).addresses())
          .hasSizeLessThanOrEqualTo(100 - age)
          .isSubsetOf(all.subList(0, 100 - age));
    }
    assertThat(block.freeCount(new Block.Terms(List.of(), NOW + 99))).isEqualTo(99);
    // An hour later nothing of it is kept, and a clock that was wrong holds nothing back.
    block = block.release(List.of(all.get(200)), NOW + 4000);
    assertThat(block.freeCount(new Block.Terms(List.of(), NOW + 1))).isEqualTo(100);
    block = block.release(List.of(all.get(201)), NOW - 4000);
    assertThat(block.freeCount(new Block.Terms(List.of(), NOW - 4000))).isEqualTo(101);
  }

  @Test
  void whatIsReservedIsGivenOnlyByName() {
    Block block = block("10.0.0.0/30");
    Block.Terms terms = new Block.Terms(List.of(Cidr.parse("10.0.0.0/31")), Long.MAX_VALUE);
    assertThat(block.freeCount(terms)).isEqualTo(2);
    assertThat(block.take(4, terms).addresses()).containsExactly(ip("10.0.0.2"), ip("10.0.0.3"));
    assertThat(block.take(ip("10.0.0.1"))).isPresent();
  }
}

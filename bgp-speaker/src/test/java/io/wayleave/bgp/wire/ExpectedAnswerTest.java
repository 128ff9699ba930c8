package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.DecodeOutcome.Decoded;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.bgp.wire.DecodeOutcome.TreatAsWithdraw;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Good messages, written by hand and not by the encoder, with one fault drawn at random, and what
 * the RFC says to that fault: RFC 4271 sections 6.1 to 6.3, RFC 6286, 7607 and 7606. What is
 * expected is known from how the fault was made, so nothing here can repeat an error of the
 * decoder's.
 */
class ExpectedAnswerTest {
  private static final int ROUNDS = 30_000;
  private static final HexFormat HEX = HexFormat.of();

  /** An answer as code, subcode and data in hexadecimal, "withdraw", "discard" or "good". */
  private record Case(String what, String message, String expected) {}

  private static final class Draw {
    private final Random random;

    Draw(long seed) {
      random = new Random(seed);
    }

    int below(int bound) {
      return random.nextInt(bound);
    }

    int between(int first, int last) {
      return first + random.nextInt(last - first + 1);
    }

    int other(int bound, int than) {
      int drawn = random.nextInt(bound - 1);
      return drawn < than ? drawn : drawn + 1;
    }

    String octets(int count) {
      byte[] octets = new byte[count];
      random.nextBytes(octets);
      return HEX.formatHex(octets);
    }

    /** A length that is not one of a good value. */
    int lengthBut(int good, int most) {
      return other(most + 1, good);
    }

    int notMultiple(int unit) {
      int length = below(5 * unit);
      return length % unit == 0 && length > 0 ? length + 1 : length;
    }
  }

  @Test
  @Timeout(60)
  void eachFaultHasTheAnswerOfTheRfc() {
    run(20_261_124, ROUNDS);
  }

  @Test
  @Tag("full")
  @Timeout(900)
  void manyFaultsHaveTheAnswerOfTheRfc() {
    run(System.nanoTime(), 200 * ROUNDS);
  }

  private static void run(long seed, int rounds) {
    System.out.println("faults of seed " + seed);
    Draw draw = new Draw(seed);
    List<Function<Draw, Case>> kinds =
        List.of(
            ExpectedAnswerTest::marker,
            ExpectedAnswerTest::length,
            ExpectedAnswerTest::type,
            ExpectedAnswerTest::open,
            ExpectedAnswerTest::attribute,
            ExpectedAnswerTest::attribute,
            ExpectedAnswerTest::attribute,
            ExpectedAnswerTest::fields);
    for (int i = 0; i < rounds; i++) {
      Case made = kinds.get(draw.below(kinds.size())).apply(draw);
      String answer;
      try {
        answer = answer(made.message());
      } catch (RuntimeException e) {
        throw new AssertionError(describe(seed, i, made), e);
      }
      if (!answer.equals(made.expected())) {
        assertThat(answer).as(describe(seed, i, made)).isEqualTo(made.expected());
      }
    }
  }

  private static String describe(long seed, int round, Case made) {
    return "seed %d round %d, %s: %s".formatted(seed, round, made.what(), made.message());
  }

  /** As a connection has it: first the stream is cut, then the message is read. */
  private static String answer(String message) {
    ByteBuf in = Unpooled.wrappedBuffer(HEX.parseHex(message));
    DecodeOutcome outcome =
        switch (FrameSplitter.next(in, Wire.EXTERNAL.maxReceive())) {
          case FrameSplitter.Frame.Bad(Reset reset) -> reset;
          case FrameSplitter.Frame.Complete(ByteBuf frame) ->
              BgpDecoder.decode(frame, Wire.EXTERNAL);
          case FrameSplitter.Frame.Incomplete() -> throw new IllegalStateException("incomplete");
        };
    return switch (outcome) {
      case Reset(var answer, String _) ->
          answer
              .map(sent -> sent.code() + "/" + sent.subcode() + " " + sent.data())
              .orElse("silence");
      case TreatAsWithdraw(Update withdrawals, List<UpdateError> _) ->
          "withdraw " + prefixes(withdrawals);
      case Decoded(Update update, List<UpdateError> discarded) ->
          discarded.isEmpty() ? "good" : "discard " + prefixes(update);
      case Decoded(BgpMessage _, List<UpdateError> _) -> "good";
      case DecodeOutcome.Ignored(String _) -> "ignored";
    };
  }

  private static String prefixes(Update update) {
    List<String> all = new ArrayList<>();
    update.unreach().forEach(gone -> gone.prefixes().forEach(prefix -> all.add("-" + prefix)));
    update.reach().forEach(told -> told.prefixes().forEach(prefix -> all.add("+" + prefix)));
    Collections.sort(all);
    return String.join(" ", all);
  }

  private static String message(int type, String body) {
    return message("ff".repeat(16), 19 + body.length() / 2, type, body);
  }

  private static String message(String marker, int length, int type, String body) {
    return marker + "%04x%02x".formatted(length, type) + body;
  }

  // ---- RFC 4271 section 6.1

  private static Case marker(Draw draw) {
    int at = draw.below(16);
    String marker = "ff".repeat(at) + "%02x".formatted(draw.below(255)) + "ff".repeat(15 - at);
    return new Case("marker", message(marker, 19, 4, ""), "1/1 ");
  }

  private static Case length(Draw draw) {
    int type = draw.between(1, 5);
    int shortest = new int[] {0, 29, 23, 21, 19, 23}[type];
    boolean tooLong = draw.below(2) == 0;
    int longest = type == 4 ? 19 : 4096;
    int length = tooLong ? draw.between(longest + 1, 0xffff) : draw.below(shortest);
    return new Case(
        "length of type " + type,
        message("ff".repeat(16), length, type, draw.octets(40)),
        // Section 6.4: a NOTIFICATION is never answered by one.
        type == 3 ? "silence" : "1/2 %04x".formatted(length));
  }

  private static Case type(Draw draw) {
    int type = draw.below(2) == 0 ? 0 : draw.between(6, 255);
    return new Case("type", message(type, draw.octets(8)), "1/3 %02x".formatted(type));
  }

  // ---- RFC 4271 section 6.2

  private static Case open(Draw draw) {
    int fault = draw.below(7);
    int version = fault == 0 ? draw.other(256, 4) : 4;
    int as = fault == 1 ? 0 : draw.between(1, 0xffff);
    int hold = fault == 2 ? draw.between(1, 2) : draw.below(3) == 0 ? 0 : draw.between(3, 0xffff);
    String id = fault == 3 ? "00000000" : "0a" + draw.octets(3);
    int parameter = fault == 4 ? draw.between(3, 254) : 2;
    // The capability of 4-octet AS numbers, with the number 0 (RFC 7607) as another fault.
    String capability = "4104" + (fault == 5 ? "00000000" : "0000" + "fde9");
    int length = fault == 6 ? draw.between(7, 255) : 6;
    String parameters = "%02x%02x".formatted(parameter, length) + capability;
    return new Case(
        "OPEN fault " + fault,
        message(
            1,
            "%02x%04x%04x".formatted(version, as, hold)
                + id
                + "%02x".formatted(parameters.length() / 2)
                + parameters),
        List.of("2/1 0004", "2/2 ", "2/6 ", "2/3 ", "2/4 ", "2/2 ", "2/0 ").get(fault));
  }

  // ---- RFC 4271 section 6.3 and RFC 7606

  private static final String GONE = "-172.16.0.0/16";
  private static final String ALL = "-10.0.0.0/8 -172.16.0.0/16 -2001:db8::/32 -fd00::/16";
  private static final String KEPT = "+10.0.0.0/8 +2001:db8::/32 -172.16.0.0/16 -fd00::/16";

  /** A good one of each kind, in ascending order of its code. */
  private static List<String> good() {
    return new ArrayList<>(
        List.of(
            "40 01 01 00",
            "40 02 06 0201 0000fde9",
            "40 03 04 c0000201",
            "80 04 04 00000001",
            "40 06 00",
            "c0 07 08 0000fde9 0a000001",
            "c0 08 04 00010002",
            "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8",
            "80 0f 06 0002 01 10 fd00",
            "c0 10 08 0002000100000001",
            "c0 20 0c 000000010000000200000003",
            "c0 63 02 0102"));
  }

  private static final List<Integer> CODES = List.of(1, 2, 3, 4, 6, 7, 8, 14, 15, 16, 32, 99);

  private static String attributeOf(int flags, int code, String value) {
    return "%02x %02x %02x ".formatted(flags, code, value.length() / 2) + value;
  }

  private static Case attribute(Draw draw) {
    List<String> attributes = good();
    int fault = draw.below(14);
    String expected;
    switch (fault) {
      case 0 -> {
        // Section 3 c): flags, whatever the attribute; an unknown one has no flags of its own.
        int at = draw.below(attributes.size() - 1);
        String one = attributes.get(at);
        int right = Integer.parseInt(one.substring(0, 2), 16) & 0xc0;
        int wrong = draw.other(4, right >> 6) << 6;
        attributes.set(at, "%02x".formatted(wrong) + one.substring(2));
        expected = "withdraw " + ALL;
      }
      case 1 -> {
        // Sections 7.1, 7.3, 7.4: lengths that withdraw.
        int code = List.of(1, 3, 4).get(draw.below(3));
        int length = draw.lengthBut(code == 1 ? 1 : 4, 20);
        replace(attributes, code, draw.octets(length));
        expected = "withdraw " + ALL;
      }
      case 2 -> {
        replace(attributes, 1, "%02x".formatted(draw.between(3, 255)));
        expected = "withdraw " + ALL;
      }
      case 3 -> {
        // Section 7.2: type, overrun, underrun, no numbers; RFC 7607: AS 0.
        replace(
            attributes,
            2,
            switch (draw.below(5)) {
              case 0 -> "%02x01".formatted(draw.between(5, 255)) + "0000fde9";
              case 1 -> "02%02x".formatted(draw.between(2, 255)) + "0000fde9";
              case 2 -> "02010000fde9" + draw.octets(1);
              case 3 -> "0200";
              default -> "020200000000" + "0000fde9";
            });
        expected = "withdraw " + ALL;
      }
      case 4 -> {
        // Sections 7.6 and 7.7.
        boolean atomic = draw.below(2) == 0;
        replace(attributes, atomic ? 6 : 7, draw.octets(draw.lengthBut(atomic ? 0 : 8, 20)));
        expected = "discard " + KEPT;
      }
      case 5 -> {
        // Sections 7.8 and 7.14, RFC 8092 section 6.
        int code = List.of(8, 16, 32).get(draw.below(3));
        int unit = code == 8 ? 4 : code == 16 ? 8 : 12;
        replace(attributes, code, draw.octets(draw.notMultiple(unit)));
        expected = "withdraw " + ALL;
      }
      case 6 -> {
        // Sections 7.5, 7.9, 7.10: from an external peer, whatever is in them.
        int code = List.of(5, 9, 10).get(draw.below(3));
        attributes.add(attributeOf(code == 5 ? 0x40 : 0x80, code, draw.octets(draw.below(20))));
        expected = "discard " + KEPT;
      }
      case 7 -> {
        // Section 3 d).
        int code = draw.between(1, 3);
        attributes.remove(CODES.indexOf(code));
        expected = "withdraw " + ALL;
      }
      case 8 -> {
        // Section 3 g).
        int at = draw.below(attributes.size());
        attributes.add(attributes.get(at));
        expected = CODES.get(at) == 14 || CODES.get(at) == 15 ? "3/1 " : "discard " + KEPT;
      }
      case 9 -> {
        // RFC 4271 section 6.3: a well-known one that we do not know.
        String unknown =
            attributeOf(draw.below(2) << 6, draw.between(100, 200), draw.octets(draw.below(5)));
        attributes.add(draw.below(attributes.size()), unknown);
        expected = "3/2 " + unknown.replace(" ", "");
      }
      case 10 -> {
        // Section 7.11: the length of the next hop.
        int length = draw.below(30);
        length = length == 16 ? 15 : length;
        String value = "000201" + "%02x".formatted(length) + draw.octets(length) + "00";
        replace(attributes, 14, value);
        expected = "3/9 " + "800e" + "%02x".formatted(value.length() / 2) + value;
      }
      case 11 -> {
        // Section 5.3: a prefix that cannot be.
        boolean reach = draw.below(2) == 0;
        String head = reach ? "00020110" + "20010db8000000000000000000000001" + "00" : "000201";
        String prefix =
            draw.below(2) == 0
                ? "%02x".formatted(draw.between(129, 255)) + draw.octets(40)
                : "40fd";
        replace(attributes, reach ? 14 : 15, head + prefix);
        String value = head + prefix;
        expected = "3/9 80" + (reach ? "0e" : "0f") + "%02x".formatted(value.length() / 2) + value;
      }
      case 12 -> {
        // Section 4: the last attribute goes on after the end of the list.
        attributes.add("c0 64 %02x ".formatted(draw.between(2, 255)) + "01");
        return update("attribute overrun", attributes, "withdraw " + ALL);
      }
      default -> expected = "good";
    }
    Collections.shuffle(attributes, draw.random);
    return update("attribute fault " + fault, attributes, expected);
  }

  private static void replace(List<String> attributes, int code, String value) {
    int at = CODES.indexOf(code);
    int flags = Integer.parseInt(attributes.get(at).substring(0, 2), 16);
    attributes.set(at, attributeOf(flags, code, value));
  }

  private static Case update(String what, List<String> attributes, String expected) {
    return new Case(
        what, message(2, body("10ac10", String.join("", attributes), "080a")), expected);
  }

  private static String body(String withdrawn, String attributes, String announced) {
    String plain = attributes.replace(" ", "");
    return "%04x".formatted(withdrawn.length() / 2)
        + withdrawn
        + "%04x".formatted(plain.length() / 2)
        + plain
        + announced;
  }

  /** RFC 4271 section 6.3: the three fields of the message, and their lengths. */
  private static Case fields(Draw draw) {
    String attributes = "400101004002060201" + "0000fde9400304c0000201";
    String body = body("10ac10", attributes, "080a");
    int octets = body.length() / 2;
    return switch (draw.below(6)) {
      case 0 ->
          new Case(
              "withdrawn length",
              message(2, "%04x".formatted(draw.between(octets - 3, 0xffff)) + body.substring(4)),
              "3/1 ");
      case 1 ->
          new Case(
              "attributes length",
              message(
                  2,
                  body.substring(0, 10)
                      + "%04x".formatted(draw.between(octets - 6, 0xffff))
                      + body.substring(14)),
              "3/1 ");
      case 2 ->
          new Case(
              "NLRI",
              message(
                  2, body("10ac10", attributes, "%02x".formatted(draw.between(33, 255)) + "0a")),
              "3/10 ");
      case 3 -> new Case("NLRI cut", message(2, body("10ac10", attributes, "100a")), "3/10 ");
      case 4 ->
          new Case(
              "withdrawn prefix",
              message(
                  2, body("%02x".formatted(draw.between(33, 255)) + "ac10", attributes, "080a")),
              "3/10 ");
      default ->
          // RFC 7606 section 5.2: an error and no prefix that it could be about.
          draw.below(2) == 0
              ? new Case("no prefix", message(2, body("10ac10", "40010103", "")), "3/6 40010103")
              : new Case(
                  "only a discard", message(2, body("10ac10", "40060100", "")), "discard " + GONE);
    };
  }
}

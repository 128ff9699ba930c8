package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A BGP community as people write it: {@code 65000:1} (RFC 1997) or, large, {@code 65000:1:2} (RFC
 * 8092).
 *
 * @param parts two numbers of 0 to 65535, or three of 0 to 4294967295
 */
public record BgpCommunity(List<Long> parts) {
  public BgpCommunity {
    parts = List.copyOf(parts);
    long max = parts.size() == 2 ? 0xffffL : 0xffff_ffffL;
    if ((parts.size() != 2 && parts.size() != 3)
        || parts.stream().anyMatch(part -> part < 0 || part > max)) {
      throw refusal(text(parts));
    }
  }

  @JsonCreator
  public static BgpCommunity parse(String text) {
    List<Long> parts = new ArrayList<>();
    for (String part : text.split(":", -1)) {
      if (!part.matches("[0-9]{1,10}")) {
        throw refusal(text);
      }
      parts.add(Long.parseLong(part));
    }
    return new BgpCommunity(parts);
  }

  public boolean isLarge() {
    return parts.size() == 3;
  }

  @Override
  @JsonValue
  public String toString() {
    return text(parts);
  }

  private static String text(List<Long> parts) {
    return parts.stream().map(part -> Long.toString(part)).collect(Collectors.joining(":"));
  }

  private static InvalidInputException refusal(String text) {
    return new InvalidInputException(
        "",
        text,
        "a community such as 65000:1 with numbers of 0 to 65535, or a large one such as 65000:1:2");
  }
}

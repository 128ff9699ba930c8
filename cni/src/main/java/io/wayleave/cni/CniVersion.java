package io.wayleave.cni;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The versions of the CNI specification that are spoken, oldest first. */
public enum CniVersion {
  V0_3_1("0.3.1"),
  V0_4_0("0.4.0"),
  V1_0_0("1.0.0"),
  V1_1_0("1.1.0");

  private final String text;

  CniVersion(String text) {
    this.text = text;
  }

  public static Optional<CniVersion> of(String text) {
    return Arrays.stream(values()).filter(version -> version.text.equals(text)).findFirst();
  }

  public static CniVersion newest() {
    return V1_1_0;
  }

  /** All of them in words, for messages. */
  static String supported() {
    return Arrays.stream(values()).map(CniVersion::toString).collect(Collectors.joining(", "));
  }

  public boolean isAtLeast(CniVersion other) {
    return compareTo(other) >= 0;
  }

  @Override
  public String toString() {
    return text;
  }
}

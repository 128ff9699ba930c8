package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Name, labels and annotations of a resource. {@code creationTimestamp}, {@code uid} and {@code
 * resourceVersion} are what an exported manifest of Calico carries; they are kept as text and never
 * acted upon.
 *
 * @param name unique among the resources of its kind
 * @param labels what selectors see, sorted by key
 * @param annotations notes that nothing selects by, sorted by key
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Metadata(
    String name,
    Map<String, String> labels,
    Map<String, String> annotations,
    Optional<String> creationTimestamp,
    Optional<String> uid,
    Optional<String> resourceVersion) {
  /** Longest name: a DNS subdomain's 253 characters. */
  public static final int MAX_NAME_LENGTH = 253;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_])?");
  private static final Pattern LABEL_KEY =
      Pattern.compile(
          "([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?/)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?");
  private static final int MAX_LABEL_VALUE_LENGTH = 253;

  @JsonCreator
  public Metadata {
    if (name == null || name.length() > MAX_NAME_LENGTH || !NAME.matcher(name).matches()) {
      throw new InvalidInputException(
          "name",
          name == null ? "" : name,
          "1 to 253 letters, digits, '-', '_' and '.', beginning and ending with a letter or"
              + " digit");
    }
    labels = sorted(labels);
    annotations = sorted(annotations);
    labels.forEach(Metadata::checkLabel);
    creationTimestamp = Absent.orEmpty(creationTimestamp);
    uid = Absent.orEmpty(uid);
    resourceVersion = Absent.orEmpty(resourceVersion);
  }

  public static Metadata of(String name) {
    return of(name, Map.of());
  }

  public static Metadata of(String name, Map<String, String> labels) {
    return new Metadata(
        name, labels, Map.of(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** The same with other labels. */
  public Metadata withLabels(Map<String, String> newLabels) {
    return new Metadata(name, newLabels, annotations, creationTimestamp, uid, resourceVersion);
  }

  private static void checkLabel(String key, String value) {
    if (key.length() > MAX_NAME_LENGTH || !LABEL_KEY.matcher(key).matches()) {
      throw new InvalidInputException(
          "labels",
          key,
          "label keys of letters, digits, '-', '_' and '.', with an optional DNS name and '/'"
              + " before");
    }
    if (value == null
        || value.length() > MAX_LABEL_VALUE_LENGTH
        || value.chars().anyMatch(Character::isISOControl)) {
      throw new InvalidInputException(
          "labels." + key, String.valueOf(value), "a text of at most 253 characters on one line");
    }
  }

  private static Map<String, String> sorted(Map<String, String> map) {
    return map == null ? Map.of() : java.util.Collections.unmodifiableMap(new TreeMap<>(map));
  }
}

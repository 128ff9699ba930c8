package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Name, labels and annotations of a resource. {@code creationTimestamp}, {@code uid} and {@code
 * resourceVersion} are what an exported manifest of Calico carries; they are kept as text and never
 * acted upon.
 *
 * @param name unique among the resources of its kind, or of its kind and namespace
 * @param namespace only of kinds that live in namespaces ({@link Kind#namespaced})
 * @param labels what selectors see, sorted by key
 * @param annotations notes that nothing selects by, sorted by key
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Metadata(
    String name,
    Optional<String> namespace,
    Map<String, String> labels,
    Map<String, String> annotations,
    Optional<String> creationTimestamp,
    Optional<String> uid,
    Optional<String> resourceVersion) {
  /** The namespace of what names none and needs one. */
  public static final String DEFAULT_NAMESPACE = "default";

  /** Longest namespace: a DNS label's 63 characters. */
  public static final int MAX_NAMESPACE_LENGTH = 63;

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
    namespace = Absent.orEmpty(namespace).filter(text -> !text.isEmpty());
    namespace.ifPresent(Metadata::checkNamespace);
    labels = sorted(labels);
    annotations = sorted(annotations);
    checkLabels("labels", labels);
    creationTimestamp = Absent.orEmpty(creationTimestamp);
    uid = Absent.orEmpty(uid);
    resourceVersion = Absent.orEmpty(resourceVersion);
  }

  public static Metadata of(String name) {
    return of(name, Map.of());
  }

  public static Metadata of(String name, Map<String, String> labels) {
    return new Metadata(
        name,
        Optional.empty(),
        labels,
        Map.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** The same with other labels. */
  public Metadata withLabels(Map<String, String> newLabels) {
    return new Metadata(
        name, namespace, newLabels, annotations, creationTimestamp, uid, resourceVersion);
  }

  /** The same with other annotations. */
  public Metadata withAnnotations(Map<String, String> newAnnotations) {
    return new Metadata(
        name, namespace, labels, newAnnotations, creationTimestamp, uid, resourceVersion);
  }

  /** The same in another namespace. */
  public Metadata withNamespace(String newNamespace) {
    return new Metadata(
        name,
        Optional.of(newNamespace),
        labels,
        annotations,
        creationTimestamp,
        uid,
        resourceVersion);
  }

  /** The same, in the default namespace if it names none. */
  Metadata namespaced() {
    return namespace.isPresent() ? this : withNamespace(DEFAULT_NAMESPACE);
  }

  /**
   * Refuses a text that can be no namespace.
   *
   * @throws InvalidInputException naming the field {@code namespace}
   */
  public static void checkNamespace(String namespace) {
    if (namespace.length() > MAX_NAMESPACE_LENGTH || !NAME.matcher(namespace).matches()) {
      throw new InvalidInputException(
          "namespace",
          namespace,
          "1 to "
              + MAX_NAMESPACE_LENGTH
              + " letters, digits, '-', '_' and '.', beginning and ending with a letter or digit");
    }
  }

  /** Refuses labels that no selector could name or that are too long, naming the field. */
  public static void checkLabels(String field, Map<String, String> labels) {
    labels.forEach((key, value) -> checkLabel(field, key, value));
  }

  private static void checkLabel(String field, String key, String value) {
    if (key.length() > MAX_NAME_LENGTH || !LABEL_KEY.matcher(key).matches()) {
      throw new InvalidInputException(
          field,
          key,
          "label keys of letters, digits, '-', '_' and '.', with an optional DNS name and '/'"
              + " before");
    }
    if (value == null
        || value.length() > MAX_LABEL_VALUE_LENGTH
        || value.chars().anyMatch(Character::isISOControl)) {
      throw new InvalidInputException(
          field + "." + key, String.valueOf(value), "a text of at most 253 characters on one line");
    }
  }

  private static Map<String, String> sorted(Map<String, String> map) {
    return map == null ? Labels.NONE : Labels.copyOf(map);
  }
}

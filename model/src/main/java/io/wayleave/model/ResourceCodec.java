package io.wayleave.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Resources as text: JSON in the datastore, YAML or JSON in manifests. Reading is strict: an
 * unknown field, kind or version, a value of the wrong type and a value out of range are each
 * refused with the path of the field, and a document is taken as a whole or not at all. Thread
 * safe.
 */
public final class ResourceCodec {
  /** The version that is written. */
  public static final String API_VERSION = "wayleave.io/v1";

  /** Manifests of Calico's v3 API are read as they are, where the kind exists here. */
  public static final String CALICO_API_VERSION = "projectcalico.org/v3";

  private static final ObjectMapper JSON = configure(JsonMapper.builder().build());
  private static final ObjectMapper YAML =
      configure(
          new ObjectMapper(
              YAMLFactory.builder()
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                  .disable(YAMLGenerator.Feature.SPLIT_LINES)
                  .build()));

  private ResourceCodec() {}

  /**
   * A mapper with the project's settings, for other JSON of ours (not resources). Do not
   * reconfigure it.
   */
  public static ObjectMapper jsonMapper() {
    return JSON;
  }

  /** A YAML mapper with the project's settings, for configuration files. Do not reconfigure it. */
  public static ObjectMapper yamlMapper() {
    return YAML;
  }

  /** The resource as a JSON tree with {@code apiVersion} and {@code kind} first. */
  public static ObjectNode toTree(Resource resource) {
    ObjectNode tree = JSON.createObjectNode();
    tree.put("apiVersion", API_VERSION);
    tree.put("kind", resource.kind().title());
    ObjectNode body = JSON.valueToTree(resource);
    tree.setAll(body);
    return tree;
  }

  /** The resource as compact JSON in UTF-8, as the datastore keeps it. */
  public static byte[] toJson(Resource resource) {
    try {
      return JSON.writeValueAsBytes(toTree(resource));
    } catch (IOException e) {
      throw new IllegalStateException("a resource can always be written", e);
    }
  }

  /** The resource as one YAML document. */
  public static String toYaml(Resource resource) {
    try {
      return YAML.writeValueAsString(toTree(resource));
    } catch (IOException e) {
      throw new IllegalStateException("a resource can always be written", e);
    }
  }

  /** Reads what {@link #toJson} wrote. */
  public static Resource fromJson(byte[] json) {
    try {
      return fromTree(JSON.readTree(json));
    } catch (IOException e) {
      throw notReadable(e);
    }
  }

  /** Reads a resource of one kind, refusing others. */
  public static <R extends Resource> R fromJson(byte[] json, Class<R> type) {
    Resource resource = fromJson(json);
    if (!type.isInstance(resource)) {
      throw new InvalidInputException("kind", resource.kind().title(), Kind.of(type).title());
    }
    return type.cast(resource);
  }

  /**
   * One resource of a manifest before it is understood, and where it stands.
   *
   * @param position such as {@code document 2} or {@code document 2, items[0]}; empty when the
   *     manifest has nothing else
   */
  public record Document(String position, JsonNode tree) {}

  /** Reads every document of a YAML or JSON text as {@link #documents} finds them. */
  public static List<Resource> fromManifest(String text) {
    List<Resource> resources = new ArrayList<>();
    for (Document document : documents(text)) {
      try {
        resources.add(fromTree(document.tree()));
      } catch (InvalidInputException e) {
        throw e.within(document.position());
      }
    }
    return resources;
  }

  /**
   * Takes a YAML or JSON text apart without understanding it, for callers that tell their user
   * which of many documents they refuse. A list ({@code kind: List}, or {@code IPPoolList} as other
   * tools print it) stands for its items; empty documents are passed over.
   *
   * @throws InvalidInputException when the text is not well-formed or has no document
   */
  public static List<Document> documents(String text) {
    List<JsonNode> trees = new ArrayList<>();
    try (JsonParser parser = YAML.createParser(text);
        MappingIterator<JsonNode> iterator = YAML.readerFor(JsonNode.class).readValues(parser)) {
      while (iterator.hasNextValue()) {
        trees.add(iterator.nextValue());
      }
    } catch (IOException e) {
      throw notReadable(e);
    }
    List<Document> documents = new ArrayList<>();
    for (int i = 0; i < trees.size(); i++) {
      JsonNode tree = trees.get(i);
      String position = trees.size() == 1 ? "" : "document " + (i + 1);
      if (tree.isValueNode() && tree.asText("").isEmpty()) {
        continue; // an empty document between two separators
      }
      if (tree.path("kind").asText().endsWith("List") && tree.path("items").isArray()) {
        for (int j = 0; j < tree.path("items").size(); j++) {
          String item = "items[" + j + "]";
          documents.add(
              new Document(
                  position.isEmpty() ? item : position + ", " + item, tree.path("items").get(j)));
        }
      } else {
        documents.add(new Document(position, tree));
      }
    }
    if (documents.isEmpty()) {
      throw new InvalidInputException(
          "", "", "at least one resource with apiVersion, kind, metadata and spec");
    }
    return documents;
  }

  /**
   * Reads one YAML document that is no resource, such as a configuration file; missing when empty.
   */
  public static JsonNode readYaml(String text) {
    try {
      return YAML.readTree(text);
    } catch (IOException e) {
      throw notReadable(e);
    }
  }

  /** Reads a resource from a parsed document. */
  public static Resource fromTree(JsonNode document) {
    if (!(document instanceof ObjectNode object)) {
      throw new InvalidInputException(
          "",
          abbreviate(document.toString()),
          "an object with apiVersion, kind, metadata and spec");
    }
    String version = object.path("apiVersion").asText();
    if (!version.equals(API_VERSION) && !version.equals(CALICO_API_VERSION)) {
      throw new InvalidInputException(
          "apiVersion", version, API_VERSION + " or " + CALICO_API_VERSION);
    }
    String title = object.path("kind").asText();
    Kind kind =
        Kind.ofTitle(title)
            .orElseThrow(() -> new InvalidInputException("kind", title, Kind.titles()));
    ObjectNode body = object.deepCopy();
    body.remove(List.of("apiVersion", "kind"));
    JsonNode namespace = body.path("metadata").path("namespace");
    if (!kind.namespaced() && !namespace.asText("").isEmpty()) {
      throw new InvalidInputException(
          "metadata.namespace", namespace.asText(), "nothing: a " + title + " is in no namespace");
    }
    return read(JSON, body, kind.type());
  }

  /**
   * Reads any record of ours from a tree, with refusals that name the path of the field.
   *
   * @throws InvalidInputException when the tree does not fit the type
   */
  public static <T> T read(ObjectMapper mapper, JsonNode tree, Class<T> type) {
    try {
      return mapper.treeToValue(tree, type);
    } catch (JsonMappingException e) {
      throw refusal(e, tree);
    } catch (JacksonException e) {
      throw notReadable(e);
    }
  }

  private static InvalidInputException refusal(JsonMappingException e, JsonNode tree) {
    String path = path(e.getPath());
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof InvalidInputException invalid) {
        return invalid.within(path);
      }
    }
    if (e instanceof UnrecognizedPropertyException unknown) {
      String known =
          unknown.getKnownPropertyIds() == null
              ? "none"
              : unknown.getKnownPropertyIds().stream()
                  .map(Object::toString)
                  .sorted()
                  .collect(Collectors.joining(", "));
      InvalidInputException refusal =
          new InvalidInputException(
              path, value(tree, e.getPath()), "one of the fields that exist here: " + known);
      refusal.initCause(e);
      return refusal;
    }
    String expected =
        e instanceof MismatchedInputException mismatch && mismatch.getTargetType() != null
            ? describe(mismatch.getTargetType())
            : "a value of another type";
    InvalidInputException refusal =
        new InvalidInputException(path, value(tree, e.getPath()), expected);
    refusal.initCause(e);
    return refusal;
  }

  private static String describe(Class<?> type) {
    if (type.isEnum()) {
      List<String> names = new ArrayList<>();
      for (Object constant : type.getEnumConstants()) {
        names.add(constant.toString());
      }
      return String.join(", ", names);
    }
    if (type == Boolean.class || type == boolean.class) {
      return "true or false";
    }
    if (Number.class.isAssignableFrom(type) || type.isPrimitive()) {
      return "a number";
    }
    if (CharSequence.class.isAssignableFrom(type)) {
      return "a text";
    }
    if (Iterable.class.isAssignableFrom(type)) {
      return "a list";
    }
    if (Map.class.isAssignableFrom(type) || type.isRecord()) {
      return "an object with fields";
    }
    return "a " + type.getSimpleName();
  }

  private static String path(List<JsonMappingException.Reference> references) {
    StringBuilder path = new StringBuilder();
    for (JsonMappingException.Reference reference : references) {
      if (reference.getFieldName() == null) {
        path.append('[').append(reference.getIndex()).append(']');
      } else {
        path.append(path.isEmpty() ? "" : ".").append(reference.getFieldName());
      }
    }
    return path.toString();
  }

  private static String value(JsonNode tree, List<JsonMappingException.Reference> references) {
    JsonNode node = tree;
    for (JsonMappingException.Reference reference : references) {
      node =
          reference.getFieldName() == null
              ? node.path(reference.getIndex())
              : node.path(reference.getFieldName());
    }
    return abbreviate(node.isValueNode() ? node.asText() : node.toString());
  }

  private static InvalidInputException notReadable(IOException e) {
    String message =
        e instanceof JacksonException jackson ? jackson.getOriginalMessage() : e.getMessage();
    String where =
        e instanceof JacksonException jackson && jackson.getLocation() != null
            ? "line "
                + jackson.getLocation().getLineNr()
                + ", column "
                + jackson.getLocation().getColumnNr()
            : "the text";
    String firstLine = message == null ? "" : message.lines().findFirst().orElse("");
    InvalidInputException refusal =
        new InvalidInputException(where, abbreviate(firstLine), "well-formed YAML or JSON");
    refusal.initCause(e);
    return refusal;
  }

  private static String abbreviate(String text) {
    return text.length() <= 80 ? text : text.substring(0, 77) + "...";
  }

  private static ObjectMapper configure(ObjectMapper mapper) {
    mapper.registerModule(new Jdk8Module());
    mapper.enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    mapper.enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    mapper.enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);
    mapper.disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT);
    mapper
        .getFactory()
        .configure(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature(), true);
    return mapper;
  }
}

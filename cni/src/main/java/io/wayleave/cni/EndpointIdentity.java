package io.wayleave.cni;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Checks;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.Subject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What policies, and pools, know an endpoint by.
 *
 * <p>Labels, a later one replacing an earlier one of the same key: {@code labels} (an object) of
 * the configuration, {@code args.cni.labels} (a list of {@code {key, value}}), {@code
 * WAYLEAVE_LABELS} of CNI_ARGS, and the variable {@code WAYLEAVE_LABELS} (both {@code
 * key=value,key=value}), which is for runtimes that hand their own environment to plugins and
 * cannot pass arguments.
 *
 * <p>The namespace: {@code K8S_POD_NAMESPACE} of CNI_ARGS, else {@code namespace} of the
 * configuration. Its labels: {@code namespaceLabels} of the configuration, for all containers of
 * the network. A namespace that is named has its name in the labels that Kubernetes and Calico have
 * for it.
 *
 * <p>{@code profiles}, a list of names, and {@code ports}, a list of {@code {name, protocol,
 * port}}, are the configuration's.
 *
 * @param namespace the namespace's name, if one is told
 */
public record EndpointIdentity(
    Map<String, String> labels,
    Optional<String> namespace,
    Map<String, String> namespaceLabels,
    List<String> profiles,
    List<EndpointPort> ports) {
  /** Of no namespace in particular, and with nothing that could be selected by. */
  static final EndpointIdentity NONE =
      new EndpointIdentity(Map.of(), Optional.empty(), Map.of(), List.of(), List.of());

  private static final String NAMESPACE = "K8S_POD_NAMESPACE";

  public EndpointIdentity {
    labels = Map.copyOf(labels);
    namespaceLabels = Map.copyOf(namespaceLabels);
    profiles = List.copyOf(profiles);
    ports = List.copyOf(ports);
  }

  static EndpointIdentity of(ObjectNode config, RequestFrame frame, CniArguments arguments) {
    Optional<String> namespace = namespace(config, arguments);
    return new EndpointIdentity(
        labels(config, frame, arguments),
        namespace,
        namespaceLabels(config, namespace),
        profiles(config),
        ports(config));
  }

  /** The metadata of an endpoint of that name. */
  Metadata metadata(String name) {
    Metadata plain = Metadata.of(name, labels);
    return namespace.map(plain::withNamespace).orElse(plain);
  }

  private static Optional<String> namespace(ObjectNode config, CniArguments arguments) {
    Optional<String> told = arguments.get(NAMESPACE).filter(name -> !name.isEmpty());
    if (told.isPresent()) {
      return checked("CNI_ARGS." + NAMESPACE, told.get());
    }
    JsonNode own = config.path("namespace");
    if (own.isMissingNode()) {
      return Optional.empty();
    }
    return checked("namespace", textOf("namespace", own));
  }

  private static Optional<String> checked(String field, String namespace) {
    try {
      Metadata.checkNamespace(namespace);
      return Optional.of(namespace);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(field, e.value(), e.allowed());
    }
  }

  private static Map<String, String> labels(
      ObjectNode config, RequestFrame frame, CniArguments arguments) {
    Map<String, String> labels = labels("labels", config);
    JsonNode conventional = config.path("args").path("cni").path("labels");
    if (!conventional.isMissingNode() && !conventional.isArray()) {
      throw new InvalidInputException(
          "args.cni.labels",
          NetworkConfig.text(conventional),
          "a list of objects with key and value");
    }
    for (int i = 0; i < conventional.size(); i++) {
      String field = "args.cni.labels[" + i + "]";
      JsonNode entry = conventional.get(i);
      labels.put(
          textOf(field + ".key", entry.path("key")), textOf(field + ".value", entry.path("value")));
    }
    arguments
        .get(CniArguments.LABELS)
        .ifPresent(text -> putLabels("CNI_ARGS." + CniArguments.LABELS, text, labels));
    frame
        .variable(CniArguments.LABELS)
        .ifPresent(text -> putLabels(CniArguments.LABELS, text, labels));
    // Refuses what the endpoint would refuse, before anything is made.
    Metadata.checkLabels("labels", labels);
    return labels;
  }

  private static Map<String, String> namespaceLabels(
      ObjectNode config, Optional<String> namespace) {
    Map<String, String> labels = labels("namespaceLabels", config);
    namespace.ifPresent(
        name -> Subject.NAMESPACE_NAME_LABELS.forEach(label -> labels.put(label, name)));
    return labels;
  }

  /** The labels in an object of the configuration; none when it is not there. */
  private static Map<String, String> labels(String field, ObjectNode config) {
    JsonNode own = config.path(field);
    if (!own.isMissingNode() && !own.isObject()) {
      throw new InvalidInputException(field, NetworkConfig.text(own), "an object of texts");
    }
    Map<String, String> labels = new HashMap<>();
    own.properties()
        .forEach(
            label ->
                labels.put(label.getKey(), textOf(field + "." + label.getKey(), label.getValue())));
    Metadata.checkLabels(field, labels);
    return labels;
  }

  private static String textOf(String field, JsonNode value) {
    if (!value.isTextual()) {
      throw new InvalidInputException(field, NetworkConfig.text(value), "a text");
    }
    return value.asText();
  }

  private static void putLabels(String field, String text, Map<String, String> labels) {
    for (String label : text.split(",", -1)) {
      int equals = label.indexOf('=');
      if (equals < 1) {
        throw new InvalidInputException(field, text, "key=value, more of them after commas");
      }
      labels.put(label.substring(0, equals).strip(), label.substring(equals + 1).strip());
    }
  }

  private static List<String> profiles(ObjectNode config) {
    List<String> profiles = new ArrayList<>();
    JsonNode list = list("profiles", config, "a list of names of profiles");
    for (int i = 0; i < list.size(); i++) {
      profiles.add(textOf("profiles[" + i + "]", list.get(i)));
    }
    Checks.names("profiles", profiles);
    return profiles;
  }

  private static List<EndpointPort> ports(ObjectNode config) {
    List<EndpointPort> ports = new ArrayList<>();
    JsonNode list = list("ports", config, "a list of objects with name, protocol and port");
    for (int i = 0; i < list.size(); i++) {
      try {
        ports.add(ResourceCodec.read(ResourceCodec.jsonMapper(), list.get(i), EndpointPort.class));
      } catch (InvalidInputException e) {
        throw e.within("ports[" + i + "]");
      }
    }
    return ports;
  }

  private static JsonNode list(String field, ObjectNode config, String allowed) {
    JsonNode list = config.path(field);
    if (!list.isMissingNode() && !list.isArray()) {
      throw new InvalidInputException(field, NetworkConfig.text(list), allowed);
    }
    return list;
  }
}

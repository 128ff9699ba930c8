package io.wayleave.cni;

import static io.wayleave.cni.CniException.Code.UNSUPPORTED_FIELD;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.InvalidInputException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What an ADD reads of the network configuration and of the environment beside it.
 *
 * <p>Fields of Wayleave's own: {@code agentSocket}, {@code spoolDir}, {@code timeoutSeconds} (these
 * are the launcher's), {@code mtu}, and those of {@link EndpointIdentity}. The other well-known
 * fields of the specification are accepted where Wayleave does what they ask; any other field is
 * refused, by its name and value, with code 2. {@code args} alone may hold anything (CNI
 * conventions, "args").
 *
 * @param identity what the endpoint is selected by
 * @param wishes which addresses are wanted
 * @param dns for the result, as it stands in the configuration
 */
record NetworkConfig(
    String name,
    OptionalInt mtu,
    EndpointIdentity identity,
    AddressWishes wishes,
    Optional<ObjectNode> dns) {
  static final int MIN_MTU = 1280; // RFC 8200 section 5; a smaller link would lose IPv6
  static final int MAX_MTU = 65535;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");
  // Written by the runtime or meant for it, read by the launcher, or checked below.
  private static final Set<String> KNOWN =
      Set.of(
          "cniVersion",
          "cniVersions",
          "name",
          "type",
          "capabilities",
          "runtimeConfig",
          "args",
          "dns",
          "ipam",
          "ipMasq",
          "prevResult",
          "disableCheck",
          "disableGC",
          "agentSocket",
          "spoolDir",
          "timeoutSeconds",
          "mtu",
          "labels",
          "namespace",
          "namespaceLabels",
          "profiles",
          "ports");
  private static final String OWN =
      "agentSocket, spoolDir, timeoutSeconds, mtu, labels, namespace, namespaceLabels, profiles,"
          + " ports and the well-known"
          + " fields of CNI";

  static NetworkConfig of(CniRequest request) throws CniException {
    ObjectNode config = request.config();
    refuseUnsupported(config);
    try {
      if (!config.path("prevResult").isMissingNode()) {
        throw new InvalidInputException(
            "prevResult",
            "a result of an earlier plugin",
            "none; wayleave makes the interface, so it is the first plugin of the list");
      }
      CniArguments arguments = CniArguments.of(request.frame());
      return new NetworkConfig(
          name(config),
          mtu(config),
          EndpointIdentity.of(config, request.frame(), arguments),
          AddressWishes.of(config, arguments),
          dns(config));
    } catch (InvalidInputException e) {
      throw e.field().startsWith("CNI_") || e.field().startsWith("WAYLEAVE_")
          ? CniException.invalidEnvironment(e)
          : CniException.invalidConfig(e);
    }
  }

  private static void refuseUnsupported(ObjectNode config) throws CniException {
    for (Map.Entry<String, JsonNode> field : config.properties()) {
      if (!KNOWN.contains(field.getKey()) && !field.getKey().startsWith("cni.dev/")) {
        throw unsupported(field.getKey(), field.getValue(), OWN);
      }
    }
    AddressWishes.refuseUnsupported(config.path("ipam"));
    JsonNode masquerade = config.path("ipMasq");
    if (!masquerade.isMissingNode() && !(masquerade.isBoolean() && !masquerade.asBoolean())) {
      throw unsupported("ipMasq", masquerade, "false; wayleave does not translate addresses");
    }
    for (Map.Entry<String, JsonNode> capability : config.path("capabilities").properties()) {
      boolean wanted = capability.getValue().asBoolean(true);
      if (wanted && !capability.getKey().equals("ips")) {
        throw unsupported("capabilities." + capability.getKey(), capability.getValue(), "ips");
      }
    }
    for (Map.Entry<String, JsonNode> argument : config.path("runtimeConfig").properties()) {
      if (!argument.getKey().equals("ips")) {
        throw unsupported("runtimeConfig." + argument.getKey(), argument.getValue(), "ips");
      }
    }
  }

  static CniException unsupported(String field, JsonNode value, String allowed) {
    InvalidInputException refusal = new InvalidInputException(field, text(value), allowed);
    return new CniException(
        UNSUPPORTED_FIELD,
        "unsupported field in the network configuration",
        refusal.getMessage(),
        refusal);
  }

  private static String name(ObjectNode config) {
    JsonNode name = config.path("name");
    if (!name.isTextual() || !NAME.matcher(name.asText()).matches()) {
      throw new InvalidInputException(
          "name",
          text(name),
          "the network's name: a letter or digit, then letters, digits, '_', '.' and '-'");
    }
    return name.asText();
  }

  private static OptionalInt mtu(ObjectNode config) {
    JsonNode mtu = config.path("mtu");
    if (mtu.isMissingNode()) {
      return OptionalInt.empty();
    }
    if (!mtu.isInt() || mtu.asInt() < MIN_MTU || mtu.asInt() > MAX_MTU) {
      throw new InvalidInputException(
          "mtu", text(mtu), "a number of " + MIN_MTU + " to " + MAX_MTU);
    }
    return OptionalInt.of(mtu.asInt());
  }

  private static Optional<ObjectNode> dns(ObjectNode config) {
    return switch (config.path("dns")) {
      case ObjectNode dns -> dns.isEmpty() ? Optional.empty() : Optional.of(dns);
      case JsonNode other when other.isMissingNode() -> Optional.empty();
      case JsonNode other ->
          throw new InvalidInputException("dns", text(other), "an object with nameservers");
    };
  }

  static String text(JsonNode node) {
    String text = node.isMissingNode() ? "" : node.isTextual() ? node.asText() : node.toString();
    return text.length() <= 200 ? text : text.substring(0, 197) + "...";
  }
}

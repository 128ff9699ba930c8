package io.wayleave.cni;

import static io.wayleave.cni.CniException.Code.DAMAGED;
import static io.wayleave.cni.CniException.Code.FAILED;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.MacAddress;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * CHECK: compares what ADD made with what is there. What {@code prevResult} no longer lists is not
 * looked for, and its MAC counts, as a plugin after this one may have changed them. Policy and
 * routes on the host are not looked at: the agent repairs those by itself. The caller holds the
 * key's lock.
 */
final class CheckVerb {
  private final CniOptions options;
  private final Wiring wiring;
  private final AttachmentRecords records;

  CheckVerb(CniOptions options, Wiring wiring, AttachmentRecords records) {
    this.options = options;
    this.wiring = wiring;
    this.records = records;
  }

  void run(CniRequest request, NetworkNamespace namespace) throws CniException {
    AttachmentKey key = request.key().orElseThrow();
    if (!(request.config().path("prevResult") instanceof ObjectNode previous)) {
      throw CniException.invalidConfig(
          new InvalidInputException(
              "prevResult",
              request.config().path("prevResult").toString(),
              "the result of the ADD"));
    }
    try {
      WorkloadEndpoint endpoint =
          records
              .read(key)
              .flatMap(Attachment::endpoint)
              .orElseThrow(() -> damaged(key, "this host has no attachment of it"));
      WirePlan plan = new WirePlan(endpoint, namespace, options.defaultMtu().getAsInt());
      List<String> damage =
          wiring.findDamage(plan, mac(previous, endpoint), addresses(previous, endpoint));
      if (!damage.isEmpty()) {
        throw damaged(key, String.join("; ", damage));
      }
    } catch (InvalidInputException e) {
      throw CniException.invalidConfig(e.within("prevResult"));
    } catch (IOException e) {
      throw new CniException(FAILED, "the container could not be checked", e.getMessage(), e);
    }
  }

  /** The MAC that the result gives for the interface in the container. */
  private static MacAddress mac(ObjectNode previous, WorkloadEndpoint endpoint) {
    for (JsonNode candidate : previous.path("interfaces")) {
      boolean inContainer = !candidate.path("sandbox").asText().isEmpty();
      if (inContainer && candidate.path("name").asText().equals(endpoint.spec().endpoint())) {
        Optional<String> mac =
            Optional.of(candidate.path("mac").asText()).filter(text -> !text.isEmpty());
        return mac.map(MacAddress::parse).orElse(endpoint.spec().mac());
      }
    }
    return endpoint.spec().mac();
  }

  /** Those of the endpoint that the result still lists. */
  private static List<Cidr> addresses(ObjectNode previous, WorkloadEndpoint endpoint) {
    List<Cidr> listed = new ArrayList<>();
    for (JsonNode address : previous.path("ips")) {
      listed.add(Cidr.around(address.path("address").asText()));
    }
    return endpoint.spec().ipNetworks().stream().filter(listed::contains).toList();
  }

  private static CniException damaged(AttachmentKey key, String details) {
    return new CniException(
        DAMAGED, "the container's network is damaged", "container " + key + ": " + details);
  }
}

package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Optional;

/** BGP settings of the whole fabric; the one named {@code default} is in force. */
@JsonPropertyOrder({"metadata", "spec"})
public record BgpConfiguration(Metadata metadata, Spec spec) implements Resource {
  /** Name of the one that is in force. */
  public static final String DEFAULT_NAME = "default";

  /** AS of a node that names none (RFC 6996 private range). */
  public static final Asn DEFAULT_ASN = new Asn(64512);

  @JsonCreator
  public BgpConfiguration {
    Absent.required("metadata", metadata, "metadata with a name");
    if (!metadata.name().equals(DEFAULT_NAME)) {
      throw new InvalidInputException("metadata.name", metadata.name(), DEFAULT_NAME);
    }
    Absent.required("spec", spec, "a spec");
  }

  /** What is in force where no such resource exists. */
  public static BgpConfiguration defaults() {
    return new BgpConfiguration(
        Metadata.of(DEFAULT_NAME), new Spec(Optional.empty(), Optional.empty(), Optional.empty()));
  }

  /**
   * Fabric-wide BGP settings.
   *
   * @param nodeToNodeMeshEnabled whether every node peers with every other by iBGP; when absent,
   *     they do while no {@code BGPPeer} exists at all
   * @param asNumber AS of nodes that name none; 64512 when absent
   * @param listenPort TCP port that agents listen on and mesh peers connect to; 179 when absent
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      Optional<Boolean> nodeToNodeMeshEnabled,
      Optional<Asn> asNumber,
      Optional<Integer> listenPort) {
    @JsonCreator
    public Spec {
      nodeToNodeMeshEnabled = Absent.orEmpty(nodeToNodeMeshEnabled);
      asNumber = Absent.orEmpty(asNumber);
      listenPort = Absent.orEmpty(listenPort);
      listenPort.ifPresent(
          port -> {
            if (port < 1 || port > 65535) {
              throw new InvalidInputException("listenPort", port.toString(), "1 to 65535");
            }
          });
    }
  }
}

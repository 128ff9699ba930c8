package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.wayleave.model.selector.Selector;
import java.util.Optional;

/** A range of addresses for containers, cut into blocks that hosts claim. */
@JsonPropertyOrder({"metadata", "spec"})
public record IpPool(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public IpPool {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec with a cidr");
  }

  /**
   * The settings of a pool. A pool's {@code cidr} and {@code blockSize} never change after
   * creation.
   *
   * @param cidr the range
   * @param blockSize prefix length of a block: 20 to 32 for IPv4 (26 when absent), 116 to 128 for
   *     IPv6 (122 when absent); never shorter than the pool's own
   * @param disabled whether new addresses are no longer given from here; existing ones stay
   * @param disableBGPExport whether addresses of this pool are kept out of BGP
   * @param nodeSelector which nodes may claim blocks; {@code all()} when absent
   * @param natOutgoing only {@code false}: Wayleave does not translate addresses
   * @param ipipMode only {@code Never}: there is no overlay
   * @param vxlanMode only {@code Never}: there is no overlay
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      Cidr cidr,
      Integer blockSize,
      Boolean disabled,
      Boolean disableBGPExport,
      String nodeSelector,
      Optional<Boolean> natOutgoing,
      Optional<String> ipipMode,
      Optional<String> vxlanMode) {
    @JsonCreator
    public Spec {
      Absent.required("cidr", cidr, "a network such as 10.244.0.0/16");
      boolean ipv4 = cidr.family() == Family.IPV4;
      blockSize = Absent.orElse(blockSize, ipv4 ? 26 : 122);
      int shortest = ipv4 ? 20 : 116;
      if (blockSize < shortest || blockSize > cidr.family().bits()) {
        throw new InvalidInputException(
            "blockSize",
            blockSize.toString(),
            shortest + " to " + cidr.family().bits() + " in an " + cidr.family() + " pool");
      }
      if (blockSize < cidr.prefixLength()) {
        throw new InvalidInputException(
            "blockSize",
            blockSize.toString(),
            "at least " + cidr.prefixLength() + ", the prefix length of the pool " + cidr);
      }
      if (cidr.address().isLinkLocal()
          || cidr.address().isLoopback()
          || cidr.address().isMulticast()) {
        throw new InvalidInputException(
            "cidr", cidr.toString(), "a unicast range that is neither loopback nor link-local");
      }
      disabled = Absent.orElse(disabled, false);
      disableBGPExport = Absent.orElse(disableBGPExport, false);
      nodeSelector = Absent.orElse(nodeSelector, "all()");
      checkSelector(nodeSelector);
      natOutgoing = Absent.orEmpty(natOutgoing);
      if (natOutgoing.orElse(false)) {
        throw new InvalidInputException("natOutgoing", "true", "false");
      }
      ipipMode = checkNever("ipipMode", Absent.orEmpty(ipipMode));
      vxlanMode = checkNever("vxlanMode", Absent.orEmpty(vxlanMode));
    }

    /** A pool with every default. */
    public static Spec of(Cidr cidr) {
      return of(
          cidr,
          cidr.family() == Family.IPV4
              ? Math.max(26, cidr.prefixLength())
              : Math.max(122, cidr.prefixLength()));
    }

    public static Spec of(Cidr cidr, int blockSize) {
      return new Spec(
          cidr,
          blockSize,
          false,
          false,
          "all()",
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
    }

    private static void checkSelector(String text) {
      try {
        Selector.parse(text);
      } catch (InvalidInputException e) {
        throw e.within("nodeSelector");
      }
    }

    private static Optional<String> checkNever(String field, Optional<String> mode) {
      if (!mode.orElse("Never").equals("Never")) {
        throw new InvalidInputException(field, mode.get(), "Never");
      }
      return mode;
    }
  }
}

package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A range of addresses for containers, cut into blocks that hosts claim. */
@JsonPropertyOrder({"metadata", "spec"})
public record IpPool(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public IpPool {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec with a cidr");
  }

  /** Whether addresses are given to everybody, or only to who asks for them. */
  public enum AssignmentMode {
    Automatic,
    Manual
  }

  /** What an address is for. */
  public enum Use {
    /** A container. */
    Workload,
    /** The host's own end of a tunnel. */
    Tunnel
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
   * @param namespaceSelector which namespaces' containers get addresses from here, by the labels of
   *     the namespace; a container without one has no labels of that sort. {@code all()} when
   *     absent
   * @param assignmentMode {@code Manual}: only for who asks for the pool or for an address by name;
   *     {@code Automatic} when absent
   * @param allowedUses what addresses are for; every use when absent
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
      Optional<String> namespaceSelector,
      Optional<AssignmentMode> assignmentMode,
      List<Use> allowedUses,
      Optional<Boolean> natOutgoing,
      Optional<String> ipipMode,
      Optional<String> vxlanMode) {
    /** Ranges that no host has on a link of its own, or that all have: RFC 6890. */
    private static final List<Cidr> NO_UNICAST =
        Stream.of(
                "0.0.0.0/8",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "224.0.0.0/4",
                "::/127",
                "fe80::/10",
                "ff00::/8")
            .map(Cidr::parse)
            .toList();

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
      for (Cidr range : NO_UNICAST) {
        if (range.overlaps(cidr)) {
          throw new InvalidInputException(
              "cidr", cidr.toString(), "a unicast range, without addresses of " + range);
        }
      }
      disabled = Absent.orElse(disabled, false);
      disableBGPExport = Absent.orElse(disableBGPExport, false);
      nodeSelector = Absent.orElse(nodeSelector, "all()");
      Checks.selector("nodeSelector", nodeSelector);
      namespaceSelector = Absent.orEmpty(namespaceSelector);
      namespaceSelector.ifPresent(text -> Checks.selector("namespaceSelector", text));
      assignmentMode = Absent.orEmpty(assignmentMode);
      allowedUses = Absent.orEmpty(allowedUses).stream().distinct().sorted().toList();
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
          List.of(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
    }

    /** The same, for other nodes. */
    public Spec withNodeSelector(String selector) {
      return with(
          disabled, disableBGPExport, selector, namespaceSelector, assignmentMode, allowedUses);
    }

    /** The same, enabled or disabled. */
    public Spec withDisabled(boolean wanted) {
      return with(
          wanted, disableBGPExport, nodeSelector, namespaceSelector, assignmentMode, allowedUses);
    }

    /** The same, with its addresses kept out of BGP or not. */
    public Spec withDisableBGPExport(boolean wanted) {
      return with(disabled, wanted, nodeSelector, namespaceSelector, assignmentMode, allowedUses);
    }

    /** The same, for other namespaces. */
    public Spec withNamespaceSelector(String selector) {
      return with(
          disabled,
          disableBGPExport,
          nodeSelector,
          Optional.of(selector),
          assignmentMode,
          allowedUses);
    }

    /** The same, for who asks for it only, or for all. */
    public Spec withAssignmentMode(AssignmentMode mode) {
      return with(
          disabled,
          disableBGPExport,
          nodeSelector,
          namespaceSelector,
          Optional.of(mode),
          allowedUses);
    }

    /** The same, for these uses. */
    public Spec withAllowedUses(List<Use> uses) {
      return with(
          disabled, disableBGPExport, nodeSelector, namespaceSelector, assignmentMode, uses);
    }

    private Spec with(
        boolean off,
        boolean silent,
        String nodes,
        Optional<String> namespaces,
        Optional<AssignmentMode> mode,
        List<Use> uses) {
      return new Spec(
          cidr,
          blockSize,
          off,
          silent,
          nodes,
          namespaces,
          mode,
          uses,
          natOutgoing,
          ipipMode,
          vxlanMode);
    }

    /** The same, for another range. */
    public Spec withCidr(Cidr range) {
      return new Spec(
          range,
          blockSize,
          disabled,
          disableBGPExport,
          nodeSelector,
          namespaceSelector,
          assignmentMode,
          allowedUses,
          natOutgoing,
          ipipMode,
          vxlanMode);
    }

    /** Whether addresses are for this use. */
    public boolean allows(Use use) {
      return allowedUses.isEmpty() || allowedUses.contains(use);
    }

    /** Whether addresses are only for who asks for this pool or for one of them by name. */
    public boolean manual() {
      return assignmentMode.filter(mode -> mode == AssignmentMode.Manual).isPresent();
    }

    private static Optional<String> checkNever(String field, Optional<String> mode) {
      if (!mode.orElse("Never").equals("Never")) {
        throw new InvalidInputException(field, mode.get(), "Never");
      }
      return mode;
    }
  }
}

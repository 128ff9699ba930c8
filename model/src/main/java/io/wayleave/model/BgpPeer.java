package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.wayleave.model.selector.Selector;
import java.util.Map;
import java.util.Optional;

/** A BGP speaker outside the fabric's own agents, usually a ToR switch, that nodes peer with. */
@JsonPropertyOrder({"metadata", "spec"})
public record BgpPeer(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public BgpPeer {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec with peerIP and asNumber");
  }

  /**
   * Who peers with whom.
   *
   * @param node the one node that peers; not together with {@code nodeSelector}
   * @param nodeSelector which nodes peer, by their labels; with neither field every node does
   * @param peerIP address of the peer, with {@code :port} (IPv6 in brackets) when not 179
   * @param asNumber the peer's AS
   * @param keepaliveTime seconds between KEEPALIVEs; the hold time is three times as long. 1 to
   *     21845; 30 when absent
   * @param maxRestartTime seconds for which this peer keeps our routes while the agent restarts
   *     (RFC 4724), 1 to 4095; 120 when absent
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      Optional<String> node,
      Optional<String> nodeSelector,
      String peerIP,
      Asn asNumber,
      Optional<Integer> keepaliveTime,
      Optional<Integer> maxRestartTime) {
    private static final int MAX_KEEPALIVE_SECONDS = 65535 / 3;
    private static final int MAX_RESTART_SECONDS = 4095;

    @JsonCreator
    public Spec {
      node = Absent.orEmpty(node);
      nodeSelector = Absent.orEmpty(nodeSelector);
      Absent.required("peerIP", peerIP, "the peer's address, such as 10.0.0.1 or 10.0.0.1:1179");
      parsePort(peerIP);
      IpAddress address = parseAddress(peerIP);
      boolean needsInterface = address.family() == Family.IPV6 && address.isLinkLocal();
      if (address.isUnspecified() || address.isMulticast() || needsInterface) {
        throw new InvalidInputException(
            "peerIP", peerIP, "the address of one host that needs no interface beside it");
      }
      Absent.required("asNumber", asNumber, "the peer's AS number, 1 to 4294967295");
      keepaliveTime = Absent.orEmpty(keepaliveTime);
      maxRestartTime = Absent.orEmpty(maxRestartTime);
      checkRange("keepaliveTime", keepaliveTime, MAX_KEEPALIVE_SECONDS);
      checkRange("maxRestartTime", maxRestartTime, MAX_RESTART_SECONDS);
      if (node.isPresent() && nodeSelector.isPresent()) {
        throw new InvalidInputException(
            "nodeSelector", nodeSelector.get(), "either node or nodeSelector, not both");
      }
      nodeSelector.ifPresent(
          text -> {
            try {
              Selector.parse(text);
            } catch (InvalidInputException e) {
              throw e.within("nodeSelector");
            }
          });
    }

    public IpAddress address() {
      return parseAddress(peerIP);
    }

    /** 179 unless {@code peerIP} says otherwise. */
    public int port() {
      return parsePort(peerIP);
    }

    private static IpAddress parseAddress(String text) {
      int port = portSeparator(text);
      String address = port < 0 ? text : text.substring(0, port);
      if (address.startsWith("[") && address.endsWith("]")) {
        address = address.substring(1, address.length() - 1);
      }
      try {
        return IpAddress.parse(address);
      } catch (InvalidInputException e) {
        throw e.within("peerIP");
      }
    }

    private static int parsePort(String text) {
      int separator = portSeparator(text);
      if (separator < 0) {
        return 179;
      }
      String port = text.substring(separator + 1);
      if (!port.matches("[1-9][0-9]{0,4}") || Integer.parseInt(port) > 65535) {
        throw new InvalidInputException("peerIP", text, "a port of 1 to 65535 after the colon");
      }
      return Integer.parseInt(port);
    }

    /** Where the port's colon is, or -1: an IPv6 address without brackets has no port. */
    private static int portSeparator(String text) {
      if (text.startsWith("[")) {
        int close = text.indexOf("]:");
        return close < 0 ? -1 : close + 1;
      }
      int colon = text.indexOf(':');
      return colon >= 0 && text.indexOf(':', colon + 1) < 0 ? colon : -1;
    }

    private static void checkRange(String field, Optional<Integer> seconds, int max) {
      if (seconds.isPresent() && (seconds.get() < 1 || seconds.get() > max)) {
        throw new InvalidInputException(
            field, seconds.get().toString(), "1 to " + max + " seconds");
      }
    }
  }

  /** Whether the node of that name and labels peers with this. */
  public boolean appliesTo(String nodeName, Map<String, String> nodeLabels) {
    if (spec.node().isPresent()) {
      return spec.node().get().equals(nodeName);
    }
    return spec.nodeSelector().map(text -> Selector.parse(text).matches(nodeLabels)).orElse(true);
  }
}

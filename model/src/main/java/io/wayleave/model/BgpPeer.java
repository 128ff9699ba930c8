package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.wayleave.model.selector.Selector;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What nodes peer with: a BGP speaker outside the fabric, usually a ToR switch, or nodes that serve
 * others as route reflectors.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record BgpPeer(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public BgpPeer {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec that says who the peer is");
  }

  /**
   * Who peers with whom, and how. Exactly one of {@code peerIP}, {@code interface} and {@code
   * peerSelector} says who the peer is.
   *
   * @param node the one node that peers; not together with {@code nodeSelector}
   * @param nodeSelector which nodes peer, by their labels; with neither field every node does
   * @param peerIP address of the peer, with {@code :port} (IPv6 in brackets) when not 179
   * @param interfaceName the link that the peer is at the other end of, which needs no address
   * @param peerSelector nodes that are the peers, by their labels: each node that this applies to
   *     peers with each of them, and they with it. For route reflectors
   * @param asNumber the peer's AS. Needed with {@code peerIP}; with {@code interface} any external
   *     AS when absent; with {@code peerSelector} the nodes' own and not allowed here
   * @param localASNumber AS that this node claims to be in towards the peer
   * @param sourceAddress whether the node's own address is where connections come from; UseNodeIP
   *     when absent
   * @param keepaliveTime seconds between KEEPALIVEs; the hold time is three times as long. 1 to
   *     21845; 30 when absent
   * @param maxRestartTime seconds for which this peer keeps our routes while the agent restarts
   *     (RFC 4724), 1 to 4095; 120 when absent
   * @param nextHopMode next hop of routes that were learned from others
   * @param numAllowedLocalASNumbers how often the node's own AS may be in a route's AS path, for
   *     hosts that share an AS; 0 to 10, 0 when absent
   * @param ttlSecurity how many hops away the peer is at most (RFC 5082), 1 to 254; unchecked when
   *     absent
   * @param password of the TCP MD5 signature (RFC 2385)
   * @param passive whether the node waits for the peer's connection and never dials; false when
   *     absent. Not beside {@code peerSelector}, whose sessions have this resource at both ends
   * @param gracefulRestart whether graceful restart (RFC 4724) is offered; true when absent. False
   *     where the loss of the session has to take the routes with it, whatever the cause
   * @param requirePolicy whether an external peer is believed, or told, nothing in a direction in
   *     which it has no rule of a filter (RFC 8212); false when absent
   * @param addPath several paths to one prefix on the session (RFC 7911)
   * @param bfd present when the session follows BFD (RFC 5881)
   * @param maxPrefixes how many prefixes of one family the peer may send
   * @param filters names of the BGPFilters that routes from and to this peer go through, in this
   *     order as if their rules were of one filter
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      Optional<String> node,
      Optional<String> nodeSelector,
      Optional<String> peerIP,
      @JsonProperty("interface") Optional<String> interfaceName,
      Optional<String> peerSelector,
      Optional<Asn> asNumber,
      Optional<Asn> localASNumber,
      Optional<SourceAddress> sourceAddress,
      Optional<Integer> keepaliveTime,
      Optional<Integer> maxRestartTime,
      Optional<NextHop> nextHopMode,
      Optional<Integer> numAllowedLocalASNumbers,
      Optional<Integer> ttlSecurity,
      Optional<Password> password,
      Optional<Boolean> passive,
      Optional<Boolean> gracefulRestart,
      Optional<Boolean> requirePolicy,
      Optional<AddPath> addPath,
      Optional<Bfd> bfd,
      Optional<MaxPrefixes> maxPrefixes,
      List<String> filters) {
    private static final int MAX_KEEPALIVE_SECONDS = 65535 / 3;
    private static final int MAX_RESTART_SECONDS = 4095;
    private static final int MAX_INTERFACE_NAME = 15;

    @JsonCreator
    public Spec {
      node = Absent.orEmpty(node);
      nodeSelector = Absent.orEmpty(nodeSelector);
      peerIP = Absent.orEmpty(peerIP);
      interfaceName = Absent.orEmpty(interfaceName);
      peerSelector = Absent.orEmpty(peerSelector);
      asNumber = Absent.orEmpty(asNumber);
      localASNumber = Absent.orEmpty(localASNumber);
      sourceAddress = Absent.orEmpty(sourceAddress);
      keepaliveTime = Absent.orEmpty(keepaliveTime);
      maxRestartTime = Absent.orEmpty(maxRestartTime);
      nextHopMode = Absent.orEmpty(nextHopMode);
      numAllowedLocalASNumbers = Absent.orEmpty(numAllowedLocalASNumbers);
      ttlSecurity = Absent.orEmpty(ttlSecurity);
      password = Absent.orEmpty(password);
      passive = Absent.orEmpty(passive);
      gracefulRestart = Absent.orEmpty(gracefulRestart);
      requirePolicy = Absent.orEmpty(requirePolicy);
      addPath = Absent.orEmpty(addPath);
      bfd = Absent.orEmpty(bfd);
      maxPrefixes = Absent.orEmpty(maxPrefixes);
      filters = Absent.orEmpty(filters);
      for (int i = 0; i < filters.size(); i++) {
        if (filters.indexOf(filters.get(i)) != i) {
          throw new InvalidInputException(
              "filters[" + i + "]", filters.get(i), "a filter that is not named before");
        }
      }
      checkWho(peerIP, interfaceName, peerSelector, asNumber);
      checkRange("keepaliveTime", keepaliveTime, 1, MAX_KEEPALIVE_SECONDS, " seconds");
      checkRange("maxRestartTime", maxRestartTime, 1, MAX_RESTART_SECONDS, " seconds");
      if (maxRestartTime.isPresent() && !gracefulRestart.orElse(true)) {
        throw new InvalidInputException(
            "maxRestartTime",
            maxRestartTime.get().toString(),
            "nothing beside gracefulRestart: false");
      }
      if (peerSelector.isPresent() && passive.orElse(false)) {
        throw new InvalidInputException(
            "passive", "true", "false beside peerSelector: each of the two nodes would wait");
      }
      checkRange("numAllowedLocalASNumbers", numAllowedLocalASNumbers, 0, 10, "");
      checkRange("ttlSecurity", ttlSecurity, 1, 254, " hops");
      if (node.isPresent() && nodeSelector.isPresent()) {
        throw new InvalidInputException(
            "nodeSelector", nodeSelector.get(), "either node or nodeSelector, not both");
      }
      nodeSelector.ifPresent(text -> Checks.selector("nodeSelector", text));
      peerSelector.ifPresent(text -> Checks.selector("peerSelector", text));
    }

    /** A peer of every node with the defaults. */
    public static Spec at(String peerIP, Asn asNumber) {
      return at(peerIP, asNumber, Optional.empty(), Optional.empty());
    }

    /** A peer of some nodes with the defaults. */
    public static Spec at(
        String peerIP, Asn asNumber, Optional<String> node, Optional<String> nodeSelector) {
      return new Spec(
          node,
          nodeSelector,
          Optional.of(peerIP),
          Optional.empty(),
          Optional.empty(),
          Optional.of(asNumber),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          List.of());
    }

    /** This with other timers, in seconds. */
    public Spec withTimes(Optional<Integer> keepalive, Optional<Integer> restart) {
      return new Spec(
          node,
          nodeSelector,
          peerIP,
          interfaceName,
          peerSelector,
          asNumber,
          localASNumber,
          sourceAddress,
          keepalive,
          restart,
          nextHopMode,
          numAllowedLocalASNumbers,
          ttlSecurity,
          password,
          passive,
          gracefulRestart,
          requirePolicy,
          addPath,
          bfd,
          maxPrefixes,
          filters);
    }

    /** This with other filters. */
    public Spec withFilters(List<String> names) {
      return new Spec(
          node,
          nodeSelector,
          peerIP,
          interfaceName,
          peerSelector,
          asNumber,
          localASNumber,
          sourceAddress,
          keepaliveTime,
          maxRestartTime,
          nextHopMode,
          numAllowedLocalASNumbers,
          ttlSecurity,
          password,
          passive,
          gracefulRestart,
          requirePolicy,
          addPath,
          bfd,
          maxPrefixes,
          names);
    }

    private static void checkWho(
        Optional<String> peerIP,
        Optional<String> interfaceName,
        Optional<String> peerSelector,
        Optional<Asn> asNumber) {
      long given =
          Stream.of(peerIP, interfaceName, peerSelector).filter(Optional::isPresent).count();
      if (given != 1) {
        throw new InvalidInputException(
            "peerIP",
            peerIP.orElse(""),
            "one of peerIP (such as 10.0.0.1 or 10.0.0.1:1179), interface and peerSelector");
      }
      peerIP.ifPresent(Spec::checkPeerIp);
      if (peerIP.isPresent()) {
        Absent.required("asNumber", asNumber.orElse(null), "the peer's AS number, 1 to 4294967295");
      }
      if (peerSelector.isPresent() && asNumber.isPresent()) {
        throw new InvalidInputException(
            "asNumber",
            asNumber.get().toString(),
            "nothing beside peerSelector: nodes name theirs");
      }
      interfaceName.ifPresent(
          name -> {
            if (name.isEmpty()
                || name.length() > MAX_INTERFACE_NAME
                || name.chars().anyMatch(c -> c <= ' ' || c == '/' || c > '~')) {
              throw new InvalidInputException(
                  "interface", name, "the name of a network interface, 1 to 15 characters");
            }
          });
    }

    private static void checkPeerIp(String text) {
      parsePort(text);
      IpAddress address = parseAddress(text);
      boolean needsInterface = address.family() == Family.IPV6 && address.isLinkLocal();
      if (address.isUnspecified() || address.isMulticast() || needsInterface) {
        throw new InvalidInputException(
            "peerIP", text, "the address of one host that needs no interface beside it");
      }
    }

    /** Where {@code peerIP} is given. */
    public Optional<IpAddress> address() {
      return peerIP.map(Spec::parseAddress);
    }

    /** 179 unless {@code peerIP} says otherwise. */
    public int port() {
      return peerIP.map(Spec::parsePort).orElse(179);
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

    private static void checkRange(
        String field, Optional<Integer> number, int min, int max, String unit) {
      if (number.isPresent() && (number.get() < min || number.get() > max)) {
        throw new InvalidInputException(field, number.get().toString(), min + " to " + max + unit);
      }
    }
  }

  /** Which own address connections to the peer come from. */
  public enum SourceAddress {
    /** The node's address of the peer's family. */
    UseNodeIP,
    /** The kernel's choice. */
    None
  }

  /** Which next hop the peer is told for routes that were learned from others. */
  public enum NextHop {
    /** Own address to external peers, the received one to internal ones. */
    Auto,
    /** Own address always. */
    Self,
    /** The received one always. */
    Keep
  }

  /**
   * A secret that is not in the datastore.
   *
   * @param file on the node, readable by root only; its first line is the password
   */
  public record Password(String file) {
    @JsonCreator
    public Password {
      Absent.required("file", file, "the absolute path of a file");
      if (!file.startsWith("/")) {
        throw new InvalidInputException("file", file, "the absolute path of a file");
      }
    }
  }

  /**
   * Several paths to one prefix (RFC 7911), for all families of the session.
   *
   * @param receive whether the peer may send several; false when absent
   * @param send how many of the best paths the peer is sent, where it takes them; 1 to 255, where
   *     255 is all; 1 when absent
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record AddPath(Optional<Boolean> receive, Optional<Integer> send) {
    @JsonCreator
    public AddPath {
      receive = Absent.orEmpty(receive);
      send = Absent.orEmpty(send);
      Spec.checkRange("send", send, 1, 255, "");
    }
  }

  /**
   * BFD settings; what is absent is 300, 300 and 3.
   *
   * @param transmitMilliseconds between own packets, 10 to 60000
   * @param receiveMilliseconds between the peer's packets at least, 10 to 60000
   * @param multiplier packets missing until the peer counts as gone, 1 to 255
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Bfd(
      Optional<Integer> transmitMilliseconds,
      Optional<Integer> receiveMilliseconds,
      Optional<Integer> multiplier) {
    @JsonCreator
    public Bfd {
      transmitMilliseconds = Absent.orEmpty(transmitMilliseconds);
      receiveMilliseconds = Absent.orEmpty(receiveMilliseconds);
      multiplier = Absent.orEmpty(multiplier);
      Spec.checkRange("transmitMilliseconds", transmitMilliseconds, 10, 60_000, "");
      Spec.checkRange("receiveMilliseconds", receiveMilliseconds, 10, 60_000, "");
      Spec.checkRange("multiplier", multiplier, 1, 255, "");
    }
  }

  /**
   * A limit for each family.
   *
   * @param limit prefixes, at least 1
   * @param warnAtPercent of the limit, 1 to 100; 75 when absent
   * @param restartSeconds when a session that was ended by the limit is tried again; when absent
   *     not before somebody clears it
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record MaxPrefixes(
      int limit, Optional<Integer> warnAtPercent, Optional<Integer> restartSeconds) {
    @JsonCreator
    public MaxPrefixes {
      warnAtPercent = Absent.orEmpty(warnAtPercent);
      restartSeconds = Absent.orEmpty(restartSeconds);
      Spec.checkRange("limit", Optional.of(limit), 1, Integer.MAX_VALUE, "");
      Spec.checkRange("warnAtPercent", warnAtPercent, 1, 100, "");
      Spec.checkRange("restartSeconds", restartSeconds, 1, 86_400, " seconds");
    }
  }

  /** Whether nodes of those labels are the peers, by {@code peerSelector}. */
  public boolean selectsAsPeer(Map<String, String> nodeLabels) {
    return spec.peerSelector().map(text -> Selector.parse(text).matches(nodeLabels)).orElse(false);
  }

  /** Whether the node of that name and labels peers with this. */
  public boolean appliesTo(String nodeName, Map<String, String> nodeLabels) {
    if (spec.node().isPresent()) {
      return spec.node().get().equals(nodeName);
    }
    return spec.nodeSelector().map(text -> Selector.parse(text).matches(nodeLabels)).orElse(true);
  }
}

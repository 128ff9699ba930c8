package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which routes are taken from and told to the BGP peers that name the filter, and how they are
 * changed. The rules of a direction and family are gone through in order; the first that matches
 * decides, and a route that none matches is accepted.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record BgpFilter(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public BgpFilter {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec with importV4, importV6, exportV4 or exportV6");
  }

  /** What becomes of a route that a rule matches. */
  public enum Action {
    Accept,
    Reject
  }

  /** How a rule compares a route's prefix with its {@code cidr}. */
  public enum MatchOperator {
    Equal,
    NotEqual,
    In,
    NotIn
  }

  /** Where a route comes from. */
  public enum Source {
    /** Learned from a BGP peer, not originated here. */
    RemotePeers
  }

  /** Kind of the session that a route comes in by or goes out by. */
  @SuppressWarnings("JavaCase") // As the manifests write them.
  public enum PeerType {
    eBGP,
    iBGP
  }

  /** The rules by direction and family. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      List<Rule> importV4, List<Rule> importV6, List<Rule> exportV4, List<Rule> exportV6) {
    @JsonCreator
    public Spec {
      importV4 = checked("importV4", importV4, Family.IPV4, false);
      importV6 = checked("importV6", importV6, Family.IPV6, false);
      exportV4 = checked("exportV4", exportV4, Family.IPV4, true);
      exportV6 = checked("exportV6", exportV6, Family.IPV6, true);
    }

    private static List<Rule> checked(
        String field, List<Rule> rules, Family family, boolean export) {
      List<Rule> all = Absent.orEmpty(rules);
      for (int i = 0; i < all.size(); i++) {
        try {
          all.get(i).check(family, export);
        } catch (InvalidInputException e) {
          throw e.within(field + "[" + i + "]");
        }
      }
      return all;
    }
  }

  /**
   * One rule. It matches a route that all its conditions hold for; without any it matches every
   * route.
   *
   * @param cidr with {@code matchOperator}, which prefixes match
   * @param matchOperator with {@code cidr}: equal to it or in it, or not
   * @param prefixLength bounds of the prefix's own length; {@code NotIn} turns cidr and bounds
   *     around together
   * @param source where the route comes from; in an import rule, always from a peer
   * @param interfaceName interface that leads to the peer, with {@code *} for any characters; only
   *     in import rules, and for peers that are configured by interface
   * @param peerType kind of the session
   * @param communities the route has at least one of these
   * @param asPathPrefix the AS path begins with these
   * @param asPathContains the AS path has at least one of these anywhere
   * @param nextHops the route's next hop lies in one of these
   * @param operations changes in this order; with {@code Accept} only
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonPropertyOrder({
    "cidr",
    "matchOperator",
    "prefixLength",
    "source",
    "interface",
    "peerType",
    "communities",
    "asPathPrefix",
    "asPathContains",
    "nextHops",
    "action",
    "operations"
  })
  public record Rule(
      Optional<Cidr> cidr,
      Optional<MatchOperator> matchOperator,
      Optional<PrefixLength> prefixLength,
      Optional<Source> source,
      @JsonProperty("interface") Optional<String> interfaceName,
      Optional<PeerType> peerType,
      Optional<Communities> communities,
      List<Asn> asPathPrefix,
      List<Asn> asPathContains,
      List<Cidr> nextHops,
      Action action,
      List<Operation> operations) {
    @JsonCreator
    public Rule {
      cidr = Absent.orEmpty(cidr);
      matchOperator = Absent.orEmpty(matchOperator);
      prefixLength = Absent.orEmpty(prefixLength);
      source = Absent.orEmpty(source);
      interfaceName = Absent.orEmpty(interfaceName);
      peerType = Absent.orEmpty(peerType);
      communities = Absent.orEmpty(communities);
      asPathPrefix = Absent.orEmpty(asPathPrefix);
      asPathContains = Absent.orEmpty(asPathContains);
      nextHops = Absent.orEmpty(nextHops);
      Absent.required("action", action, "Accept or Reject");
      operations = Absent.orEmpty(operations);
      if (cidr.isPresent() != matchOperator.isPresent()) {
        throw new InvalidInputException(
            cidr.isPresent() ? "matchOperator" : "cidr", "", "cidr and matchOperator together");
      }
      if (action == Action.Reject && !operations.isEmpty()) {
        throw new InvalidInputException(
            "operations", operations.size() + " operations", "nothing, as the action is Reject");
      }
    }

    private void check(Family family, boolean export) {
      cidr.ifPresent(
          network -> {
            if (network.family() != family) {
              throw new InvalidInputException("cidr", network.toString(), "a network of " + family);
            }
          });
      prefixLength.ifPresent(
          lengths -> {
            lengths.min().ifPresent(length -> checkLength("min", length, family));
            lengths.max().ifPresent(length -> checkLength("max", length, family));
          });
      if (export && interfaceName.isPresent()) {
        throw new InvalidInputException(
            "interface",
            interfaceName.get(),
            "nothing in an export rule: what is announced is not bound to an interface; use source"
                + " or cidr");
      }
      for (int i = 0; export && i < operations.size(); i++) {
        if (operations.get(i).setPriority().isPresent()) {
          throw new InvalidInputException(
              "operations[" + i + "].setPriority",
              Long.toString(operations.get(i).setPriority().get().value()),
              "nothing in an export rule: the priority is that of the host's own route");
        }
      }
    }

    private static void checkLength(String field, int length, Family family) {
      if (length < 0 || length > family.bits()) {
        throw new InvalidInputException(
            "prefixLength." + field, Integer.toString(length), "0 to " + family.bits());
      }
    }
  }

  /** Bounds of a prefix length, each included; {@code min} is the cidr's own when absent. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record PrefixLength(Optional<Integer> min, Optional<Integer> max) {
    @JsonCreator
    public PrefixLength {
      min = Absent.orEmpty(min);
      max = Absent.orEmpty(max);
      if (min.isPresent() && max.isPresent() && min.get() > max.get()) {
        throw new InvalidInputException("max", max.get().toString(), "at least min, " + min.get());
      }
    }
  }

  /** Communities of which a route has at least one, or which a route is to have alone. */
  public record Communities(List<BgpCommunity> values) {
    @JsonCreator
    public Communities {
      values = Absent.orEmpty(values);
    }
  }

  /** One change of a route; exactly one field is there. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Operation(
      Optional<AddCommunity> addCommunity,
      Optional<Communities> setCommunities,
      Optional<PrependAsPath> prependASPath,
      Optional<Value> setLocalPref,
      Optional<Value> setMED,
      Optional<Value> setPriority) {
    private static final long MAX_PRIORITY = 2147483646L;

    @JsonCreator
    public Operation {
      addCommunity = Absent.orEmpty(addCommunity);
      setCommunities = Absent.orEmpty(setCommunities);
      prependASPath = Absent.orEmpty(prependASPath);
      setLocalPref = Absent.orEmpty(setLocalPref);
      setMED = Absent.orEmpty(setMED);
      setPriority = Absent.orEmpty(setPriority);
      long given =
          Stream.of(addCommunity, setCommunities, prependASPath, setLocalPref, setMED, setPriority)
              .filter(Optional::isPresent)
              .count();
      if (given != 1) {
        throw new InvalidInputException(
            "",
            given + " fields",
            "exactly one of addCommunity, setCommunities, prependASPath, setLocalPref, setMED,"
                + " setPriority");
      }
      checkRange("setLocalPref", setLocalPref, 0, 0xffff_ffffL);
      checkRange("setMED", setMED, 0, 0xffff_ffffL);
      checkRange("setPriority", setPriority, 1, MAX_PRIORITY);
    }

    private static void checkRange(String field, Optional<Value> value, long min, long max) {
      if (value.isPresent() && (value.get().value() < min || value.get().value() > max)) {
        throw new InvalidInputException(
            field + ".value", Long.toString(value.get().value()), min + " to " + max);
      }
    }
  }

  /** A community that the route has from now on, beside its others. */
  public record AddCommunity(BgpCommunity value) {
    @JsonCreator
    public AddCommunity {
      Absent.required("value", value, "a community such as 65000:1");
    }
  }

  /** 1 to 10 AS numbers that the path begins with from now on, in this order. */
  public record PrependAsPath(List<Asn> prefix) {
    private static final int MAX = 10;

    @JsonCreator
    public PrependAsPath {
      prefix = Absent.orEmpty(prefix);
      if (prefix.isEmpty() || prefix.size() > MAX) {
        throw new InvalidInputException(
            "prefix", prefix.size() + " AS numbers", "1 to " + MAX + " AS numbers");
      }
    }
  }

  /** A number. */
  public record Value(Long value) {
    @JsonCreator
    public Value {
      Absent.required("value", value, "a number");
    }
  }
}

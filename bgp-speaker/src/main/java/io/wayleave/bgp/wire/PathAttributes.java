package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The attributes of a route, all but its next hop: that belongs to the {@link BgpMessage.Reach},
 * because it differs by family and is what a speaker most often changes.
 *
 * <p>Immutable. The canonical encoding (four-octet AS numbers, ascending types) is made once; two
 * sets are equal when it is equal, so that a set can be interned and exported again without being
 * encoded again.
 */
public final class PathAttributes {
  private final Origin origin;
  private final AsPath asPath;
  private final OptionalLong med;
  private final OptionalLong localPref;
  private final boolean atomicAggregate;
  private final Optional<Aggregator> aggregator;
  private final List<Community> communities;
  private final Optional<RouterId> originatorId;
  private final List<IpAddress> clusterList;
  private final List<ExtendedCommunity> extendedCommunities;
  private final List<LargeCommunity> largeCommunities;
  private final List<UnknownAttribute> unknown;
  private final Set<PathAttribute> partial;

  private final Encoded canonical;
  private final int hash;
  // Made when a session with two-octet numbers wants it.
  private Optional<Encoded> twoOctet = Optional.empty();

  /**
   * The set without its next hop, as it is written.
   *
   * @param bytes not to be changed
   * @param nextHopOffset how many octets come before the place of NEXT_HOP
   */
  record Encoded(@SuppressWarnings("ArrayRecordComponent") byte[] bytes, int nextHopOffset) {
    static Encoded of(PathAttributes attributes, boolean fourOctetAs) {
      ByteBuf out = Unpooled.buffer(128);
      int nextHopOffset = AttributeWriter.write(attributes, fourOctetAs, out);
      byte[] bytes = new byte[out.readableBytes()];
      out.readBytes(bytes);
      return new Encoded(bytes, nextHopOffset);
    }
  }

  private PathAttributes(Builder builder) {
    origin = builder.origin;
    asPath = builder.asPath;
    med = builder.med;
    localPref = builder.localPref;
    atomicAggregate = builder.atomicAggregate;
    aggregator = builder.aggregator;
    communities = builder.communities;
    originatorId = builder.originatorId;
    clusterList = builder.clusterList;
    extendedCommunities = builder.extendedCommunities;
    largeCommunities = builder.largeCommunities;
    unknown = builder.unknown;
    partial = builder.partial.isEmpty() ? Set.of() : EnumSet.copyOf(builder.partial);
    canonical = Encoded.of(this, true);
    hash = Arrays.hashCode(canonical.bytes());
  }

  /** The two attributes that every route has; the rest is absent. */
  public static Builder builder(Origin origin, AsPath asPath) {
    return new Builder().origin(origin).asPath(asPath);
  }

  public Builder toBuilder() {
    Builder builder = new Builder().origin(origin).asPath(asPath);
    builder.med = med;
    builder.localPref = localPref;
    builder.atomicAggregate = atomicAggregate;
    builder.aggregator = aggregator;
    builder.communities = communities;
    builder.originatorId = originatorId;
    builder.clusterList = clusterList;
    builder.extendedCommunities = extendedCommunities;
    builder.largeCommunities = largeCommunities;
    builder.unknown = unknown;
    builder.partial.addAll(partial);
    return builder;
  }

  public Origin origin() {
    return origin;
  }

  public AsPath asPath() {
    return asPath;
  }

  /** MULTI_EXIT_DISC, 0 to 4294967295. */
  public OptionalLong med() {
    return med;
  }

  /** LOCAL_PREF, 0 to 4294967295. */
  public OptionalLong localPref() {
    return localPref;
  }

  public boolean atomicAggregate() {
    return atomicAggregate;
  }

  public Optional<Aggregator> aggregator() {
    return aggregator;
  }

  public List<Community> communities() {
    return communities;
  }

  public boolean hasCommunity(Community community) {
    return communities.contains(community);
  }

  public Optional<RouterId> originatorId() {
    return originatorId;
  }

  /** Cluster ids, written like IPv4 addresses, the last reflector first (RFC 4456). */
  public List<IpAddress> clusterList() {
    return clusterList;
  }

  public List<ExtendedCommunity> extendedCommunities() {
    return extendedCommunities;
  }

  public List<LargeCommunity> largeCommunities() {
    return largeCommunities;
  }

  /** In ascending order of type. */
  public List<UnknownAttribute> unknown() {
    return unknown;
  }

  /** Which optional transitive attributes came with the Partial bit, which is never taken off. */
  public Set<PathAttribute> partial() {
    return Set.copyOf(partial);
  }

  boolean isPartial(PathAttribute attribute) {
    return partial.contains(attribute);
  }

  /** The canonical encoding, or for sessions of two-octet AS numbers the one that they want. */
  Encoded encoded(boolean fourOctetAs) {
    if (fourOctetAs) {
      return canonical;
    }
    if (twoOctet.isEmpty()) {
      twoOctet = Optional.of(Encoded.of(this, false));
    }
    return twoOctet.get();
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof PathAttributes attributes
            && hash == attributes.hash
            && Arrays.equals(canonical.bytes(), attributes.canonical.bytes()));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** Name and value of each attribute that is there. */
  @Override
  public String toString() {
    return Stream.concat(
            Arrays.stream(PathAttribute.values())
                .filter(row -> row.isPresent(this, true))
                .map(row -> row.title() + "=" + row.text(this)),
            unknown.stream().map(UnknownAttribute::toString))
        .collect(joining(", ", "{", "}"));
  }

  /** Collects attributes. NOT thread safe. */
  public static final class Builder {
    private Origin origin = Origin.INCOMPLETE;
    private AsPath asPath = AsPath.EMPTY;
    private OptionalLong med = OptionalLong.empty();
    private OptionalLong localPref = OptionalLong.empty();
    private boolean atomicAggregate;
    private Optional<Aggregator> aggregator = Optional.empty();
    private List<Community> communities = List.of();
    private Optional<RouterId> originatorId = Optional.empty();
    private List<IpAddress> clusterList = List.of();
    private List<ExtendedCommunity> extendedCommunities = List.of();
    private List<LargeCommunity> largeCommunities = List.of();
    private List<UnknownAttribute> unknown = List.of();
    private final EnumSet<PathAttribute> partial = EnumSet.noneOf(PathAttribute.class);

    private Builder() {}

    public Builder origin(Origin value) {
      origin = requireNonNull(value, "origin is null");
      return this;
    }

    public Builder asPath(AsPath value) {
      asPath = requireNonNull(value, "asPath is null");
      return this;
    }

    public Builder med(long value) {
      med = OptionalLong.of(unsigned("med", value));
      return this;
    }

    public Builder withoutMed() {
      med = OptionalLong.empty();
      return this;
    }

    public Builder localPref(long value) {
      localPref = OptionalLong.of(unsigned("localPref", value));
      return this;
    }

    public Builder withoutLocalPref() {
      localPref = OptionalLong.empty();
      return this;
    }

    public Builder atomicAggregate(boolean value) {
      atomicAggregate = value;
      return this;
    }

    public Builder aggregator(Optional<Aggregator> value) {
      aggregator = requireNonNull(value, "aggregator is null");
      return this;
    }

    public Builder communities(Collection<Community> value) {
      communities = List.copyOf(value);
      return this;
    }

    public Builder originatorId(Optional<RouterId> value) {
      originatorId = requireNonNull(value, "originatorId is null");
      return this;
    }

    /** IPv4 addresses only. */
    public Builder clusterList(List<IpAddress> value) {
      for (IpAddress id : value) {
        if (id.family() != Family.IPV4) {
          throw new IllegalArgumentException("cluster id " + id + " is not of 32 bits");
        }
      }
      clusterList = List.copyOf(value);
      return this;
    }

    public Builder extendedCommunities(Collection<ExtendedCommunity> value) {
      extendedCommunities = List.copyOf(value);
      return this;
    }

    public Builder largeCommunities(Collection<LargeCommunity> value) {
      largeCommunities = List.copyOf(value);
      return this;
    }

    /** At most one of each type. */
    public Builder unknown(Collection<UnknownAttribute> value) {
      List<UnknownAttribute> sorted =
          value.stream().sorted(Comparator.comparingInt(UnknownAttribute::type)).toList();
      if (sorted.stream().mapToInt(UnknownAttribute::type).distinct().count() != sorted.size()) {
        throw new IllegalArgumentException("an attribute type occurs twice in " + value);
      }
      unknown = sorted;
      return this;
    }

    /** Marks an optional transitive attribute with the Partial bit. */
    Builder partial(PathAttribute attribute) {
      partial.add(attribute);
      return this;
    }

    /** With a Partial bit kept only on attributes that are there. */
    public PathAttributes build() {
      partial.removeIf(
          attribute ->
              switch (attribute) {
                case AGGREGATOR -> aggregator.isEmpty();
                case COMMUNITIES -> communities.isEmpty();
                case EXTENDED_COMMUNITIES -> extendedCommunities.isEmpty();
                case LARGE_COMMUNITIES -> largeCommunities.isEmpty();
                case ORIGIN,
                    AS_PATH,
                    NEXT_HOP,
                    MULTI_EXIT_DISC,
                    LOCAL_PREF,
                    ATOMIC_AGGREGATE,
                    ORIGINATOR_ID,
                    CLUSTER_LIST,
                    MP_REACH_NLRI,
                    MP_UNREACH_NLRI,
                    AS4_PATH,
                    AS4_AGGREGATOR ->
                    true;
              });
      return new PathAttributes(this);
    }

    private static long unsigned(String field, long value) {
      if (value < 0 || value > 0xffff_ffffL) {
        throw new IllegalArgumentException(
            field + " " + value + " is out of range: 0 to 4294967295");
      }
      return value;
    }
  }
}

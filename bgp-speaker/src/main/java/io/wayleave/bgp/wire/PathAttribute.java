package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import java.util.function.Function;

/**
 * The table of path attributes that this codec knows: one row each, with its code, name, flags, and
 * how to decode, encode and print its value. Rows stand in ascending order of code, the order of
 * encoding.
 *
 * <p>NEXT_HOP, MP_REACH_NLRI and MP_UNREACH_NLRI are not part of {@link PathAttributes}: their rows
 * decode, and {@link UpdateEncoder} writes them beside the set. AS4_PATH and AS4_AGGREGATOR exist
 * in sessions of two-octet AS numbers only.
 */
// The columns are method references and lambdas that hold no state.
@SuppressWarnings("ImmutableEnumChecker")
public enum PathAttribute {
  ORIGIN(
      Iana.ATTR_ORIGIN,
      "origin",
      Kind.WELL_KNOWN,
      AttributeReader::origin,
      (a, four) -> true,
      AttributeWriter::origin,
      a -> a.origin().toString()),
  AS_PATH(
      Iana.ATTR_AS_PATH,
      "as-path",
      Kind.WELL_KNOWN,
      AttributeReader::asPath,
      (a, four) -> true,
      AttributeWriter::asPath,
      a -> a.asPath().toString()),
  NEXT_HOP(Iana.ATTR_NEXT_HOP, "next-hop", Kind.WELL_KNOWN, AttributeReader::nextHop),
  MULTI_EXIT_DISC(
      Iana.ATTR_MULTI_EXIT_DISC,
      "med",
      Kind.OPTIONAL_NON_TRANSITIVE,
      AttributeReader::med,
      (a, four) -> a.med().isPresent(),
      (a, four, out) -> out.writeInt((int) a.med().orElseThrow()),
      a -> Long.toString(a.med().orElseThrow())),
  LOCAL_PREF(
      Iana.ATTR_LOCAL_PREF,
      "local-pref",
      Kind.WELL_KNOWN,
      AttributeReader::localPref,
      (a, four) -> a.localPref().isPresent(),
      (a, four, out) -> out.writeInt((int) a.localPref().orElseThrow()),
      a -> Long.toString(a.localPref().orElseThrow())),
  ATOMIC_AGGREGATE(
      Iana.ATTR_ATOMIC_AGGREGATE,
      "atomic-aggregate",
      Kind.WELL_KNOWN,
      AttributeReader::atomicAggregate,
      (a, four) -> a.atomicAggregate(),
      (a, four, out) -> {},
      a -> "yes"),
  AGGREGATOR(
      Iana.ATTR_AGGREGATOR,
      "aggregator",
      Kind.OPTIONAL_TRANSITIVE,
      AttributeReader::aggregator,
      (a, four) -> a.aggregator().isPresent(),
      AttributeWriter::aggregator,
      a -> a.aggregator().orElseThrow().toString()),
  COMMUNITIES(
      Iana.ATTR_COMMUNITIES,
      "communities",
      Kind.OPTIONAL_TRANSITIVE,
      AttributeReader::communities,
      (a, four) -> !a.communities().isEmpty(),
      (a, four, out) -> a.communities().forEach(c -> out.writeInt(c.bits())),
      a -> joined(a.communities())),
  ORIGINATOR_ID(
      Iana.ATTR_ORIGINATOR_ID,
      "originator-id",
      Kind.OPTIONAL_NON_TRANSITIVE,
      AttributeReader::originatorId,
      (a, four) -> a.originatorId().isPresent(),
      (a, four, out) -> out.writeInt(a.originatorId().orElseThrow().bits()),
      a -> a.originatorId().orElseThrow().toString()),
  CLUSTER_LIST(
      Iana.ATTR_CLUSTER_LIST,
      "cluster-list",
      Kind.OPTIONAL_NON_TRANSITIVE,
      AttributeReader::clusterList,
      (a, four) -> !a.clusterList().isEmpty(),
      (a, four, out) -> a.clusterList().forEach(id -> out.writeInt(id.ipv4Bits())),
      a -> joined(a.clusterList())),
  MP_REACH_NLRI(
      Iana.ATTR_MP_REACH_NLRI,
      "mp-reach-nlri",
      Kind.OPTIONAL_NON_TRANSITIVE,
      MultiProtocolReader::reach),
  MP_UNREACH_NLRI(
      Iana.ATTR_MP_UNREACH_NLRI,
      "mp-unreach-nlri",
      Kind.OPTIONAL_NON_TRANSITIVE,
      MultiProtocolReader::unreach),
  EXTENDED_COMMUNITIES(
      Iana.ATTR_EXTENDED_COMMUNITIES,
      "extended-communities",
      Kind.OPTIONAL_TRANSITIVE,
      AttributeReader::extendedCommunities,
      (a, four) -> !a.extendedCommunities().isEmpty(),
      (a, four, out) -> a.extendedCommunities().forEach(c -> out.writeLong(c.bits())),
      a -> joined(a.extendedCommunities())),
  AS4_PATH(
      Iana.ATTR_AS4_PATH,
      "as4-path",
      Kind.OPTIONAL_TRANSITIVE,
      AttributeReader::as4Path,
      (a, four) -> !four && AttributeWriter.needsAs4Path(a.asPath()),
      AttributeWriter::as4Path,
      a -> a.asPath().withoutConfederations().toString()),
  AS4_AGGREGATOR(
      Iana.ATTR_AS4_AGGREGATOR,
      "as4-aggregator",
      Kind.OPTIONAL_TRANSITIVE,
      AttributeReader::as4Aggregator,
      (a, four) -> !four && a.aggregator().map(g -> !g.as().isTwoOctet()).orElse(false),
      AttributeWriter::as4Aggregator,
      a -> a.aggregator().orElseThrow().toString()),
  LARGE_COMMUNITIES(
      Iana.ATTR_LARGE_COMMUNITIES,
      "large-communities",
      Kind.OPTIONAL_TRANSITIVE,
      AttributeReader::largeCommunities,
      (a, four) -> !a.largeCommunities().isEmpty(),
      AttributeWriter::largeCommunities,
      a -> joined(a.largeCommunities()));

  private static final PathAttribute[] BY_CODE = new PathAttribute[256];

  static {
    for (PathAttribute row : values()) {
      BY_CODE[row.code] = row;
    }
  }

  private final int code;
  private final String title;
  private final int flags;
  private final Decoder decoder;
  private final Presence presence;
  private final Encoder encoder;
  private final Function<PathAttributes, String> text;

  PathAttribute(
      int code,
      String title,
      Kind kind,
      Decoder decoder,
      Presence presence,
      Encoder encoder,
      Function<PathAttributes, String> text) {
    this.code = code;
    this.title = title;
    this.flags = kind.flags;
    this.decoder = decoder;
    this.presence = presence;
    this.encoder = encoder;
    this.text = text;
  }

  /** A row whose value is not kept in {@link PathAttributes}. */
  PathAttribute(int code, String title, Kind kind, Decoder decoder) {
    this(code, title, kind, decoder, (a, four) -> false, (a, four, out) -> {}, a -> "");
  }

  /** The Optional and Transitive bits (RFC 4271 section 5). */
  private enum Kind {
    WELL_KNOWN(Iana.FLAG_TRANSITIVE),
    OPTIONAL_TRANSITIVE(Iana.FLAG_OPTIONAL | Iana.FLAG_TRANSITIVE),
    OPTIONAL_NON_TRANSITIVE(Iana.FLAG_OPTIONAL);

    private final int flags;

    Kind(int flags) {
      this.flags = flags;
    }
  }

  /** Reads the whole value into the draft, or says what is wrong with it. */
  @FunctionalInterface
  interface Decoder {
    Optional<Malformed> decode(ByteBuf value, UpdateDraft draft, CodecContext context);
  }

  /** Whether a set has the attribute, in sessions of four-octet AS numbers or others. */
  @FunctionalInterface
  interface Presence {
    boolean test(PathAttributes attributes, boolean fourOctetAs);
  }

  /** Writes the value alone. */
  @FunctionalInterface
  interface Encoder {
    void encode(PathAttributes attributes, boolean fourOctetAs, ByteBuf out);
  }

  public int code() {
    return code;
  }

  /** The name that people see. */
  public String title() {
    return title;
  }

  /** The value in words; the attribute must be present. */
  public String text(PathAttributes attributes) {
    return text.apply(attributes);
  }

  int flags() {
    return flags;
  }

  boolean isPresent(PathAttributes attributes, boolean fourOctetAs) {
    return presence.test(attributes, fourOctetAs);
  }

  Optional<Malformed> decode(ByteBuf value, UpdateDraft draft, CodecContext context) {
    return decoder.decode(value, draft, context);
  }

  void encode(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    encoder.encode(attributes, fourOctetAs, out);
  }

  static boolean isKnown(int code) {
    return BY_CODE[code] != null;
  }

  static Optional<PathAttribute> of(int code) {
    return Optional.ofNullable(BY_CODE[code]);
  }

  static String nameOf(int code) {
    return of(code).map(PathAttribute::title).orElseGet(() -> "attribute " + code);
  }

  private static String joined(Iterable<?> values) {
    StringBuilder joined = new StringBuilder();
    for (Object value : values) {
      joined.append(joined.isEmpty() ? "" : " ").append(value);
    }
    return joined.toString();
  }
}

package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Unreach;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.DecodeOutcome.Decoded;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.bgp.wire.DecodeOutcome.TreatAsWithdraw;
import io.wayleave.bgp.wire.UpdateError.Approach;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Reads the body of an UPDATE, RFC 4271 section 4.3, and handles its errors as RFC 7606 says.
 *
 * <pre>
 * withdrawn length (2) | withdrawn prefixes | attributes length (2) | attributes | prefixes
 * </pre>
 *
 * <p>One object per message. NOT thread safe.
 */
final class UpdateDecoder {
  private final CodecContext context;
  private final AttributeCache cache;
  private UpdateDraft draft = new UpdateDraft();
  private final List<UpdateError> errors = new ArrayList<>(0);

  /** Types met so far, with and without errors. */
  private final BitSet seen = new BitSet();

  private UpdateDecoder(CodecContext context, AttributeCache cache) {
    this.context = context;
    this.cache = cache;
  }

  static DecodeOutcome decode(ByteBuf body, CodecContext context, AttributeCache cache) {
    return new UpdateDecoder(context, cache).decode(body);
  }

  private DecodeOutcome decode(ByteBuf body) {
    int withdrawnLength = body.readUnsignedShort();
    if (withdrawnLength + 2 > body.readableBytes()) {
      return badLengths(
          "withdrawn routes of " + withdrawnLength + " octets in " + body.readableBytes());
    }
    ByteBuf withdrawnField = body.readSlice(withdrawnLength);
    int attributesLength = body.readUnsignedShort();
    if (attributesLength > body.readableBytes()) {
      return badLengths("attributes of " + attributesLength + " octets in " + body.readableBytes());
    }
    ByteBuf attributesField = body.readSlice(attributesLength);

    PrefixList.Builder withdrawnBuilder =
        MultiProtocolReader.builderFor(withdrawnField, Family.IPV4);
    PrefixList.Builder announcedBuilder = MultiProtocolReader.builderFor(body, Family.IPV4);
    Optional<String> badPrefix =
        MultiProtocolReader.readPrefixes(withdrawnField, Family.IPV4, context, withdrawnBuilder)
            .map(reason -> "withdrawn routes: " + reason)
            .or(
                () ->
                    MultiProtocolReader.readPrefixes(body, Family.IPV4, context, announcedBuilder)
                        .map(reason -> "NLRI: " + reason));
    if (badPrefix.isPresent()) {
      // RFC 7606 section 3 j): without all the prefixes there is nothing to withdraw.
      return Reset.with(
          Notifications.update(Iana.UPDATE_INVALID_NETWORK_FIELD), "UPDATE " + badPrefix.get());
    }
    boolean cacheable = cache.read(attributesField, context);
    boolean known = cacheable && takeKnown(attributesField);
    if (!known) {
      readAttributes(attributesField);
      if (cacheable && errors.isEmpty() && draft.origin.isPresent() && draft.asPath.isPresent()) {
        draft.set = Optional.of(cache.add(draft.toAttributes(), draft.nextHop, seen));
      }
    }
    PrefixList withdrawn = withdrawnBuilder.build();
    PrefixList announced = announcedBuilder.build();
    boolean hasIpv4 = !withdrawn.isEmpty() || !announced.isEmpty();
    return hasIpv4 && !context.families().contains(AddressFamily.IPV4_UNICAST)
        ? concludeWithoutIpv4(!announced.isEmpty())
        : conclude(withdrawn, announced);
  }

  private static Reset badLengths(String reason) {
    return Reset.with(
        Notifications.update(Iana.UPDATE_MALFORMED_ATTRIBUTE_LIST), "UPDATE " + reason);
  }

  /**
   * Takes what the same octets decoded to before, and reads only what carries prefixes.
   *
   * @return whether that was all; if not, nothing happened
   */
  private boolean takeKnown(ByteBuf field) {
    Optional<AttributeCache.Entry> entry = cache.find();
    Optional<PathAttributes> attributes = entry.map(AttributeCache.Entry::get);
    if (attributes.isEmpty()) {
      return false;
    }
    seen.or(entry.get().types());
    ByteBuf in = field.duplicate();
    boolean good = true;
    while (good && in.isReadable()) {
      int flags = in.readUnsignedByte();
      int type = in.readUnsignedByte();
      int length =
          (flags & Iana.FLAG_EXTENDED_LENGTH) != 0 ? in.readUnsignedShort() : in.readUnsignedByte();
      ByteBuf value = in.readSlice(length);
      if (isMultiProtocol(type)) {
        // Anything odd about them is for the long way to find again and to report.
        PathAttribute row = PathAttribute.of(type).orElseThrow();
        int kind = flags & (Iana.FLAG_OPTIONAL | Iana.FLAG_TRANSITIVE);
        good =
            kind == row.flags() && !seen.get(type) && row.decode(value, draft, context).isEmpty();
        seen.set(type);
      }
    }
    if (good) {
      draft.set = attributes;
      draft.nextHop = entry.get().nextHop();
    } else {
      seen.clear();
      draft = new UpdateDraft();
    }
    return good;
  }

  private void readAttributes(ByteBuf in) {
    while (in.isReadable()) {
      int start = in.readerIndex();
      int left = in.readableBytes();
      int flags = in.readUnsignedByte();
      boolean extended = (flags & Iana.FLAG_EXTENDED_LENGTH) != 0;
      if (left < (extended ? 4 : 3)) {
        // RFC 7606 section 4, "underrun".
        listError(OptionalInt.empty(), left + " octets left where an attribute should start");
        return;
      }
      int type = in.readUnsignedByte();
      int length = extended ? in.readUnsignedShort() : in.readUnsignedByte();
      if (length > in.readableBytes()) {
        // RFC 7606 section 4, "overrun".
        seen.set(type);
        listError(
            OptionalInt.of(type),
            "length " + length + " where " + in.readableBytes() + " octets are left");
        return;
      }
      ByteBuf value = in.readSlice(length);
      if (seen.get(type)) {
        duplicate(type);
      } else {
        seen.set(type);
        ByteBuf whole = in.slice(start, in.readerIndex() - start);
        readAttribute(flags, type, value, whole);
      }
    }
  }

  /**
   * The list of attributes itself is broken. When that hides the prefixes of a multiprotocol
   * attribute, they cannot be withdrawn (RFC 7606 section 3 j).
   */
  private void listError(OptionalInt type, String reason) {
    boolean hidesPrefixes = type.isPresent() && isMultiProtocol(type.getAsInt());
    errors.add(
        new UpdateError(
            hidesPrefixes ? Approach.SESSION_RESET : Approach.TREAT_AS_WITHDRAW,
            type,
            Notifications.update(Iana.UPDATE_MALFORMED_ATTRIBUTE_LIST),
            reason));
  }

  /** RFC 7606 section 3 g): the first one counts. */
  private void duplicate(int type) {
    errors.add(
        new UpdateError(
            isMultiProtocol(type) ? Approach.SESSION_RESET : Approach.ATTRIBUTE_DISCARD,
            OptionalInt.of(type),
            Notifications.update(Iana.UPDATE_MALFORMED_ATTRIBUTE_LIST),
            "occurs more than once"));
  }

  private void readAttribute(int flags, int type, ByteBuf value, ByteBuf whole) {
    Optional<PathAttribute> row = PathAttribute.of(type);
    if (row.isEmpty()) {
      readUnknown(flags, type, value, whole);
      return;
    }
    PathAttribute attribute = row.get();
    int kind = flags & (Iana.FLAG_OPTIONAL | Iana.FLAG_TRANSITIVE);
    if (kind != attribute.flags()) {
      badFlags(flags, attribute, value, whole);
      return;
    }
    Optional<Malformed> malformed = attribute.decode(value, draft, context);
    if (malformed.isPresent()) {
      addError(malformed.get(), type, whole);
    } else if ((flags & Iana.FLAG_PARTIAL) != 0) {
      draft.partial.add(attribute);
    }
  }

  /** RFC 7606 section 3 c), whose withdrawing needs the prefixes that the attribute may hold. */
  private void badFlags(int flags, PathAttribute attribute, ByteBuf value, ByteBuf whole) {
    int type = attribute.code();
    String reason = String.format("flags 0x%02x; expected: 0x%02x", flags, attribute.flags());
    addError(Malformed.withdraw(Iana.UPDATE_ATTRIBUTE_FLAGS, reason), type, whole);
    if (isMultiProtocol(type)) {
      attribute
          .decode(value, draft, context)
          .ifPresent(malformed -> addError(malformed, type, whole));
    }
  }

  /** RFC 4271 section 6.3 for well-known ones, section 9 for the others. */
  private void readUnknown(int flags, int type, ByteBuf value, ByteBuf whole) {
    if ((flags & Iana.FLAG_OPTIONAL) == 0) {
      addError(
          Malformed.reset(
              Iana.UPDATE_UNRECOGNIZED_WELL_KNOWN, "a well-known attribute that we do not know"),
          type,
          whole);
    } else if ((flags & Iana.FLAG_TRANSITIVE) != 0) {
      draft.unknown.add(new UnknownAttribute(type, Octets.read(value, value.readableBytes())));
    }
  }

  private void addError(Malformed malformed, int type, ByteBuf whole) {
    Notification notification =
        malformed.subcode() == Iana.UPDATE_MALFORMED_AS_PATH
            ? Notifications.update(malformed.subcode())
            : Notifications.update(
                malformed.subcode(),
                Octets.copy(whole, whole.readerIndex(), whole.readableBytes()));
    errors.add(
        new UpdateError(
            malformed.approach(), OptionalInt.of(type), notification, malformed.reason()));
  }

  /**
   * RFC 4760 section 8: the two fields belong to IPv4 unicast, so they count only when that is
   * exchanged.
   */
  private DecodeOutcome concludeWithoutIpv4(boolean announced) {
    errors.add(
        new UpdateError(
            Approach.ATTRIBUTE_DISCARD,
            OptionalInt.empty(),
            Notifications.update(Iana.UNSPECIFIC),
            AddressFamily.IPV4_UNICAST + " is not exchanged in this session"));
    draft.foreignReach |= announced;
    return conclude(PrefixList.empty(Family.IPV4), PrefixList.empty(Family.IPV4));
  }

  private DecodeOutcome conclude(PrefixList withdrawn, PrefixList announced) {
    PrefixList mpAnnounced = draft.mpReach.orElse(PrefixList.empty(Family.IPV4));
    boolean announces = !announced.isEmpty() || !mpAnnounced.isEmpty();
    if (announces) {
      requireMandatory(announced);
    }
    Optional<UpdateError> worst = worst();
    Approach approach = worst.map(UpdateError::approach).orElse(Approach.ATTRIBUTE_DISCARD);
    boolean onlyUnreach = seen.cardinality() == 1 && seen.get(Iana.ATTR_MP_UNREACH_NLRI);
    if (approach == Approach.TREAT_AS_WITHDRAW
        && !announces
        && !draft.foreignReach
        && !onlyUnreach) {
      // RFC 7606 section 5.2: with attributes and no prefix they belong to, the prefixes may be
      // what was broken.
      approach = Approach.SESSION_RESET;
    }
    return switch (approach) {
      case SESSION_RESET ->
          Reset.with(
              worst.orElseThrow().notification(), "UPDATE " + worst.orElseThrow().toString());
      case TREAT_AS_WITHDRAW ->
          new TreatAsWithdraw(
              new Update(unreach(List.of(withdrawn, announced, mpAnnounced)), List.of()), errors);
      case ATTRIBUTE_DISCARD -> new Decoded(update(withdrawn, announced, mpAnnounced), errors);
    };
  }

  /** RFC 7606 section 3 d): what is there and malformed has been reported already. */
  private void requireMandatory(PrefixList announced) {
    requireSeen(PathAttribute.ORIGIN);
    requireSeen(PathAttribute.AS_PATH);
    if (!announced.isEmpty()) {
      requireSeen(PathAttribute.NEXT_HOP);
    }
  }

  private void requireSeen(PathAttribute attribute) {
    if (!seen.get(attribute.code())) {
      errors.add(
          new UpdateError(
              Approach.TREAT_AS_WITHDRAW,
              OptionalInt.of(attribute.code()),
              // RFC 4271 section 6.3: the data is the type code of the missing one.
              Notifications.update(
                  Iana.UPDATE_MISSING_WELL_KNOWN, Octets.of((byte) attribute.code())),
              "missing"));
    }
  }

  /** The first error of the strongest approach, RFC 7606 section 3 h). */
  private Optional<UpdateError> worst() {
    UpdateError worst = null;
    for (UpdateError error : errors) {
      if (worst == null || error.approach().compareTo(worst.approach()) > 0) {
        worst = error;
      }
    }
    return Optional.ofNullable(worst);
  }

  private Update update(PrefixList withdrawn, PrefixList announced, PrefixList mpAnnounced) {
    List<Reach> reach = new ArrayList<>(1);
    if (!announced.isEmpty() || !mpAnnounced.isEmpty()) {
      PathAttributes attributes = draft.set.orElseGet(() -> cache.canonical(draft.toAttributes()));
      if (!announced.isEmpty()) {
        reach.add(new Reach(attributes, draft.nextHop.orElseThrow(), announced));
      }
      if (!mpAnnounced.isEmpty()) {
        reach.add(new Reach(attributes, draft.mpNextHop.orElseThrow(), mpAnnounced));
      }
    }
    List<Unreach> unreach = unreach(List.of(withdrawn));
    return new Update(unreach.isEmpty() && reach.isEmpty() ? endOfRib() : unreach, reach);
  }

  /** RFC 4724 section 2: nothing at all, or an MP_UNREACH_NLRI alone and without prefixes. */
  private List<Unreach> endOfRib() {
    if (seen.isEmpty() && errors.isEmpty()) {
      return List.of(new Unreach(PrefixList.empty(Family.IPV4)));
    }
    return seen.cardinality() == 1 && draft.mpUnreach.isPresent()
        ? List.of(new Unreach(draft.mpUnreach.get()))
        : List.of();
  }

  /** All prefixes that are not empty lists, MP_UNREACH_NLRI's included. */
  private List<Unreach> unreach(List<PrefixList> fields) {
    List<Unreach> unreach = new ArrayList<>(1);
    for (PrefixList field : fields) {
      if (!field.isEmpty()) {
        unreach.add(new Unreach(field));
      }
    }
    draft.mpUnreach.filter(field -> !field.isEmpty()).ifPresent(f -> unreach.add(new Unreach(f)));
    return unreach;
  }

  private static boolean isMultiProtocol(int type) {
    return type == Iana.ATTR_MP_REACH_NLRI || type == Iana.ATTR_MP_UNREACH_NLRI;
  }
}

package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.rib.Advert.Origin;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.bgp.wire.UpdateWriter;
import io.wayleave.bgp.wire.WeakInterner;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The Adj-RIB-Out that the members of an update group share, of one family: what they have been
 * sent, and what they are still to be sent. A member's own is this one without the routes that came
 * from itself.
 *
 * <p>Pending state is kept by prefix, so that a newer state overwrites an older one that was never
 * sent, and in buckets by path, so that prefixes with the same attributes share messages. A bucket
 * is in the order in which its first prefix came; withdrawals go first, because they are short and
 * stop traffic into nowhere. A bucket entry that was overwritten since is skipped when it is
 * reached.
 *
 * <p>A path is never told to its source. So when the best path moves from one member's to
 * another's, the two need messages that the others do not: the former is told the route, the latter
 * that what it was told is gone.
 *
 * <p>NOT thread safe. It sends nothing: {@link #next} encodes what is next.
 */
@SuppressWarnings("ReferenceEquality") // One object for each path; see Advert.
final class GroupTable {
  /** Receives one route that was told. */
  interface Visitor {
    void visit(Cidr prefix, Route route);
  }

  /**
   * Messages made at once: first what single members are told alone, then what all are.
   *
   * @param shared may be empty
   */
  record Encoded(Map<Member, Chunk> alone, Chunk shared) {}

  private final PrefixTable prefixes;
  private final Family family;
  private final Export export;
  private final CodecContext codec;
  private final WeakInterner<PathAttributes> sets;
  private final UpdateWriter writer;

  private final PathIds pathIds;
  // Absent where one path is told: then the slot of a route is the number of its prefix.
  private final Optional<PathSlots> slots;
  // By slot; null stands for none here and nowhere else.
  private Advert[] wanted = {};
  private Advert[] sent = {};
  private final BitSet pending = new BitSet();
  // Sent before and to be sent again, though nothing changed.
  private final BitSet again = new BitSet();
  private int pendingCount;
  private int sentCount;

  private final Map<Advert.Key, Advert> adverts = new HashMap<>();
  private final Map<String, Origin> origins = new HashMap<>();
  private final Origin nobody = new Origin("");
  private final ArrayDeque<Advert> buckets = new ArrayDeque<>();
  private final ArrayDeque<Origin> withdrawing = new ArrayDeque<>();

  // The prefixes of an UPDATE share their path.
  private Optional<Path> lastPath = Optional.empty();
  private Optional<PathAttributes> lastAdmitted = Optional.empty();
  private Optional<Advert> lastAdvert = Optional.empty();
  // The same of what was told by another table.
  private Optional<Advert> lastForeign = Optional.empty();
  private Optional<Advert> lastAdopted = Optional.empty();

  GroupTable(
      PrefixTable prefixes,
      Export export,
      CodecContext codec,
      WeakInterner<PathAttributes> exportedSets,
      PathIds pathIds) {
    this.prefixes = requireNonNull(prefixes, "prefixes is null");
    this.export = requireNonNull(export, "export is null");
    this.codec = requireNonNull(codec, "codec is null");
    sets = requireNonNull(exportedSets, "exportedSets is null");
    family = prefixes.family();
    writer = new UpdateWriter(codec);
    this.pathIds = requireNonNull(pathIds, "pathIds is null");
    slots = codec.sendsPathIds(family) ? Optional.of(new PathSlots(pathIds)) : Optional.empty();
  }

  /** Whether several paths to a prefix are told. */
  boolean tellsSeveral() {
    return slots.isPresent();
  }

  /** The members shall know what was chosen for the prefix, as far as it concerns them. */
  void set(int id, Candidates selection) {
    want(id, selection.count() == 0 ? null : advertOf(id, selection.get(0)));
  }

  /** The members shall know these paths to the prefix, and no other. */
  void setAll(int prefix, List<Path> paths) {
    PathSlots several = slots.orElseThrow();
    Set<Integer> told = new HashSet<>();
    for (Path path : paths) {
      int slot = several.add(prefix, pathIds.of(path));
      told.add(slot);
      want(slot, advertOf(prefix, path));
    }
    for (int slot : several.of(prefix)) {
      if (!told.contains(slot)) {
        want(slot, null);
      }
      freeIfUnused(slot);
    }
  }

  private void freeIfUnused(int slot) {
    if (slots.isPresent() && wanted[slot] == null && sent[slot] == null) {
      slots.get().free(slot);
    }
  }

  /** The number of the prefix whose route lies there. */
  private int prefixOf(int slot) {
    return slots.isEmpty() ? slot : slots.get().prefix(slot);
  }

  private void write(UpdateWriter to, int slot) {
    int prefix = prefixOf(slot);
    to.prefix(
        slots.isEmpty() ? 0 : slots.get().pathId(slot),
        prefixes.high(prefix),
        prefixes.low(prefix),
        prefixes.length(prefix));
  }

  private void want(int id, Advert advert) {
    ensure(id);
    if (advert == wanted[id]) {
      return;
    }
    setWanted(id, advert);
    Advert told = sent[id];
    if (advert == null && told == null) {
      settle(id);
    } else if (!again.get(id) && told != null && advert != null && interchangeable(told, advert)) {
      setSent(id, advert);
      settle(id);
    } else {
      enqueue(id);
    }
  }

  /** Whether members that were told the one need not be told the other. */
  private static boolean interchangeable(Advert told, Advert advert) {
    return told == advert
        || (told.sameRoute(advert)
            && (told.origin() == advert.origin()
                || (told.origin().member().isEmpty() && advert.origin().member().isEmpty())));
  }

  private Advert advertOf(int prefix, Path path) {
    if (lastPath.isEmpty() || lastPath.get() != path) {
      lastPath = Optional.of(path);
      lastAdmitted = export.admit(path);
      lastAdvert =
          export.looksAtPrefixes()
              ? Optional.empty()
              : lastAdmitted.flatMap(attributes -> advertOf(path, attributes));
    }
    if (!export.looksAtPrefixes() || lastAdmitted.isEmpty()) {
      return lastAdvert.orElse(null);
    }
    return export
        .judge(prefixes.prefix(prefix), path, lastAdmitted.get())
        .flatMap(attributes -> advertOf(path, attributes))
        .orElse(null);
  }

  private Optional<Advert> advertOf(Path path, PathAttributes judged) {
    Advert.Key key = new Advert.Key(path, judged);
    Optional<Advert> known = Optional.ofNullable(adverts.get(key));
    if (known.isPresent()) {
      return known;
    }
    Optional<Advert> made =
        export
            .finish(family, path, judged)
            .map(
                route ->
                    new Advert(
                        key,
                        new Route(sets.intern(route.attributes()), route.nextHop()),
                        originOf(path.source())));
    made.ifPresent(advert -> adverts.put(key, advert));
    return made;
  }

  private Origin originOf(PathSource source) {
    return switch (source) {
      case PathSource.Local() -> nobody;
      case PathSource.Peer peer -> origins.computeIfAbsent(peer.peer(), Origin::new);
    };
  }

  private void setWanted(int id, Advert advert) {
    Advert former = wanted[id];
    wanted[id] = advert;
    exchange(id, former, advert);
  }

  private void setSent(int id, Advert advert) {
    Advert former = sent[id];
    sent[id] = advert;
    if (former != null) {
      former.origin().addSent(-1);
      sentCount--;
    }
    if (advert != null) {
      advert.origin().addSent(1);
      sentCount++;
    }
    exchange(id, former, advert);
  }

  private void exchange(int id, Advert former, Advert advert) {
    if (advert != null) {
      advert.use();
      prefixes.retain(prefixOf(id));
    }
    if (former != null) {
      if (former.unuse()) {
        adverts.remove(former.key(), former);
        if (lastAdvert.filter(last -> last == former).isPresent()) {
          lastPath = Optional.empty();
        }
        if (lastAdopted.filter(last -> last == former).isPresent()) {
          lastForeign = Optional.empty();
        }
        forgetIfUnused(former.origin());
      }
      prefixes.release(prefixOf(id));
    }
  }

  private void forgetIfUnused(Origin origin) {
    if (origin.isUnused()) {
      origins.remove(origin.peer(), origin);
    }
  }

  private void enqueue(int id) {
    if (!pending.get(id)) {
      pending.set(id);
      pendingCount++;
    }
    Advert advert = wanted[id];
    if (advert == null) {
      enqueueWithdrawal(excluded(sent[id].origin()), id);
      return;
    }
    advert.waiting().add(id);
    if (!advert.queued()) {
      advert.setQueued(true);
      buckets.add(advert);
    }
  }

  private void enqueueWithdrawal(Origin origin, int id) {
    origin.withdrawals().add(id);
    if (!origin.queued()) {
      origin.setQueued(true);
      withdrawing.add(origin);
    }
  }

  /** Nothing is to be done about the prefix any more. */
  private void settle(int id) {
    if (pending.get(id)) {
      pending.clear(id);
      again.clear(id);
      pendingCount--;
    }
  }

  /** The origin if it is a member of the group and so not to be told its own routes. */
  private Origin excluded(Origin origin) {
    return origin.member().isPresent() ? origin : nobody;
  }

  private void ensure(int id) {
    if (id >= wanted.length) {
      int capacity = slots.map(PathSlots::capacity).orElseGet(prefixes::capacity);
      wanted = Arrays.copyOf(wanted, capacity);
      sent = Arrays.copyOf(sent, capacity);
    }
  }

  /** Sends everything again, for ROUTE-REFRESH (RFC 2918 section 4). */
  void resend() {
    for (int id = 0; id < sent.length; id++) {
      if (sent[id] != null && wanted[id] != null) {
        again.set(id);
        if (!pending.get(id)) {
          enqueue(id);
        }
      }
    }
  }

  /** Whether {@link #resend} is not through yet. */
  boolean isResending() {
    return !again.isEmpty();
  }

  boolean hasPending() {
    return pendingCount > 0;
  }

  /** Encodes what is next, which then counts as sent. A little more than that many octets. */
  Encoded next(int octets) {
    writer.clear();
    Exclusions exclusions = new Exclusions();
    Map<Member, Alone> alone = new HashMap<>();
    while (writer.size() < octets && !withdrawing.isEmpty()) {
      Origin origin = withdrawing.peek();
      int from = writer.size();
      int messages = writer.messages();
      withdraw(origin, octets);
      exclusions.add(origin, from, messages);
      if (origin.withdrawals().isEmpty()) {
        origin.setQueued(false);
        withdrawing.remove();
      }
    }
    while (writer.size() < octets && !buckets.isEmpty()) {
      Advert advert = buckets.peek();
      int from = writer.size();
      int messages = writer.messages();
      announce(advert, octets, alone);
      exclusions.add(advert.origin(), from, messages);
      if (advert.waiting().isEmpty()) {
        advert.setQueued(false);
        buckets.remove();
      }
    }
    Map<Member, Chunk> own = new HashMap<>();
    alone.forEach((member, messages) -> own.put(member, messages.toChunk()));
    return new Encoded(own, chunkOf(writer, exclusions.spans()));
  }

  private void withdraw(Origin origin, int octets) {
    boolean begun = false;
    while (writer.size() < octets && !origin.withdrawals().isEmpty()) {
      int id = origin.withdrawals().remove();
      if (!pending.get(id) || wanted[id] != null) {
        continue;
      }
      Origin now = excluded(sent[id].origin());
      if (now != origin) {
        enqueueWithdrawal(now, id);
        continue;
      }
      if (!begun) {
        begun = true;
        writer.withdraw(family);
      }
      write(writer, id);
      settle(id);
      setSent(id, null);
      freeIfUnused(id);
    }
    writer.endRun();
  }

  private void announce(Advert advert, int octets, Map<Member, Alone> alone) {
    boolean begun = false;
    while (writer.size() < octets && !advert.waiting().isEmpty()) {
      int id = advert.waiting().remove();
      if (!pending.get(id) || wanted[id] != advert) {
        continue;
      }
      Advert told = sent[id];
      boolean forAll = true;
      if (told != null && told.origin() != advert.origin()) {
        forAll = again.get(id) || !told.sameRoute(advert);
        tellSources(id, told, advert, forAll, alone);
      }
      settle(id);
      setSent(id, advert);
      if (forAll) {
        if (!begun) {
          begun = true;
          begin(writer, advert);
        }
        write(writer, id);
      }
    }
    writer.endRun();
  }

  /** The source of the new route knows the former one; that of the former one may know nothing. */
  private void tellSources(
      int id, Advert told, Advert advert, boolean forAll, Map<Member, Alone> alone) {
    advert
        .origin()
        .member()
        .ifPresent(member -> alone.computeIfAbsent(member, _ -> new Alone()).withdraw(id));
    if (!forAll) {
      told.origin()
          .member()
          .ifPresent(
              member -> alone.computeIfAbsent(member, _ -> new Alone()).announce(id, advert));
    }
  }

  private void begin(UpdateWriter to, Advert advert) {
    Route route = advert.route();
    to.announce(
        family,
        route.attributes(),
        route.nextHop().orElseGet(() -> export.own(family).orElseThrow().placeholder()),
        route.nextHop().isEmpty());
  }

  private static Chunk chunkOf(UpdateWriter from, Map<Member, Chunk.Span[]> leftOut) {
    return new Chunk(from.toBytes(), from.messages(), from.ownNextHops(), leftOut);
  }

  /** Messages for one member alone. */
  private final class Alone {
    private final UpdateWriter messages = new UpdateWriter(codec);
    // Empty for withdrawals.
    private Optional<Advert> run = Optional.empty();
    private boolean begun;

    void withdraw(int id) {
      if (!begun || run.isPresent()) {
        messages.withdraw(family);
      }
      run = Optional.empty();
      add(id);
    }

    void announce(int id, Advert advert) {
      if (run.isEmpty() || run.get() != advert) {
        begin(messages, advert);
      }
      run = Optional.of(advert);
      add(id);
    }

    private void add(int id) {
      begun = true;
      write(messages, id);
    }

    Chunk toChunk() {
      messages.endRun();
      return chunkOf(messages, Map.of());
    }
  }

  /** Which messages of the chunk in work which member does not get. */
  private final class Exclusions {
    private final Map<Member, List<Chunk.Span>> spans = new HashMap<>();

    void add(Origin origin, int from, int messagesBefore) {
      if (writer.size() > from) {
        Chunk.Span span = new Chunk.Span(from, writer.size(), writer.messages() - messagesBefore);
        origin
            .member()
            .ifPresent(member -> spans.computeIfAbsent(member, _ -> new ArrayList<>()).add(span));
      }
    }

    Map<Member, Chunk.Span[]> spans() {
      Map<Member, Chunk.Span[]> arrays = new HashMap<>();
      spans.forEach((member, list) -> arrays.put(member, list.toArray(Chunk.Span[]::new)));
      return arrays;
    }
  }

  // ---- members

  /** From now on the routes of that peer are not told to this member. */
  void join(Member member) {
    origins.computeIfAbsent(member.peer(), Origin::new).setMember(Optional.of(member));
  }

  void leave(Member member) {
    Origin origin = origins.get(member.peer());
    origin.setMember(Optional.empty());
    forgetIfUnused(origin);
  }

  /** What was sent here counts as sent, and wanted, there too. */
  void copySentTo(GroupTable other) {
    for (int id = 0; id < sent.length; id++) {
      if (sent[id] != null) {
        Advert told = other.adopt(sent[id]);
        int slot = slotIn(other, id);
        other.ensure(slot);
        other.setWanted(slot, told);
        other.setSent(slot, told);
      }
    }
  }

  /** Members of the other table would have been sent these once more. */
  void copyResendTo(GroupTable other) {
    for (int id = again.nextSetBit(0); id >= 0; id = again.nextSetBit(id + 1)) {
      int slot = slotIn(other, id);
      other.ensure(slot);
      if (other.sent[slot] != null && other.wanted[slot] != null) {
        other.again.set(slot);
        other.enqueue(slot);
      }
      other.freeIfUnused(slot);
    }
  }

  private int slotIn(GroupTable other, int slot) {
    return slots.isEmpty()
        ? slot
        : other.slots.orElseThrow().add(prefixOf(slot), slots.get().pathId(slot));
  }

  private Advert adopt(Advert foreign) {
    if (lastForeign.isEmpty() || lastForeign.get() != foreign) {
      lastForeign = Optional.of(foreign);
      lastAdopted =
          Optional.of(
              new Advert(foreign.key(), foreign.route(), originOf(foreign.key().path().source())));
    }
    return lastAdopted.orElseThrow();
  }

  /** The table is not used any more. */
  void release() {
    for (int id = 0; id < wanted.length; id++) {
      setWanted(id, null);
      setSent(id, null);
    }
    slots.ifPresent(PathSlots::release);
  }

  /** How many peers are known that are members, or whose routes are told. */
  int origins() {
    return origins.size();
  }

  // ---- for people

  /** How many prefixes were sent to any member. */
  int sentTotal() {
    return sentCount;
  }

  /** How many prefixes the member has been told. */
  int sentTo(Member member) {
    Origin own = origins.get(member.peer());
    return sentCount - (own == null ? 0 : own.sent());
  }

  /** What the member has been told of the prefixes with the numbers from one to below the other. */
  void forEachSentTo(Member member, int from, int to, Visitor visitor) {
    for (int prefix = from; prefix < Math.min(to, prefixes.limit()); prefix++) {
      if (slots.isEmpty()) {
        visitSentTo(member, prefix, visitor);
      } else {
        for (int slot : slots.get().of(prefix)) {
          visitSentTo(member, slot, visitor);
        }
      }
    }
  }

  private void visitSentTo(Member member, int slot, Visitor visitor) {
    Advert advert = slot < sent.length ? sent[slot] : null;
    if (advert != null && !advert.origin().peer().equals(member.peer())) {
      visitor.visit(prefixes.prefix(prefixOf(slot)), advert.route());
    }
  }
}

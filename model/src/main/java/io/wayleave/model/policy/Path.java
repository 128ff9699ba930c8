package io.wayleave.model.policy;

import io.wayleave.model.Direction;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Node;
import io.wayleave.model.Protocol;
import io.wayleave.model.Resource;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Explanation.Note;
import io.wayleave.model.policy.Explanation.Outcome;
import io.wayleave.model.policy.Explanation.Place;
import io.wayleave.model.policy.Explanation.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a packet comes from, where it goes, and whose policies it meets on the way.
 *
 * @param sender whose egress is asked, a workload or host endpoint
 * @param receiver whose ingress is asked, a workload or host endpoint
 * @param open what becomes of the packet if both allow it, or none is asked
 */
record Path(
    Question question,
    Place from,
    Place to,
    Optional<Resource> sender,
    Optional<Resource> receiver,
    Verdict open,
    List<Note> notes) {

  static Path of(Picture picture, Question question) {
    Spot from = Spot.find(picture, "from", question.from());
    Spot to = Spot.find(picture, "to", question.to());
    if (staysAt(from.place(), to.place())) {
      return unasked(question, from, to, Verdict.ALLOW, Note.LOCAL);
    }
    if (isNeighbourDiscovery(question)) {
      return unasked(question, from, to, Verdict.ALLOW, Note.NEIGHBOUR_DISCOVERY);
    }
    if (from.endpoint().orElse(null) instanceof WorkloadEndpoint workload
        && !workload.spec().ipNetworks().contains(question.from().address().toCidr())) {
      return unasked(question, from, to, Verdict.DENY, Note.NOT_ITS_ADDRESS);
    }
    if (from.place() instanceof Place.Host(String node, _)
        && to.place() instanceof Place.Workload(_, String home)
        && home.equals(node)) {
      return unasked(question, from, to, Verdict.ALLOW, Note.HOST_TO_OWN_WORKLOAD);
    }
    if (from.place() instanceof Place.Workload(_, String home)
        && to.place() instanceof Place.Host(String node, _)
        && home.equals(node)) {
      // Interfaces of containers are never those of a host endpoint.
      Note note = toOwnHost(picture, node);
      return new Path(
          question,
          from.place(),
          to.place(),
          from.endpoint(),
          Optional.empty(),
          note == Note.WORKLOAD_TO_OWN_HOST_DROP ? Verdict.DENY : Verdict.ALLOW,
          List.of(note));
    }
    return new Path(
        question,
        from.place(),
        to.place(),
        from.endpoint(),
        to.endpoint(),
        Verdict.ALLOW,
        Stream.concat(
                hostNotes(picture, from, question.from()).stream(),
                hostNotes(picture, to, question.to()).stream())
            .distinct()
            .toList());
  }

  private static Note toOwnHost(Picture picture, String node) {
    HostSettings settings = picture.hosts().get(node);
    return settings == null
        ? Note.WORKLOAD_TO_OWN_HOST
        : switch (settings.workloadToHostAction()) {
          case Return -> Note.WORKLOAD_TO_OWN_HOST_RETURN;
          case Accept -> Note.WORKLOAD_TO_OWN_HOST_ACCEPT;
          case Drop -> Note.WORKLOAD_TO_OWN_HOST_DROP;
        };
  }

  /** What must be known of an end that is a host. */
  private static List<Note> hostNotes(Picture picture, Spot spot, Question.End end) {
    List<Note> notes = new ArrayList<>();
    if (spot.place() instanceof Place.Host(String node, Optional<String> found)) {
      boolean others =
          end.endpoint().isEmpty()
              && picture.hostEndpoints().stream()
                  .anyMatch(
                      endpoint ->
                          endpoint.spec().node().equals(node)
                              && !found.equals(Optional.of(endpoint.id())));
      if (others) {
        notes.add(Note.OTHER_HOST_ENDPOINTS);
      } else if (found.isEmpty()) {
        notes.add(Note.NO_HOST_ENDPOINT);
      }
      if (found.isPresent() && !picture.hosts().containsKey(node)) {
        notes.add(Note.USUAL_FAILSAFE_PORTS);
      }
    }
    return notes;
  }

  /** What the policies of a picture say, which has the endpoints of the one it was made of. */
  Outcome walk(Picture picture) {
    Walker walker = new Walker(picture, question);
    Optional<Walk> egress = sender.map(endpoint -> walker.walk(endpoint, Direction.Egress));
    Optional<Walk> ingress = receiver.map(endpoint -> walker.walk(endpoint, Direction.Ingress));
    return new Outcome(
        egress,
        ingress,
        Stream.of(egress, ingress)
            .flatMap(Optional::stream)
            .map(Walk::verdict)
            .reduce(open, Verdict::and));
  }

  private static Path unasked(Question question, Spot from, Spot to, Verdict verdict, Note note) {
    return new Path(
        question,
        from.place(),
        to.place(),
        Optional.empty(),
        Optional.empty(),
        verdict,
        List.of(note));
  }

  private static boolean staysAt(Place from, Place to) {
    return switch (from) {
      case Place.Workload workload -> to.equals(workload);
      case Place.Host(String node, _) ->
          to instanceof Place.Host(String other, _) && other.equals(node);
      case Place.Outside _ -> false;
    };
  }

  private static boolean isNeighbourDiscovery(Question question) {
    return question.protocol().equals(Protocol.ICMPV6)
        && question.icmp().filter(icmp -> icmp.type() == 135 || icmp.type() == 136).isPresent();
  }

  /** One end: what is there, and the endpoint that governs it. */
  private record Spot(Place place, Optional<Resource> endpoint) {
    static Spot find(Picture picture, String field, Question.End end) {
      return end.endpoint().isPresent()
          ? named(picture, field, end.endpoint().get())
          : holderOf(picture, end.address());
    }

    private static Spot named(Picture picture, String field, String id) {
      Optional<Spot> workload =
          picture.endpoints().stream()
              .filter(endpoint -> endpoint.id().equals(id))
              .findFirst()
              .map(Spot::of);
      return workload
          .or(
              () ->
                  picture.hostEndpoints().stream()
                      .filter(endpoint -> endpoint.id().equals(id))
                      .findFirst()
                      .map(Spot::of))
          .orElseThrow(
              () ->
                  new InvalidInputException(
                      field, id, "the name of a workload endpoint or a host endpoint"));
    }

    private static Spot holderOf(Picture picture, IpAddress address) {
      Optional<Spot> workload =
          picture.endpoints().stream()
              .filter(endpoint -> endpoint.spec().ipNetworks().contains(address.toCidr()))
              .min(Comparator.comparing(WorkloadEndpoint::id))
              .map(Spot::of);
      return workload
          .or(() -> hostWith(picture, address))
          .or(() -> nodeWith(picture, address).map(node -> host(picture, node)))
          .orElse(new Spot(new Place.Outside(), Optional.empty()));
    }

    private static Optional<Spot> hostWith(Picture picture, IpAddress address) {
      return picture.hostEndpoints().stream()
          .filter(endpoint -> endpoint.spec().expectedIPs().contains(address))
          .min(Comparator.comparing(HostEndpoint::id))
          .map(Spot::of);
    }

    private static Optional<String> nodeWith(Picture picture, IpAddress address) {
      return picture.nodes().stream()
          .filter(
              node ->
                  node.spec().bgp().stream()
                      .flatMap(bgp -> Stream.of(bgp.ipv4(), bgp.ipv6()))
                      .anyMatch(Optional.of(address)::equals))
          .map(Node::name)
          .min(Comparator.naturalOrder());
    }

    /**
     * A host of which only the address is known: which of its interfaces is used is not, but one
     * host endpoint may stand for all of them.
     */
    private static Spot host(Picture picture, String node) {
      return picture.hostEndpoints().stream()
          .filter(endpoint -> endpoint.spec().node().equals(node))
          .filter(
              endpoint ->
                  endpoint.spec().interfaceName().equals(Optional.of(HostEndpoint.ALL_INTERFACES)))
          .min(Comparator.comparing(HostEndpoint::id))
          .map(Spot::of)
          .orElse(new Spot(new Place.Host(node, Optional.empty()), Optional.empty()));
    }

    private static Spot of(WorkloadEndpoint endpoint) {
      return new Spot(
          new Place.Workload(endpoint.id(), endpoint.spec().node()), Optional.of(endpoint));
    }

    private static Spot of(HostEndpoint endpoint) {
      return new Spot(
          new Place.Host(endpoint.spec().node(), Optional.of(endpoint.id())),
          Optional.of(endpoint));
    }
  }
}

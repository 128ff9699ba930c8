package io.wayleave.model.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicyRule.Icmp;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.PortRange;
import io.wayleave.model.Profile;
import io.wayleave.model.Protocol;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Question.IcmpMessage;
import io.wayleave.model.policy.Walk.Mismatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Compares rules with one packet, field by field. NOT thread safe. */
final class RuleMatcher {
  private final Question question;

  /** Whatever rules can choose, by a name for people. */
  private final Map<String, Subject> subjects = new TreeMap<>();

  RuleMatcher(Picture picture, Function<String, Optional<Profile>> profiles, Question question) {
    this.question = question;
    for (WorkloadEndpoint endpoint : picture.endpoints()) {
      subjects.put("endpoint " + endpoint.id(), Subject.of(endpoint, profiles));
    }
    for (HostEndpoint endpoint : picture.hostEndpoints()) {
      subjects.put("host endpoint " + endpoint.id(), Subject.of(endpoint, profiles));
    }
    picture.networkSets().forEach(set -> subjects.put("network set " + set.id(), Subject.of(set)));
    picture
        .globalNetworkSets()
        .forEach(set -> subjects.put("global network set " + set.id(), Subject.of(set)));
  }

  /**
   * The fields of a rule that the packet does not meet, in the order of a manifest.
   *
   * @param namespace of the policy that the rule is of; empty when it is bound to none
   */
  List<Mismatch> mismatches(PolicyRule rule, Optional<String> namespace) {
    List<Mismatch> found = new ArrayList<>();
    int version = question.family() == Family.IPV4 ? 4 : 6;
    rule.ipVersion()
        .filter(wanted -> wanted != version)
        .ifPresent(
            wanted ->
                found.add(
                    new Mismatch(
                        "ipVersion", "the packet is IPv" + version + ", not IPv" + wanted)));
    Protocol protocol = question.protocol();
    rule.protocol()
        .filter(wanted -> !wanted.equals(protocol))
        .ifPresent(
            wanted ->
                found.add(
                    new Mismatch("protocol", "the packet is " + protocol + ", not " + wanted)));
    rule.notProtocol()
        .filter(protocol::equals)
        .ifPresent(_ -> found.add(new Mismatch("notProtocol", "the packet is " + protocol)));
    rule.icmp()
        .filter(wanted -> !matches(wanted))
        .ifPresent(wanted -> found.add(new Mismatch("icmp", icmpText() + ", not " + wanted)));
    rule.notIcmp()
        .filter(this::matches)
        .ifPresent(excluded -> found.add(new Mismatch("notICMP", icmpText())));
    rule.source()
        .ifPresent(
            entity ->
                compare(
                    "source",
                    entity,
                    namespace,
                    question.from().address(),
                    question.sourcePort(),
                    found));
    rule.destination()
        .ifPresent(
            entity ->
                compare(
                    "destination",
                    entity,
                    namespace,
                    question.to().address(),
                    question.port(),
                    found));
    return found;
  }

  private boolean matches(Icmp wanted) {
    return question
        .icmp()
        .filter(
            sent ->
                wanted.type().equals(Optional.of(sent.type()))
                    && wanted.code().map(code -> code == sent.code()).orElse(true))
        .isPresent();
  }

  private String icmpText() {
    return question
        .icmp()
        .map(IcmpMessage::toString)
        .map(text -> "the packet has " + text)
        .orElse("the packet is no ICMP message");
  }

  private void compare(
      String side,
      Entity entity,
      Optional<String> namespace,
      IpAddress address,
      int port,
      List<Mismatch> found) {
    if (!entity.nets().isEmpty() && !inAny(entity.nets(), address)) {
      found.add(new Mismatch(side + ".nets", address + " is in none of " + joined(entity.nets())));
    }
    entity.notNets().stream()
        .filter(net -> net.contains(address))
        .findFirst()
        .ifPresent(net -> found.add(new Mismatch(side + ".notNets", address + " is in " + net)));
    Optional<SubjectSelector> chosen = SubjectSelector.chosenBy(entity, namespace);
    chosen
        .filter(selector -> holder(selector, address).isEmpty())
        .ifPresent(
            selector ->
                found.add(
                    new Mismatch(
                        side + (entity.selector().isPresent() ? ".selector" : ".namespaceSelector"),
                        address + " is not an address of " + selector)));
    SubjectSelector.excludedBy(entity)
        .flatMap(selector -> holder(selector, address))
        .ifPresent(
            holder ->
                found.add(
                    new Mismatch(side + ".notSelector", address + " is an address of " + holder)));
    SubjectSelector named = chosen.orElse(SubjectSelector.ALL);
    if (!entity.ports().isEmpty()
        && entity.ports().stream().noneMatch(wanted -> matches(wanted, named, address, port))) {
      found.add(
          new Mismatch(side + ".ports", "port " + port + " is none of " + joined(entity.ports())));
    }
    entity.notPorts().stream()
        .filter(excluded -> matches(excluded, named, address, port))
        .findFirst()
        .ifPresent(
            excluded ->
                found.add(new Mismatch(side + ".notPorts", "port " + port + " is " + excluded)));
  }

  private boolean matches(Port wanted, SubjectSelector chosen, IpAddress address, int port) {
    return switch (wanted) {
      case PortRange range -> range.contains(port);
      case PortName name ->
          subjects.values().stream()
              .filter(subject -> has(subject, name, port) && inAny(subject.nets(), address))
              .anyMatch(chosen::matches);
    };
  }

  private boolean has(Subject subject, PortName name, int port) {
    return subject.ports().stream()
        .anyMatch(
            own ->
                own.name().equals(name)
                    && own.protocol().equals(question.protocol())
                    && own.port() == port);
  }

  /** One of the chosen objects that have the address. */
  private Optional<String> holder(SubjectSelector selector, IpAddress address) {
    return subjects.entrySet().stream()
        .filter(entry -> inAny(entry.getValue().nets(), address))
        .filter(entry -> selector.matches(entry.getValue()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private static boolean inAny(List<Cidr> nets, IpAddress address) {
    return nets.stream().anyMatch(net -> net.contains(address));
  }

  private static String joined(List<?> items) {
    return items.stream().map(Object::toString).collect(Collectors.joining(", "));
  }
}

package io.wayleave.test.policy;

import io.wayleave.model.HostEndpoint;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Node;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Picture;
import io.wayleave.test.policy.Flow.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Makes a fleet small while something about it stays true: takes away resources, then rules, then
 * fields of rules, again and again until nothing more can go. What is left is not the smallest of
 * all, but each part of it is needed.
 */
final class Minimiser {
  private Minimiser() {}

  /**
   * Minimises.
   *
   * @param flow whose endpoints must stay
   * @param holds true of the fleet, and of the result
   */
  static Picture minimise(Picture fleet, Flow flow, Predicate<Picture> holds) {
    Picture smaller = fleet;
    while (true) {
      Picture before = smaller;
      Optional<Picture> next = smallerOnes(before, flow).filter(holds).findFirst();
      if (next.isEmpty()) {
        return before;
      }
      smaller = next.get();
    }
  }

  private static Stream<Picture> smallerOnes(Picture fleet, Flow flow) {
    return Stream.of(withoutResources(fleet, flow), withSmallerRules(fleet))
        .flatMap(Function.identity());
  }

  private static Stream<Picture> withoutResources(Picture fleet, Flow flow) {
    List<Resource> all = Fleets.resources(fleet);
    return all.stream()
        .filter(resource -> !isEnd(flow.from(), resource) && !isEnd(flow.to(), resource))
        .map(
            resource -> {
              List<Resource> rest = new ArrayList<>(all);
              rest.remove(resource);
              return Picture.of(rest).withHosts(fleet.hosts());
            });
  }

  private static boolean isEnd(Place place, Resource resource) {
    return switch (place) {
      case Place.Container(String name) ->
          resource instanceof WorkloadEndpoint && resource.name().equals(name);
      case Place.Host(String node, Optional<String> name) ->
          (resource instanceof HostEndpoint && name.equals(Optional.of(resource.name())))
              || (resource instanceof Node && resource.name().equals(node));
      case Place.Outside _ -> false;
    };
  }

  private static Stream<Picture> withSmallerRules(Picture fleet) {
    List<Resource> all = Fleets.resources(fleet);
    return IntStream.range(0, all.size())
        .boxed()
        .flatMap(
            i ->
                smaller(all.get(i))
                    .map(
                        other -> {
                          List<Resource> changed = new ArrayList<>(all);
                          changed.set(i, other);
                          return Picture.of(changed).withHosts(fleet.hosts());
                        }));
  }

  private static Stream<Resource> smaller(Resource resource) {
    return switch (resource) {
      case Policy policy ->
          Stream.concat(
              smaller(policy.spec().ingress())
                  .map(rules -> RuleEdits.withRules(policy, rules, policy.spec().egress())),
              smaller(policy.spec().egress())
                  .map(rules -> RuleEdits.withRules(policy, policy.spec().ingress(), rules)));
      case Profile profile ->
          Stream.concat(
              smaller(profile.spec().ingress())
                  .map(rules -> withRules(profile, rules, profile.spec().egress())),
              smaller(profile.spec().egress())
                  .map(rules -> withRules(profile, profile.spec().ingress(), rules)));
      default -> Stream.empty();
    };
  }

  private static Resource withRules(
      Profile profile, List<PolicyRule> ingress, List<PolicyRule> egress) {
    return new Profile(
        profile.metadata(), new Profile.Spec(ingress, egress, profile.spec().labelsToApply()));
  }

  /** The rules without one of them, or with one of them without one of its fields. */
  private static Stream<List<PolicyRule>> smaller(List<PolicyRule> rules) {
    List<List<PolicyRule>> found = new ArrayList<>();
    for (int i = 0; i < rules.size(); i++) {
      List<PolicyRule> without = new ArrayList<>(rules);
      without.remove(i);
      found.add(without);
    }
    for (int i = 0; i < rules.size(); i++) {
      for (UnaryOperator<PolicyRule> edit : RuleEdits.withoutEach().values()) {
        try {
          PolicyRule edited = edit.apply(rules.get(i));
          if (!edited.equals(rules.get(i))) {
            List<PolicyRule> with = new ArrayList<>(rules);
            with.set(i, edited);
            found.add(with);
          }
        } catch (InvalidInputException e) {
          // Another field needs this one, and goes first.
        }
      }
    }
    return found.stream();
  }
}

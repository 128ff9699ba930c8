package io.wayleave.policy.calc;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.policy.Subject;
import java.util.List;
import java.util.Optional;

/**
 * Something that rules can choose: an endpoint or a network set. {@link Items} has and changes
 * them. Compared by identity.
 */
final class Item {
  final Kind kind;
  final String id;

  /** As stored, without what profiles apply. */
  Subject own;

  List<String> profiles = List.of();

  /** The endpoint, when it is of this node. */
  Optional<Resource> endpoint = Optional.empty();

  boolean present = true;

  /** Whether it is among the {@link Items#takeChanged changed} ones. */
  boolean changed;

  /** The profiles whose rules govern it, of endpoints of this node; kept by the calculator. */
  List<String> enforcedProfiles = List.of();

  Item(Kind kind, String id, Subject own) {
    this.kind = kind;
    this.id = id;
    this.own = own;
  }
}

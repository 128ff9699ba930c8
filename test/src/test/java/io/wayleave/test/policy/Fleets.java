package io.wayleave.test.policy;

import io.wayleave.model.Resource;
import io.wayleave.model.policy.Picture;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A fleet as one list of resources, and changed. */
final class Fleets {
  private Fleets() {}

  /** Each resource once, endpoints after what they refer to. */
  static List<Resource> resources(Picture fleet) {
    List<Resource> all = new ArrayList<>(fleet.nodes());
    all.addAll(fleet.profiles());
    all.addAll(fleet.tiers());
    all.addAll(fleet.networkSets());
    all.addAll(fleet.globalNetworkSets());
    all.addAll(fleet.policies());
    all.addAll(fleet.stagedPolicies());
    all.addAll(fleet.hostEndpoints());
    all.addAll(fleet.endpoints());
    return all;
  }

  static Picture edit(Picture fleet, UnaryOperator<Resource> edit) {
    return Picture.of(resources(fleet).stream().map(edit).toList()).withHosts(fleet.hosts());
  }
}

package io.wayleave.model.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Labels;
import io.wayleave.model.Metadata;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Profile;
import io.wayleave.model.WorkloadEndpoint;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * An object that policies and rules can choose, as they see it: an endpoint or a network set.
 * Immutable.
 *
 * @param namespace where it lives; empty for host endpoints and global network sets
 * @param labels its own labels, those that its profiles apply, and its namespace's name
 * @param namespaceLabels the labels of its namespace
 * @param nets its addresses
 * @param ports its ports that have names
 */
public record Subject(
    Optional<String> namespace,
    Labels labels,
    Labels namespaceLabels,
    List<Cidr> nets,
    List<EndpointPort> ports) {
  /** Label of every namespaced object: the name of its namespace. */
  public static final String NAMESPACE_LABEL = "projectcalico.org/namespace";

  /** Labels of every namespace: its name. */
  public static final List<String> NAMESPACE_NAME_LABELS =
      List.of("projectcalico.org/name", "kubernetes.io/metadata.name");

  public Subject {
    nets = List.copyOf(nets);
    ports = List.copyOf(ports);
  }

  /**
   * A workload endpoint.
   *
   * @param profiles the stored profile of a name, if there is one
   */
  public static Subject of(
      WorkloadEndpoint endpoint, Function<String, Optional<Profile>> profiles) {
    return of(endpoint).withLabelsOf(endpoint.spec().profiles(), profiles);
  }

  /** A workload endpoint without what its profiles apply. */
  public static Subject of(WorkloadEndpoint endpoint) {
    Optional<String> namespace = endpoint.metadata().namespace();
    return new Subject(
        namespace,
        labels(namespace, endpoint.labels()),
        namespaceLabels(namespace, endpoint.spec().namespaceLabels()),
        endpoint.spec().ipNetworks(),
        endpoint.spec().ports());
  }

  /**
   * A host endpoint.
   *
   * @param profiles the stored profile of a name, if there is one
   */
  public static Subject of(HostEndpoint endpoint, Function<String, Optional<Profile>> profiles) {
    return of(endpoint).withLabelsOf(endpoint.spec().profiles(), profiles);
  }

  /** A host endpoint without what its profiles apply. */
  public static Subject of(HostEndpoint endpoint) {
    return new Subject(
        Optional.empty(),
        Labels.copyOf(endpoint.labels()),
        Labels.NONE,
        endpoint.spec().expectedIPs().stream().map(IpAddress::toCidr).toList(),
        endpoint.spec().ports());
  }

  public static Subject of(NetworkSet set) {
    Optional<String> namespace = set.metadata().namespace();
    return new Subject(
        namespace,
        labels(namespace, set.metadata().labels()),
        namespaceLabels(namespace, Labels.NONE),
        set.spec().nets(),
        List.of());
  }

  public static Subject of(GlobalNetworkSet set) {
    return new Subject(
        Optional.empty(),
        Labels.copyOf(set.metadata().labels()),
        Labels.NONE,
        set.spec().nets(),
        List.of());
  }

  /**
   * The same with the labels that profiles apply: an earlier profile wins over a later one, what is
   * there already over both.
   *
   * @param profiles the stored profile of a name, if there is one
   */
  public Subject withLabelsOf(
      List<String> profileNames, Function<String, Optional<Profile>> profiles) {
    Labels applied = Labels.NONE;
    for (String name : profileNames) {
      Optional<Profile> profile = profiles.apply(name);
      if (profile.isPresent()) {
        applied = applied.over(Labels.copyOf(profile.get().spec().labelsToApply()));
      }
    }
    return applied.isEmpty()
        ? this
        : new Subject(namespace, labels.over(applied), namespaceLabels, nets, ports);
  }

  private static Labels labels(Optional<String> namespace, Map<String, String> own) {
    Labels labels = Labels.copyOf(own);
    return namespace.isPresent()
        ? Labels.of(NAMESPACE_LABEL, namespace.get()).over(labels)
        : labels;
  }

  private static Labels namespaceLabels(Optional<String> namespace, Map<String, String> told) {
    String name = namespace.orElse(Metadata.DEFAULT_NAMESPACE);
    Labels labels = Labels.copyOf(told);
    for (String label : NAMESPACE_NAME_LABELS) {
      labels = Labels.of(label, name).over(labels);
    }
    return labels;
  }
}

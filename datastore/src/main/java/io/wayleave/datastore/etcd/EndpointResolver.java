package io.wayleave.datastore.etcd;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.wayleave.datastore.DatastoreUrl;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/**
 * Gives gRPC the members of a cluster, each under its own name, so that TLS checks the certificate
 * of each member against the name that the user wrote. gRPC's own resolver knows one name for all.
 */
final class EndpointResolver extends NameResolver {
  private static final String SCHEME = "wayleave-etcd";
  private static final Map<String, List<DatastoreUrl.Endpoint>> TARGETS = new ConcurrentHashMap<>();

  static {
    NameResolverRegistry.getDefaultRegistry().register(new Provider());
  }

  private final List<DatastoreUrl.Endpoint> endpoints;
  private final Executor blocking;
  private Listener2 listener;

  private EndpointResolver(List<DatastoreUrl.Endpoint> endpoints, Executor blocking) {
    this.endpoints = endpoints;
    this.blocking = blocking;
  }

  /** The gRPC target for these members. */
  static String target(List<DatastoreUrl.Endpoint> endpoints) {
    String hosts = String.join(",", endpoints.stream().map(Object::toString).toList());
    TARGETS.put(hosts, List.copyOf(endpoints));
    try {
      return new URI(SCHEME, "", "/" + hosts, null).toString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("not a target: " + hosts, e);
    }
  }

  @Override
  public String getServiceAuthority() {
    return "etcd";
  }

  @Override
  public void start(Listener2 newListener) {
    listener = newListener;
    resolve();
  }

  @Override
  public void refresh() {
    resolve();
  }

  private void resolve() {
    // A name server that does not answer must not hold up the channel.
    Listener2 target = listener;
    blocking.execute(() -> target.onResult(result()));
  }

  private ResolutionResult result() {
    List<EquivalentAddressGroup> groups = new ArrayList<>();
    String failure = "";
    for (DatastoreUrl.Endpoint endpoint : endpoints) {
      try {
        List<SocketAddress> addresses = new ArrayList<>();
        for (InetAddress address : InetAddress.getAllByName(endpoint.host())) {
          addresses.add(new InetSocketAddress(address, endpoint.port()));
        }
        groups.add(
            new EquivalentAddressGroup(
                addresses,
                Attributes.newBuilder()
                    .set(EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE, endpoint.toString())
                    .build()));
      } catch (UnknownHostException e) {
        failure = "host name " + endpoint.host() + " has no address";
      }
    }
    StatusOr<List<EquivalentAddressGroup>> resolved =
        groups.isEmpty()
            ? StatusOr.fromStatus(Status.UNAVAILABLE.withDescription(failure))
            : StatusOr.fromValue(groups);
    return ResolutionResult.newBuilder().setAddressesOrError(resolved).build();
  }

  @Override
  public void shutdown() {}

  private static final class Provider extends NameResolverProvider {
    @Override
    protected boolean isAvailable() {
      return true;
    }

    @Override
    protected int priority() {
      return 5;
    }

    @Override
    public String getDefaultScheme() {
      return SCHEME;
    }

    @Override
    public NameResolver newNameResolver(URI uri, NameResolver.Args args) {
      if (!SCHEME.equals(uri.getScheme())) {
        return null;
      }
      List<DatastoreUrl.Endpoint> endpoints = TARGETS.get(uri.getPath().substring(1));
      return new EndpointResolver(endpoints, args.getOffloadExecutor());
    }
  }
}

package io.wayleave.cni;

import static io.wayleave.cni.CniException.Code.ALREADY_ATTACHED;
import static io.wayleave.cni.CniException.Code.FAILED;
import static io.wayleave.cni.CniException.Code.NO_ADDRESS;
import static io.wayleave.cni.CniException.Code.TRY_AGAIN_LATER;
import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamException;
import io.wayleave.ipam.OwnerRecord;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Endpoints by IPAM: the handle has the endpoint's name, and the endpoint is the owner record that
 * is written with it. Safe from any thread.
 */
public final class IpamEndpointStore implements EndpointStore {
  static final String CONTAINER_ID = "containerID";
  static final String ENDPOINT = "endpoint";
  private static final String NETWORK = "network";
  private static final String NAMESPACE = "namespace";

  private final Ipam ipam;

  public IpamEndpointStore(Ipam ipam) {
    this.ipam = requireNonNull(ipam, "ipam is null");
  }

  @Override
  public WorkloadEndpoint allocate(EndpointRequest request, Duration timeout)
      throws CniException, StoreUnavailableException {
    AddressWishes wishes = request.wishes();
    AllocationRequest wanted =
        AllocationRequest.oneOfEachFamily(request.name())
            .withGeneration(request.generation())
            .withAttributes(attributes(request))
            .withAddresses(wishes.addresses())
            .withNamespaceLabels(request.identity().namespaceLabels())
            .withOwner(addresses -> ownerRecord(endpoint(request, addresses)));
    for (Family family : Family.values()) {
      wanted = wanted.withPools(family, wishes.pools(family));
    }
    try {
      return endpoint(request, ipam.allocate(wanted, Deadline.after(timeout)).addresses());
    } catch (IpamException.AddressRefused e) {
      throw new CniException(
          NO_ADDRESS,
          "the container got no address",
          wishes.addressesField() + ": " + e.getMessage(),
          e);
    } catch (IpamException e) {
      throw new CniException(code(e), "the container got no address", e.getMessage(), e);
    } catch (OutcomeUnknownException e) {
      throw new StoreUnavailableException(e.getMessage(), e, true);
    } catch (DatastoreUnavailableException e) {
      throw new StoreUnavailableException(e.getMessage(), e);
    } catch (DatastoreRefusedException e) {
      throw new CniException(
          FAILED, "the datastore refused the container's address", e.getMessage(), e);
    } catch (InvalidInputException e) {
      throw poolsRefused(e).map(CniException::invalidConfig).orElseGet(() -> unreadable(e));
    }
  }

  /** The refusal of a pool's name, by the field of the configuration; empty for any other. */
  private static Optional<InvalidInputException> poolsRefused(InvalidInputException e) {
    return Arrays.stream(Family.values())
        .filter(family -> e.field().equals(AllocationRequest.poolsField(family)))
        .findFirst()
        .map(
            family ->
                new InvalidInputException(AddressWishes.field(family), e.value(), e.allowed()));
  }

  private static Map<String, String> attributes(EndpointRequest request) {
    Map<String, String> attributes = new HashMap<>();
    attributes.put(CONTAINER_ID, request.key().containerId());
    attributes.put(ENDPOINT, request.key().ifname());
    attributes.put(NETWORK, request.network());
    request.identity().namespace().ifPresent(name -> attributes.put(NAMESPACE, name));
    return attributes;
  }

  /**
   * As the handle tells it. It lacks the labels: whoever asks wants to undo the endpoint, and that
   * needs none.
   */
  @Override
  public Optional<WorkloadEndpoint> find(String name, Duration timeout)
      throws CniException, StoreUnavailableException {
    try {
      return ipam.find(name, Deadline.after(timeout)).map(IpamEndpointStore::endpoint);
    } catch (DatastoreException e) {
      throw new StoreUnavailableException(e.getMessage(), e);
    } catch (InvalidInputException e) {
      throw unreadable(e);
    }
  }

  @Override
  public void release(String name, String generation, Duration timeout)
      throws CniException, StoreUnavailableException {
    try {
      // Each of its three outcomes is one that this method promises.
      Ipam.Released _ = ipam.release(name, Optional.of(generation), Deadline.after(timeout));
    } catch (IpamException | DatastoreException e) {
      throw new StoreUnavailableException(e.getMessage(), e);
    } catch (InvalidInputException e) {
      throw unreadable(e);
    }
  }

  /** Of a newer version, or damaged: waiting does not mend it. */
  private static CniException unreadable(InvalidInputException e) {
    return new CniException(
        FAILED, "the datastore has a record that cannot be read", e.getMessage(), e);
  }

  private static CniException.Code code(IpamException e) {
    return switch (e) {
      case IpamException.Exhausted _, IpamException.AddressRefused _ -> NO_ADDRESS;
      case IpamException.HandleExists _, IpamException.OwnerExists _ -> ALREADY_ATTACHED;
      case IpamException.Contended _, IpamException.StoreIncomplete _ -> TRY_AGAIN_LATER;
    };
  }

  private static OwnerRecord ownerRecord(WorkloadEndpoint endpoint) {
    return OwnerRecord.of(ResourceStore.key(endpoint), ResourceCodec.toJson(endpoint));
  }

  private static WorkloadEndpoint endpoint(EndpointRequest request, List<IpAddress> addresses) {
    return new WorkloadEndpoint(
        request.identity().metadata(request.name()),
        new WorkloadEndpoint.Spec(
            request.node(),
            request.key().containerId(),
            request.key().ifname(),
            request.interfaceName(),
            request.mac(),
            addresses.stream().map(IpAddress::toCidr).toList(),
            request.network(),
            request.generation(),
            request.identity().profiles(),
            request.identity().ports(),
            request.identity().namespaceLabels()));
  }

  private static WorkloadEndpoint endpoint(Handle handle) {
    return new WorkloadEndpoint(
        Metadata.of(handle.id()),
        new WorkloadEndpoint.Spec(
            handle.node(),
            handle.attributes().getOrDefault(CONTAINER_ID, ""),
            handle.attributes().getOrDefault(ENDPOINT, ""),
            Wire.hostInterface(handle.id()),
            Wire.containerMac(handle.id(), handle.generation()),
            handle.addresses().stream().map(IpAddress::toCidr).toList(),
            handle.attributes().getOrDefault(NETWORK, ""),
            handle.generation()));
  }
}

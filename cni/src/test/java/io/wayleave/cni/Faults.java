package io.wayleave.cni;

import io.wayleave.model.Cidr;
import io.wayleave.model.MacAddress;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Makes one step of an ADD fail, before it has done anything or after it has done everything, and
 * hands everything else on to the real parts.
 */
final class Faults {
  /** The steps that can fail, in the order of an ADD. */
  static final List<String> STEPS =
      List.of(
          "allocate",
          "create",
          "configureHostEnd",
          "configureContainerEnd",
          "protect",
          "raiseHostEnd",
          "connect");

  private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
  private volatile String armed = "";
  private volatile Runnable meanwhile = () -> {};
  private volatile boolean late;
  private volatile Optional<EndpointRequest> arriving = Optional.empty();

  /** The next time that this moment comes, it fails. A moment is "before STEP" or "after STEP". */
  void failAt(String moment) {
    armed = moment;
  }

  /** The same, and this happens at that moment. */
  void failAt(String moment, Runnable also) {
    meanwhile = also;
    armed = moment;
  }

  /** The next allocation is given up, and arrives at the datastore when the test says so. */
  void allocateLate() {
    late = true;
  }

  /** The allocation that was given up. */
  Optional<EndpointRequest> arriving() {
    return arriving;
  }

  /** Every moment that came. */
  List<String> seen() {
    return List.copyOf(seen);
  }

  private boolean fails(String moment) {
    seen.add(moment);
    if (!armed.equals(moment)) {
      return false;
    }
    Runnable also = meanwhile;
    armed = "";
    meanwhile = () -> {};
    also.run();
    return true;
  }

  private void point(String moment) throws IOException {
    if (fails(moment)) {
      throw new IOException("injected " + moment);
    }
  }

  Wiring wiring(Wiring real) {
    return new Wiring() {
      @Override
      public void create(WirePlan plan) throws IOException, CniException {
        point("before create");
        real.create(plan);
        point("after create");
      }

      @Override
      public void configureHostEnd(WirePlan plan) throws IOException {
        point("before configureHostEnd");
        real.configureHostEnd(plan);
        point("after configureHostEnd");
      }

      @Override
      public void configureContainerEnd(WirePlan plan) throws IOException {
        point("before configureContainerEnd");
        real.configureContainerEnd(plan);
        point("after configureContainerEnd");
      }

      @Override
      public void raiseHostEnd(WirePlan plan) throws IOException {
        point("before raiseHostEnd");
        real.raiseHostEnd(plan);
        point("after raiseHostEnd");
      }

      @Override
      public boolean exists(String hostInterface) throws IOException {
        return real.exists(hostInterface);
      }

      @Override
      public void delete(String hostInterface) throws IOException {
        point("before delete");
        real.delete(hostInterface);
      }

      @Override
      public List<String> findDamage(WirePlan plan, MacAddress mac, List<Cidr> addresses)
          throws IOException {
        return real.findDamage(plan, mac, addresses);
      }
    };
  }

  EndpointDataplane dataplane(EndpointDataplane real) {
    return new EndpointDataplane() {
      @Override
      public void protect(WorkloadEndpoint endpoint, Duration timeout)
          throws IOException, InterruptedException {
        point("before protect");
        real.protect(endpoint, timeout);
        point("after protect");
      }

      @Override
      public void connect(WorkloadEndpoint endpoint, Duration timeout)
          throws IOException, InterruptedException {
        point("before connect");
        real.connect(endpoint, timeout);
        point("after connect");
      }

      @Override
      public void disconnect(WorkloadEndpoint endpoint, Duration timeout)
          throws IOException, InterruptedException {
        point("before disconnect");
        real.disconnect(endpoint, timeout);
      }

      @Override
      public void unprotect(WorkloadEndpoint endpoint, Duration timeout)
          throws IOException, InterruptedException {
        point("before unprotect");
        real.unprotect(endpoint, timeout);
      }
    };
  }

  EndpointStore store(EndpointStore real) {
    return new EndpointStore() {
      @Override
      public WorkloadEndpoint allocate(EndpointRequest request, Duration timeout)
          throws CniException, StoreUnavailableException {
        unavailable("before allocate");
        if (late) {
          late = false;
          arriving = Optional.of(request);
          throw new StoreUnavailableException("injected late", new IOException("injected"), true);
        }
        WorkloadEndpoint endpoint = real.allocate(request, timeout);
        // As when the transaction was committed and the answer was lost.
        unavailable("after allocate");
        return endpoint;
      }

      @Override
      public Optional<WorkloadEndpoint> find(String name, Duration timeout)
          throws CniException, StoreUnavailableException {
        return real.find(name, timeout);
      }

      @Override
      public void release(String name, String generation, Duration timeout)
          throws CniException, StoreUnavailableException {
        unavailable("before release");
        real.release(name, generation, timeout);
      }
    };
  }

  private void unavailable(String moment) throws EndpointStore.StoreUnavailableException {
    if (fails(moment)) {
      throw new EndpointStore.StoreUnavailableException(
          "injected " + moment, new IOException("injected"));
    }
  }
}

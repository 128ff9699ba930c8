package io.wayleave.cni;

import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.time.Duration;

/**
 * What the agent does on the host for an endpoint whose veth pair exists. An ADD calls {@link
 * #protect}, then lets the host's end go up, then {@link #connect}; a DEL calls {@link
 * #disconnect}, deletes the veth pair, then {@link #unprotect}. So a packet can pass only while
 * policy is in force.
 *
 * <p>Every method returns when the thing is done in the kernel (the announcement: when the local
 * RIB has it), and throws when it could not be done. Every method may be called for a state that is
 * already there, for an endpoint never heard of, and again after a failure. The removing ones work
 * without the datastore: they need nothing but their argument.
 *
 * <p>Called from many threads at once, never for one endpoint at the same time. May block, except
 * beyond the timeout.
 */
public interface EndpointDataplane {
  /** ipsets, policy chains and the endpoint's chains, in that order. The host's end is down. */
  void protect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException;

  /** The route of each address to the host's end, which is up; then its announcement. */
  void connect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException;

  /** Withdraws the announcement, then deletes the routes. */
  void disconnect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException;

  /** The endpoint's chains and what else nobody needs any more. The veth pair is gone. */
  void unprotect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException, InterruptedException;
}

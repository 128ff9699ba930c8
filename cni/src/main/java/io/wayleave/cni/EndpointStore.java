package io.wayleave.cni;

import io.wayleave.model.WorkloadEndpoint;
import java.time.Duration;
import java.util.Optional;

/**
 * The owner records of addresses in the datastore, as the CNI verbs use them. Called from many
 * threads at once; may block, except beyond the timeout.
 */
public interface EndpointStore {
  /**
   * Gives the endpoint its addresses and writes it, in one transaction.
   *
   * @return the endpoint with its addresses
   * @throws CniException with code NO_ADDRESS when no address is free; ALREADY_ATTACHED when an
   *     endpoint of that name exists
   * @throws StoreUnavailableException when the datastore does not answer in time; whether the
   *     endpoint was written is then not known
   */
  WorkloadEndpoint allocate(EndpointRequest request, Duration timeout)
      throws CniException, StoreUnavailableException;

  /**
   * The endpoint of that name, as it is in the datastore now.
   *
   * @throws CniException with code FAILED when the datastore has something there that this version
   *     cannot read
   */
  Optional<WorkloadEndpoint> find(String name, Duration timeout)
      throws CniException, StoreUnavailableException;

  /**
   * Deletes the endpoint and frees its addresses, in one transaction, if it is of that generation.
   * Does nothing if it is of another one or not there.
   *
   * @throws CniException with code FAILED when the datastore has something there that this version
   *     cannot read
   */
  void release(String name, String generation, Duration timeout)
      throws CniException, StoreUnavailableException;

  /** The datastore did not answer in time, or not at all. */
  final class StoreUnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean mayTakeEffect;

    public StoreUnavailableException(String message, Throwable cause) {
      this(message, cause, false);
    }

    /**
     * @param mayTakeEffect whether what was asked may have been done, or be done still
     */
    public StoreUnavailableException(String message, Throwable cause, boolean mayTakeEffect) {
      super(message, cause);
      this.mayTakeEffect = mayTakeEffect;
    }

    public boolean mayTakeEffect() {
      return mayTakeEffect;
    }
  }
}

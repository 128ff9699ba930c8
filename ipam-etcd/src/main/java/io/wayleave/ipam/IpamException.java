package io.wayleave.ipam;

import io.wayleave.datastore.DatastoreMover;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An address was not given. Nothing was changed. When the store does not answer, it is a {@link
 * io.wayleave.datastore.DatastoreException} instead.
 */
public abstract sealed class IpamException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  IpamException(String message) {
    super(message);
  }

  /** No pool has what is wanted. */
  public static final class Exhausted extends IpamException {
    private static final long serialVersionUID = 1L;

    private final Family family;
    private final transient List<PoolVerdict> verdicts;

    Exhausted(Family family, List<PoolVerdict> verdicts) {
      super(message(family, verdicts));
      this.family = family;
      this.verdicts = List.copyOf(verdicts);
    }

    public Family family() {
      return family;
    }

    /** Every pool of the family, and why it gave no address. */
    public List<PoolVerdict> verdicts() {
      return verdicts;
    }

    private static String message(Family family, List<PoolVerdict> verdicts) {
      String name = family.title();
      if (verdicts.isEmpty()) {
        return "no " + name + " address is free: there is no " + name + " pool; create one";
      }
      return "no "
          + name
          + " address is free: "
          + String.join("; ", verdicts.stream().map(PoolVerdict::toString).toList())
          + "; what helps: "
          + verdicts.stream()
              .map(PoolVerdict::remedy)
              .filter(remedy -> !remedy.isEmpty())
              .distinct()
              .map(remedy -> remedy + ", ")
              .collect(Collectors.joining())
          + "add a pool or free addresses";
    }
  }

  /**
   * Why a pool gave no address.
   *
   * @param reason as the words after "pool NAME CIDR"
   * @param remedy what may be done about it; empty: nothing in particular
   */
  public record PoolVerdict(String pool, String cidr, String reason, String remedy) {
    @Override
    public String toString() {
      return "pool " + pool + " (" + cidr + ") " + reason;
    }
  }

  /** An address that was asked for by name cannot be given. */
  public static final class AddressRefused extends IpamException {
    private static final long serialVersionUID = 1L;

    private final transient IpAddress address;

    AddressRefused(IpAddress address, String reason) {
      super("address " + address + " cannot be given: " + reason);
      this.address = address;
    }

    public IpAddress address() {
      return address;
    }
  }

  /** The handle is in use, by another allocation than this one. */
  public static final class HandleExists extends IpamException {
    private static final long serialVersionUID = 1L;

    private final transient Handle handle;

    HandleExists(Handle handle) {
      super(
          "handle "
              + handle.id()
              + " has addresses already: "
              + handle.addresses()
              + " on node "
              + handle.node()
              + "; release it first");
      this.handle = handle;
    }

    public Handle handle() {
      return handle;
    }
  }

  /** A record that was to be written along exists already. */
  public static final class OwnerExists extends IpamException {
    private static final long serialVersionUID = 1L;

    private final String key;

    OwnerExists(String key) {
      super("owner record " + key + " exists already, without this allocation");
      this.key = key;
    }

    public String key() {
      return key;
    }
  }

  /** The store is being filled from another: what is not there yet may be in use. */
  public static final class StoreIncomplete extends IpamException {
    private static final long serialVersionUID = 1L;

    StoreIncomplete(String store) {
      super(
          "no address is given from "
              + store
              + " before the move into it has ended ("
              + DatastoreMover.INCOMPLETE
              + " exists); give that netctl datastore command again");
    }
  }

  /** Other hosts were faster, again and again. Trying again later helps. */
  public static final class Contended extends IpamException {
    private static final long serialVersionUID = 1L;

    Contended(String what, int attempts) {
      super(
          what
              + (attempts == 1
                  ? " met a change by another; try again"
                  : " met " + attempts + " changes by others in a row; try again"));
    }
  }
}

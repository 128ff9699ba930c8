package io.wayleave.cni;

import io.wayleave.datastore.ResourceStore;
import io.wayleave.ipam.GarbageCollector;
import io.wayleave.ipam.Handle;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Kind;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which containers exist, as far as this host's addresses are concerned: those whose veth pair
 * does. The kernel deletes a pair with the last user of the container's network namespace, so a
 * pair that is gone without a DEL is a container that is gone.
 *
 * <p>A container that is being attached or detached exists: the verbs hold its key's lock from
 * before they take an address until its pair is there or the address is given back, so who gets the
 * lock and finds no pair looks at a container that is gone. One whose release is noted in the spool
 * counts as existing too, for that will be settled.
 *
 * <p>Of an address without an endpoint, such as one that a runtime asked for alone, it cannot be
 * told here who uses it; its owner counts as existing until somebody releases it. Safe from any
 * thread.
 */
final class AttachedContainers implements GarbageCollector.Containers {
  private static final Logger log = LoggerFactory.getLogger(AttachedContainers.class);

  private final Wiring wiring;
  private final AttachmentRecords records;
  private final DelSpool spool;
  private final KeyedLock<AttachmentKey> keys;

  AttachedContainers(
      Wiring wiring, AttachmentRecords records, DelSpool spool, KeyedLock<AttachmentKey> keys) {
    this.wiring = wiring;
    this.records = records;
    this.spool = spool;
    this.keys = keys;
  }

  @Override
  public boolean exists(Handle handle) {
    Optional<AttachmentKey> key = key(handle);
    if (key.isEmpty()) {
      return true;
    }
    Optional<KeyedLock.Held> acquired = tryAcquire(key.get());
    if (acquired.isEmpty()) {
      return true;
    }
    try (KeyedLock.Held _ = acquired.get()) {
      return !spool.entriesOf(key.get()).isEmpty() || hasPair(handle);
    } catch (IOException e) {
      throw new UncheckedIOException("container " + key.get() + " cannot be looked for", e);
    }
  }

  /** Deletes the record that a DEL would have deleted. */
  @Override
  public void released(Handle handle) {
    Optional<AttachmentKey> key = key(handle);
    Optional<KeyedLock.Held> acquired = key.flatMap(this::tryAcquire);
    if (acquired.isEmpty()) {
      return; // a verb works on it, and minds the record itself
    }
    try (KeyedLock.Held _ = acquired.get()) {
      boolean same =
          records
              .read(key.get())
              .filter(record -> record.generation().equals(handle.generation()))
              .isPresent();
      if (same && !hasPair(handle)) {
        records.delete(key.get());
      }
    } catch (IOException e) {
      log.warn("attachment record of a lost container stays key={}", key.get(), e);
    }
  }

  private boolean hasPair(Handle handle) throws IOException {
    return wiring.exists(Wire.hostInterface(handle.id()));
  }

  private Optional<KeyedLock.Held> tryAcquire(AttachmentKey key) {
    try {
      return keys.acquire(key, Duration.ZERO);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Of the attachment that the handle is for; empty when it is for none. */
  private static Optional<AttachmentKey> key(Handle handle) {
    if (!handle.owners().contains(ResourceStore.key(Kind.WORKLOAD_ENDPOINT, handle.id()))) {
      return Optional.empty();
    }
    try {
      AttachmentKey key =
          new AttachmentKey(
              handle.attributes().getOrDefault(IpamEndpointStore.CONTAINER_ID, ""),
              handle.attributes().getOrDefault(IpamEndpointStore.ENDPOINT, ""));
      String name = WorkloadEndpoint.nameOf(handle.node(), key.containerId(), key.ifname());
      return Optional.of(key).filter(_ -> name.equals(handle.id()));
    } catch (InvalidInputException e) {
      return Optional.empty();
    }
  }
}

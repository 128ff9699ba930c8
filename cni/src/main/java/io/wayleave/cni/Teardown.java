package io.wayleave.cni;

import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Undoes an attachment, whole or half made, in the reverse order of its making: announcement,
 * route, veth pair, policy, address, record. What the datastore does not take now goes to the
 * spool. The caller holds the key's lock. Safe from any thread.
 */
final class Teardown {
  private static final Logger log = LoggerFactory.getLogger(Teardown.class);

  /** So that a DEL is done soon also while the datastore is away. */
  private static final Duration STORE_TIME = Duration.ofSeconds(3);

  private final CniOptions options;
  private final Wiring wiring;
  private final EndpointDataplane dataplane;
  private final EndpointStore store;
  private final AttachmentRecords records;
  private final DelSpool spool;

  Teardown(
      CniOptions options,
      Wiring wiring,
      EndpointDataplane dataplane,
      EndpointStore store,
      AttachmentRecords records,
      DelSpool spool) {
    this.options = options;
    this.wiring = wiring;
    this.dataplane = dataplane;
    this.store = store;
    this.records = records;
    this.spool = spool;
  }

  /** What to do about a part that the datastore does not take. */
  enum WhenStoreIsAway {
    /** Note it in the spool, and call it done: a DEL from a runtime. */
    SPOOL,
    /** Fail, so that the caller tries again: an entry of the spool, or an ADD in the way. */
    FAIL
  }

  /**
   * Acts on a DEL, by the rules of the package.
   *
   * @param generation that the DEL names
   * @throws CniException when something is left to undo; calling again undoes the rest
   */
  void del(
      AttachmentKey key, Optional<String> generation, WhenStoreIsAway whenAway, TimeLimit limit)
      throws CniException, InterruptedException {
    Optional<Attachment> record = record(key);
    if (record.isEmpty()) {
      delWithoutRecord(key, generation, whenAway, limit);
    } else if (generation.equals(record.map(Attachment::generation))) {
      undo(record.get(), whenAway, limit);
    } else {
      log.info(
          "cni del ignored, it means an earlier attachment key={} generation={} current={}",
          key,
          generation.orElse("none"),
          record.get().generation());
    }
  }

  /** Undoes what a record tells of. */
  void undo(Attachment attachment, WhenStoreIsAway whenAway, TimeLimit limit)
      throws CniException, InterruptedException {
    AttachmentKey key = attachment.key();
    Optional<WorkloadEndpoint> endpoint = attachment.endpoint();
    boolean storeAway = false;
    if (endpoint.isEmpty()) {
      // An ADD that never finished: only the datastore can know its addresses.
      try {
        endpoint = store.find(endpointName(key), storeTime(limit));
      } catch (EndpointStore.StoreUnavailableException e) {
        requireSpooling(whenAway, key, e);
        storeAway = true;
      }
      endpoint = endpoint.filter(found -> isOf(found, attachment.generation()));
    }
    undoOnHost(key, endpoint, limit);
    if (storeAway || !release(key, attachment.generation(), whenAway, limit)) {
      spool(key, Optional.of(attachment.generation()));
    }
    deleteRecord(key);
  }

  private void delWithoutRecord(
      AttachmentKey key, Optional<String> generation, WhenStoreIsAway whenAway, TimeLimit limit)
      throws CniException, InterruptedException {
    Optional<WorkloadEndpoint> endpoint = Optional.empty();
    boolean storeAway = false;
    try {
      endpoint = store.find(endpointName(key), storeTime(limit));
    } catch (EndpointStore.StoreUnavailableException e) {
      requireSpooling(whenAway, key, e);
      storeAway = true;
    }
    boolean isOther =
        generation.isPresent()
            && endpoint.filter(found -> !isOf(found, generation.get())).isPresent();
    if (isOther) {
      return;
    }
    undoOnHost(key, endpoint, limit);
    if (storeAway
        || (endpoint.isPresent()
            && !release(key, endpoint.get().spec().generation(), whenAway, limit))) {
      spool(key, generation);
    }
  }

  /**
   * Everything but datastore and record. Without the endpoint only the veth pair goes, and the
   * kernel drops its routes with it; the dataplane forgets the rest when it next compares.
   *
   * <p>What fails is thrown after the rest was done, except that policy stays while the link may be
   * there. Then neither address nor record are given up, so that the next attempt still knows them.
   */
  private void undoOnHost(AttachmentKey key, Optional<WorkloadEndpoint> endpoint, TimeLimit limit)
      throws CniException, InterruptedException {
    CniException failure =
        new CniException(
            CniException.Code.FAILED, "not everything could be undone", "container " + key);
    UndoStack steps = new UndoStack();
    String hostInterface = Wire.hostInterface(endpointName(key));
    endpoint.ifPresent(
        known -> steps.pushLast("policy", () -> dataplane.unprotect(known, limit.remaining())));
    steps.push("veth pair " + hostInterface, () -> wiring.delete(hostInterface));
    endpoint.ifPresent(
        known ->
            steps.push(
                "announcement and route", () -> dataplane.disconnect(known, limit.remaining())));
    if (!steps.undo(failure)) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      Throwable first = failure.getSuppressed()[0];
      throw new CniException(
          CniException.Code.FAILED,
          "not everything could be undone",
          "container " + key + ": " + first.getMessage(),
          first);
    }
  }

  /** Whether the address is free; false when the datastore is away and that may be spooled. */
  private boolean release(
      AttachmentKey key, String generation, WhenStoreIsAway whenAway, TimeLimit limit)
      throws CniException {
    try {
      store.release(endpointName(key), generation, storeTime(limit));
      return true;
    } catch (EndpointStore.StoreUnavailableException e) {
      requireSpooling(whenAway, key, e);
      return false;
    }
  }

  private static Duration storeTime(TimeLimit limit) {
    Duration left = limit.remaining();
    return left.compareTo(STORE_TIME) < 0 ? left : STORE_TIME;
  }

  private static void requireSpooling(
      WhenStoreIsAway whenAway, AttachmentKey key, EndpointStore.StoreUnavailableException e)
      throws CniException {
    switch (whenAway) {
      case SPOOL ->
          log.warn(
              "cni del noted for later, the datastore is away key={} why={}", key, e.getMessage());
      case FAIL ->
          throw new CniException(
              CniException.Code.TRY_AGAIN_LATER,
              "an earlier attachment is not released yet",
              "container " + key + ": " + e.getMessage(),
              e);
    }
  }

  private void spool(AttachmentKey key, Optional<String> generation) throws CniException {
    try {
      spool.add(key, generation);
    } catch (IOException e) {
      throw ioFailure("write to the spool " + spool.directory(), e);
    }
  }

  private Optional<Attachment> record(AttachmentKey key) throws CniException {
    try {
      return records.read(key);
    } catch (IOException e) {
      throw ioFailure("read the attachment record of " + key, e);
    }
  }

  private void deleteRecord(AttachmentKey key) throws CniException {
    try {
      records.delete(key);
    } catch (IOException e) {
      throw ioFailure("delete the attachment record of " + key, e);
    }
  }

  private String endpointName(AttachmentKey key) {
    return WorkloadEndpoint.nameOf(options.node(), key.containerId(), key.ifname());
  }

  private static boolean isOf(WorkloadEndpoint endpoint, String generation) {
    return endpoint.spec().generation().equals(generation);
  }

  private static CniException ioFailure(String what, IOException e) {
    return new CniException(
        CniException.Code.IO_FAILURE,
        "input or output failed",
        "could not " + what + ": " + e.getMessage(),
        e);
  }
}

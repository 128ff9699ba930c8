package io.wayleave.cni;

import static io.wayleave.cni.CniException.Code.ALREADY_ATTACHED;
import static io.wayleave.cni.CniException.Code.FAILED;
import static io.wayleave.cni.CniException.Code.INVALID_ENVIRONMENT;
import static io.wayleave.cni.CniException.Code.TRY_AGAIN_LATER;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ADD. Its steps are those of {@link #attach}, in that order; whatever fails, everything before it
 * is undone. The caller holds the key's lock. Safe from any thread; blocks, so not for event loops
 * or virtual threads.
 */
final class AddVerb {
  private static final Logger log = LoggerFactory.getLogger(AddVerb.class);

  /** What undoing a step on the host may take when the ADD has used up its own time. */
  private static final Duration UNDO_TIME = Duration.ofSeconds(5);

  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int GENERATION_BYTES = 8;

  /** Whether the launcher that asked is still there to hear the answer. */
  @FunctionalInterface
  interface Client {
    boolean isThere() throws IOException;
  }

  private final CniOptions options;
  private final Wiring wiring;
  private final EndpointDataplane dataplane;
  private final EndpointStore store;
  private final AttachmentRecords records;
  private final DelSpool spool;
  private final Teardown teardown;

  AddVerb(
      CniOptions options,
      Wiring wiring,
      EndpointDataplane dataplane,
      EndpointStore store,
      AttachmentRecords records,
      DelSpool spool,
      Teardown teardown) {
    this.options = options;
    this.wiring = wiring;
    this.dataplane = dataplane;
    this.store = store;
    this.records = records;
    this.spool = spool;
    this.teardown = teardown;
  }

  AddResult run(
      CniRequest request,
      NetworkConfig config,
      NetworkNamespace namespace,
      Client client,
      TimeLimit limit)
      throws CniException, InterruptedException {
    AttachmentKey key = request.key().orElseThrow();
    requireSameSpool(request);
    try {
      refuseOwnNamespace(namespace, request.netnsPath());
      refuseLongName(key);
      clearTheWay(key, limit);
      return attach(key, request, config, namespace, client, limit);
    } catch (EndpointStore.StoreUnavailableException e) {
      throw new CniException(TRY_AGAIN_LATER, "the datastore does not answer", e.getMessage(), e);
    } catch (IOException e) {
      throw new CniException(FAILED, "the container could not be attached", e.getMessage(), e);
    }
  }

  private AddResult attach(
      AttachmentKey key,
      CniRequest request,
      NetworkConfig config,
      NetworkNamespace namespace,
      Client client,
      TimeLimit limit)
      throws CniException,
          EndpointStore.StoreUnavailableException,
          IOException,
          InterruptedException {
    Attachment begun = Attachment.begun(key, newGeneration());
    UndoStack undo = new UndoStack();
    try {
      undo.pushLast("attachment record", () -> records.delete(key));
      records.write(begun);
      if (!client.isThere()) {
        // Only now: see the rules of the package.
        throw CniException.tryAgain("the runtime has given up", "its launcher has gone");
      }

      undo.pushLast("address", () -> releaseOrSpool(begun));
      WorkloadEndpoint endpoint;
      try {
        endpoint = store.allocate(request(begun, config), limit.remaining("take an address"));
      } catch (EndpointStore.StoreUnavailableException e) {
        if (e.mayTakeEffect()) {
          // The release may come before the allocation, and find nothing. Noted first; if that
          // fails, the record stays.
          undo.push("late allocation", () -> spool.addLate(key, begun.generation()));
        }
        throw e;
      }
      WirePlan plan =
          new WirePlan(endpoint, namespace, config.mtu().orElseGet(options.defaultMtu()));

      // Under the pair, though put in force after it: a DEL too takes it away last.
      undo.pushLast("policy", () -> dataplane.unprotect(endpoint, UNDO_TIME));
      undo.push("veth pair", () -> wiring.delete(plan.hostInterface()));
      wiring.create(plan);
      wiring.configureHostEnd(plan);
      wiring.configureContainerEnd(plan);

      dataplane.protect(endpoint, limit.remaining("put policy in force"));
      wiring.raiseHostEnd(plan);

      undo.push("announcement and route", () -> dataplane.disconnect(endpoint, UNDO_TIME));
      dataplane.connect(endpoint, limit.remaining("route and announce"));

      records.write(begun.finished(endpoint));
      return new AddResult(endpoint, plan.mtu(), request.netnsPath(), config.dns());
    } catch (CniException
        | EndpointStore.StoreUnavailableException
        | IOException
        | InterruptedException
        | RuntimeException e) {
      undo.undo(e);
      throw e;
    }
  }

  /** Nothing of an earlier attachment of this key may be left, here or in the datastore. */
  private void clearTheWay(AttachmentKey key, TimeLimit limit)
      throws CniException, IOException, InterruptedException {
    for (DelSpool.Entry entry : spool.entriesOf(key)) {
      teardown.del(key, entry.generation(), Teardown.WhenStoreIsAway.FAIL, limit);
      if (!entry.late()) {
        spool.remove(entry);
      }
    }
    Optional<Attachment> earlier = records.read(key);
    if (earlier.isEmpty()) {
      return;
    }
    String hostInterface = Wire.hostInterface(endpointName(key));
    if (earlier.get().isFinished() && wiring.exists(hostInterface)) {
      throw new CniException(
          ALREADY_ATTACHED,
          "the container has this interface already",
          "container " + key + " has " + hostInterface + " on this host; DEL it first");
    }
    // The host was started anew, or the namespace was deleted, and nobody issued a DEL.
    log.info(
        "cni add removes an attachment that was lost key={} generation={}",
        key,
        earlier.get().generation());
    teardown.undo(earlier.get(), Teardown.WhenStoreIsAway.FAIL, limit);
  }

  private EndpointRequest request(Attachment begun, NetworkConfig config) {
    String name = endpointName(begun.key());
    return new EndpointRequest(
        name,
        config.identity(),
        options.node(),
        begun.key(),
        Wire.hostInterface(name),
        Wire.containerMac(name, begun.generation()),
        config.name(),
        begun.generation(),
        config.wishes());
  }

  /** Also after a timeout, when the address may or may not have been taken. */
  private void releaseOrSpool(Attachment begun) throws CniException, IOException {
    try {
      store.release(endpointName(begun.key()), begun.generation(), options.addReserve());
    } catch (EndpointStore.StoreUnavailableException e) {
      spool.add(begun.key(), Optional.of(begun.generation()));
      log.warn(
          "cni add undone, its address is released later key={} why={}",
          begun.key(),
          e.getMessage());
    }
  }

  /**
   * The launcher must read the records where they are written: else its DELs would name no
   * generation, and be ignored.
   */
  private void requireSameSpool(CniRequest request) throws CniException {
    String theirs = request.frame().text(RequestFrame.SPOOL_DIR).orElse("");
    boolean same;
    try {
      same = Files.isSameFile(Path.of(theirs), spool.directory());
    } catch (IOException | IllegalArgumentException e) {
      same = false;
    }
    if (!same) {
      throw CniException.invalidConfig(
          new InvalidInputException(
              "spoolDir", theirs, spool.directory() + ", as the agent is configured"));
    }
  }

  private static void refuseOwnNamespace(NetworkNamespace namespace, String path)
      throws IOException, CniException {
    try (NetworkNamespace own = NetworkNamespace.current()) {
      if (own.identity().equals(namespace.identity())) {
        throw new CniException(
            INVALID_ENVIRONMENT,
            "an environment variable has a value that is not allowed",
            "CNI_NETNS: \""
                + path
                + "\" is not allowed; allowed: a network namespace other than"
                + " the agent's own");
      }
    }
  }

  /** The name must fit a link's alias. */
  private void refuseLongName(AttachmentKey key) throws CniException {
    int tooLong = Wire.alias(endpointName(key)).length() - Wire.MAX_ALIAS;
    if (tooLong > 0) {
      int allowed = key.containerId().length() - tooLong;
      throw CniException.invalidEnvironment(
          new InvalidInputException(
              "CNI_CONTAINERID",
              key.containerId(),
              "at most " + allowed + " characters on node " + options.node()));
    }
  }

  private String endpointName(AttachmentKey key) {
    return WorkloadEndpoint.nameOf(options.node(), key.containerId(), key.ifname());
  }

  private static String newGeneration() {
    byte[] bytes = new byte[GENERATION_BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}

package io.wayleave.cni;

import static io.wayleave.cni.CniException.Code.FAILED;
import static io.wayleave.cni.CniException.Code.INVALID_ENVIRONMENT;
import static io.wayleave.cni.CniException.Code.IO_FAILURE;
import static io.wayleave.cni.CniException.Code.NOT_AVAILABLE;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.linux.Fd;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a request to its reply: everything of the CNI server but the socket. Every failure becomes a
 * CNI error. Safe from any thread; blocks, so not for event loops or virtual threads.
 */
final class CniService {
  private static final Logger log = LoggerFactory.getLogger(CniService.class);

  private final CniOptions options;
  private final Readiness readiness;
  private final SpoolSettler settler;
  private final KeyedLock<AttachmentKey> keys;
  private final AttachmentRecords records;
  private final AddVerb add;
  private final CheckVerb check;
  private final Teardown teardown;

  // Both guarded by waiting.
  private final Set<Thread> waiting = new HashSet<>();
  private boolean stopping;

  CniService(
      CniOptions options,
      Readiness readiness,
      SpoolSettler settler,
      KeyedLock<AttachmentKey> keys,
      AttachmentRecords records,
      AddVerb add,
      CheckVerb check,
      Teardown teardown) {
    this.options = options;
    this.readiness = readiness;
    this.settler = settler;
    this.keys = keys;
    this.records = records;
    this.add = add;
    this.check = check;
    this.teardown = teardown;
  }

  /**
   * @param payload of the request frame
   * @param descriptor of the network namespace, which the caller closes
   */
  CniReply answer(byte[] payload, Optional<Fd> descriptor, AddVerb.Client client)
      throws InterruptedException {
    CniVersion version = CniVersion.newest();
    long start = System.nanoTime();
    String what = "request";
    try {
      RequestFrame frame = RequestFrame.decode(payload);
      version = CniRequest.answerVersion(frame);
      what = frame.variable("CNI_COMMAND").orElse("") + " of " + key(frame);
      CniReply reply = perform(CniRequest.of(frame), descriptor, client);
      log.info("cni {} done ms={}", what, Duration.ofNanos(System.nanoTime() - start).toMillis());
      return reply;
    } catch (CniException e) {
      log.warn(
          "cni {} refused code={} msg={} details={}",
          what,
          e.code().number(),
          e.getMessage(),
          e.details());
      return CniReply.of(e, version);
    } catch (RuntimeException e) {
      log.error("cni {} failed", what, e);
      return CniReply.of(
          new CniException(FAILED, "the agent failed", String.valueOf(e.getMessage()), e), version);
    }
  }

  private CniReply perform(CniRequest request, Optional<Fd> descriptor, AddVerb.Client client)
      throws CniException, InterruptedException {
    return switch (request.command()) {
      case ADD -> add(request, descriptor, client);
      case DEL -> del(request);
      case CHECK -> check(request, descriptor);
      case STATUS -> status();
      case GC -> collectGarbage(request);
    };
  }

  private CniReply add(CniRequest request, Optional<Fd> descriptor, AddVerb.Client client)
      throws CniException, InterruptedException {
    NetworkConfig config = NetworkConfig.of(request);
    TimeLimit limit = TimeLimit.of(options.addTimeout().minus(options.addReserve()));
    requireReady(limit.remaining());
    try (NetworkNamespace namespace = namespace(request, descriptor);
        KeyedLock.Held _ = acquire(request.key().orElseThrow(), limit)) {
      return CniReply.of(add.run(request, config, namespace, client, limit), request.version());
    }
  }

  private CniReply del(CniRequest request) throws CniException, InterruptedException {
    request
        .frame()
        .text(RequestFrame.NETNS_ERROR)
        .ifPresent(why -> log.debug("cni del without its namespace why={}", why));
    if (request.key().isPresent()) {
      del(request.key().get(), request.generation());
    }
    return CniReply.done();
  }

  private void del(AttachmentKey key, Optional<String> generation)
      throws CniException, InterruptedException {
    TimeLimit limit = TimeLimit.of(options.delTimeout());
    try (KeyedLock.Held _ = acquire(key, limit)) {
      teardown.del(key, generation, Teardown.WhenStoreIsAway.SPOOL, limit);
    }
  }

  private CniReply check(CniRequest request, Optional<Fd> descriptor)
      throws CniException, InterruptedException {
    try (NetworkNamespace namespace = namespace(request, descriptor);
        KeyedLock.Held _ =
            acquire(request.key().orElseThrow(), TimeLimit.of(options.addTimeout()))) {
      check.run(request, namespace);
    }
    return CniReply.done();
  }

  private CniReply status() throws CniException, InterruptedException {
    Optional<String> missing = readiness.awaitReady(Duration.ZERO);
    missing = missing.isPresent() ? missing : settler.awaitFirst(Duration.ZERO);
    if (missing.isPresent()) {
      throw new CniException(NOT_AVAILABLE, "the Wayleave agent is not ready", missing.get());
    }
    return CniReply.done();
  }

  /**
   * Removes the attachments to the network that the runtime does not list. One that cannot be
   * removed keeps none of the others (CNI spec 1.1.0, section 2, "GC").
   */
  private CniReply collectGarbage(CniRequest request) throws CniException, InterruptedException {
    Set<AttachmentKey> valid = validAttachments(request);
    String network = request.config().path("name").asText();
    List<String> failures = new ArrayList<>();
    for (Attachment attachment : allRecords()) {
      boolean ofNetwork =
          attachment
              .endpoint()
              .filter(endpoint -> endpoint.spec().network().equals(network))
              .isPresent();
      if (ofNetwork && !valid.contains(attachment.key())) {
        try {
          del(attachment.key(), Optional.of(attachment.generation()));
          log.info("cni gc removed an attachment key={}", attachment.key());
        } catch (CniException e) {
          failures.add(e.details());
        }
      }
    }
    if (!failures.isEmpty()) {
      throw new CniException(
          FAILED, "not everything could be removed", String.join("; ", failures));
    }
    return CniReply.done();
  }

  private static Set<AttachmentKey> validAttachments(CniRequest request) throws CniException {
    String field = "cni.dev/valid-attachments";
    JsonNode list = request.config().path(field);
    if (!list.isArray()) {
      // Without the list everything would be garbage.
      throw CniException.invalidConfig(
          new InvalidInputException(
              field, list.toString(), "a list of objects with containerID and ifname"));
    }
    Set<AttachmentKey> valid = new HashSet<>();
    for (int i = 0; i < list.size(); i++) {
      try {
        valid.add(
            new AttachmentKey(
                list.get(i).path("containerID").asText(), list.get(i).path("ifname").asText()));
      } catch (InvalidInputException e) {
        throw CniException.invalidConfig(e.within(field + "[" + i + "]"));
      }
    }
    return valid;
  }

  private List<Attachment> allRecords() throws CniException {
    try {
      return records.all();
    } catch (IOException e) {
      throw new CniException(IO_FAILURE, "input or output failed", e.getMessage(), e);
    }
  }

  private void requireReady(Duration timeout) throws CniException, InterruptedException {
    Optional<String> missing;
    beginWaiting();
    try {
      TimeLimit limit = TimeLimit.of(timeout);
      missing = settler.awaitFirst(limit.remaining());
      missing = missing.isPresent() ? missing : readiness.awaitReady(limit.remaining());
    } catch (InterruptedException e) {
      if (isStopping()) {
        throw notReadyAsStopping();
      }
      throw e;
    } finally {
      endWaiting();
    }
    if (missing.isPresent()) {
      throw CniException.tryAgain("the Wayleave agent is not ready", missing.get());
    }
  }

  /** The agent stops: ADDs that only wait until it is ready fail now, and so do those to come. */
  void refuseThoseWhoWait() {
    synchronized (waiting) {
      stopping = true;
      waiting.forEach(Thread::interrupt);
    }
  }

  private void beginWaiting() throws CniException {
    synchronized (waiting) {
      if (stopping) {
        throw notReadyAsStopping();
      }
      waiting.add(Thread.currentThread());
    }
  }

  private void endWaiting() {
    synchronized (waiting) {
      waiting.remove(Thread.currentThread());
      if (stopping) {
        // It was meant for the wait, and may have come just after it.
        var _ = Thread.interrupted();
      }
    }
  }

  private boolean isStopping() {
    synchronized (waiting) {
      return stopping;
    }
  }

  private static CniException notReadyAsStopping() {
    return CniException.tryAgain("the Wayleave agent is not ready", "the agent is stopping");
  }

  private KeyedLock.Held acquire(AttachmentKey key, TimeLimit limit)
      throws CniException, InterruptedException {
    return keys.acquire(key, limit.remaining())
        .orElseThrow(
            () ->
                CniException.tryAgain(
                    "the container is busy",
                    "container " + key + ": an earlier command of it has not ended"));
  }

  /** The namespace of the container, by a descriptor of its own. */
  private static NetworkNamespace namespace(CniRequest request, Optional<Fd> descriptor)
      throws CniException {
    if (request.netnsPath().isEmpty() || descriptor.isEmpty()) {
      throw new CniException(
          INVALID_ENVIRONMENT,
          "a required environment variable is missing",
          request.netnsPath().isEmpty()
              ? "CNI_NETNS is not set"
              : "the launcher sent no descriptor of CNI_NETNS " + request.netnsPath());
    }
    try {
      return NetworkNamespace.ofDescriptor(descriptor.get().duplicate());
    } catch (IOException e) {
      throw CniException.invalidEnvironment(
          new InvalidInputException(
              "CNI_NETNS", request.netnsPath(), "the path of a network namespace"));
    }
  }

  private static String key(RequestFrame frame) {
    return frame.variable("CNI_CONTAINERID").orElse("-")
        + "/"
        + frame.variable("CNI_IFNAME").orElse("-");
  }
}

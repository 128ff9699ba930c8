package io.wayleave.cni;

import io.wayleave.model.WorkloadEndpoint;
import java.util.Optional;

/**
 * What this host remembers of an attachment: see the rules of the package.
 *
 * @param generation 1 to 64 digits and lower case letters
 * @param endpoint with its addresses; empty while an ADD is under way, and so after a crash in one
 */
public record Attachment(
    AttachmentKey key, String generation, Optional<WorkloadEndpoint> endpoint) {
  static Attachment begun(AttachmentKey key, String generation) {
    return new Attachment(key, generation, Optional.empty());
  }

  Attachment finished(WorkloadEndpoint made) {
    return new Attachment(key, generation, Optional.of(made));
  }

  boolean isFinished() {
    return endpoint.isPresent();
  }
}

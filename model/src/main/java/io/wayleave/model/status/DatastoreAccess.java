package io.wayleave.model.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Optional;

/**
 * How one opens the datastore of an agent: the answer of {@code GET /v1/datastore} on its admin
 * socket. Files are named by absolute path and their contents are not told: who asks reads them by
 * rights of his own.
 *
 * @param url as the agent was given it
 * @param caFile authorities that may sign the datastore's certificate, PEM
 * @param certificateFile certificate of the agent, PEM
 * @param keyFile private key of the agent, PEM
 * @param user of the datastore
 * @param passwordFile with the user's password
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record DatastoreAccess(
    String url,
    Optional<String> caFile,
    Optional<String> certificateFile,
    Optional<String> keyFile,
    Optional<String> user,
    Optional<String> passwordFile) {

  /** A URL for which nobody gave credentials. */
  public static DatastoreAccess of(String url) {
    return new DatastoreAccess(
        url,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }
}

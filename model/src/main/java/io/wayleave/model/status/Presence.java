package io.wayleave.model.status;

/**
 * What an agent keeps under {@code presence/<node>} for as long as its session with the datastore
 * lives.
 *
 * @param version of the agent
 * @param since when the agent started, ISO 8601 in UTC
 */
public record Presence(String version, String since) {}

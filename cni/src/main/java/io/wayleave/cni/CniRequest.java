package io.wayleave.cni;

import static io.wayleave.cni.CniException.Code.DECODING_FAILURE;
import static io.wayleave.cni.CniException.Code.INCOMPATIBLE_VERSION;
import static io.wayleave.cni.CniException.Code.INVALID_ENVIRONMENT;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;
import java.util.Optional;

/**
 * A command of a runtime, with what every command has checked. What only ADD needs of the
 * configuration is read by {@link NetworkConfig}.
 *
 * @param key empty for commands that are about no attachment, and for a DEL of an attachment that
 *     cannot exist because its name is not allowed
 * @param netnsPath CNI_NETNS as the runtime gave it; empty when it gave none
 * @param generation of the attachment that a DEL means
 */
record CniRequest(
    CniCommand command,
    CniVersion version,
    Optional<AttachmentKey> key,
    ObjectNode config,
    String netnsPath,
    Optional<String> generation,
    RequestFrame frame) {

  /** The version that an answer is written in, however wrong the rest of the request is. */
  static CniVersion answerVersion(RequestFrame frame) {
    try {
      return CniVersion.of(config(frame).path("cniVersion").asText()).orElse(CniVersion.newest());
    } catch (CniException e) {
      return CniVersion.newest();
    }
  }

  static CniRequest of(RequestFrame frame) throws CniException {
    String commandText = required(frame, "CNI_COMMAND");
    CniCommand command =
        CniCommand.of(commandText)
            .orElseThrow(
                () ->
                    CniException.invalidEnvironment(
                        new InvalidInputException(
                            "CNI_COMMAND", commandText, "ADD, DEL, CHECK, STATUS, GC")));
    ObjectNode config = config(frame);
    return new CniRequest(
        command,
        version(config, command),
        command.needsAttachment() ? key(frame, command) : Optional.empty(),
        config,
        frame.variable("CNI_NETNS").orElse(""),
        frame.text(RequestFrame.GENERATION),
        frame);
  }

  private static ObjectNode config(RequestFrame frame) throws CniException {
    byte[] text = frame.bytes(RequestFrame.CONFIG).orElse(new byte[0]);
    try {
      if (ResourceCodec.jsonMapper().readTree(text) instanceof ObjectNode object) {
        return object;
      }
      throw new CniException(
          DECODING_FAILURE, "the network configuration cannot be read", "stdin: not an object");
    } catch (JacksonException e) {
      throw new CniException(
          DECODING_FAILURE,
          "the network configuration cannot be read",
          "stdin, line "
              + e.getLocation().getLineNr()
              + ", column "
              + e.getLocation().getColumnNr()
              + ": "
              + e.getOriginalMessage(),
          e);
    } catch (IOException e) {
      throw new IllegalStateException("reading from memory does not fail", e);
    }
  }

  private static CniVersion version(ObjectNode config, CniCommand command) throws CniException {
    JsonNode node = config.path("cniVersion");
    if (!node.isTextual() && !node.isMissingNode()) {
      throw new CniException(
          DECODING_FAILURE,
          "the network configuration cannot be read",
          "cniVersion: \"" + node + "\" is not allowed; allowed: a text such as 1.0.0");
    }
    // A configuration without a version means 0.1.0 (CNI spec 0.2.0 and before).
    String asked = node.isMissingNode() ? "0.1.0" : node.asText();
    Optional<CniVersion> version = CniVersion.of(asked);
    if (version.isEmpty()) {
      throw incompatible(new InvalidInputException("cniVersion", asked, CniVersion.supported()));
    }
    if (!version.get().isAtLeast(command.since())) {
      throw incompatible(
          new InvalidInputException(
              "cniVersion", asked, command.since() + " or later for " + command));
    }
    return version.get();
  }

  private static CniException incompatible(InvalidInputException e) {
    return new CniException(INCOMPATIBLE_VERSION, "incompatible CNI version", e.getMessage(), e);
  }

  private static Optional<AttachmentKey> key(RequestFrame frame, CniCommand command)
      throws CniException {
    String containerId = required(frame, "CNI_CONTAINERID");
    String ifname = required(frame, "CNI_IFNAME");
    try {
      return Optional.of(new AttachmentKey(containerId, ifname));
    } catch (InvalidInputException e) {
      if (command == CniCommand.DEL) {
        // After an ADD was refused for this name, the runtime still has to issue a DEL, and to
        // refuse that as well would keep the container from ever being removed.
        return Optional.empty();
      }
      throw CniException.invalidEnvironment(e);
    }
  }

  private static String required(RequestFrame frame, String name) throws CniException {
    return frame
        .variable(name)
        .orElseThrow(
            () ->
                new CniException(
                    INVALID_ENVIRONMENT,
                    "a required environment variable is missing",
                    name + " is not set"));
  }
}

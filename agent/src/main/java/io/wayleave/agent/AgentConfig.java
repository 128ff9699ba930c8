package io.wayleave.agent;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.bgp.daemon.LogSetup;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.model.status.DatastoreAccess;
import io.wayleave.policy.dataplane.HostRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What the agent is told by its file and its environment. Everything else (pools, peers, policies)
 * lives in the datastore. A field of the file is overridden by the environment variable of the same
 * name in capitals, {@code nodeName} by {@code WAYLEAVE_NODE_NAME}; an empty variable counts as
 * none.
 *
 * @param nodeName name of this node, unique in the fabric; the host's name when absent
 * @param datastore where the state of the fabric is kept; served by this agent from the folder
 *     {@code datastore} of {@code stateDir} when absent
 * @param datastoreCa PEM file of the authorities that may sign the datastore's certificate
 * @param datastoreCert PEM file of this client's certificate; with {@code datastoreKey}
 * @param datastoreKey PEM file of this client's private key
 * @param datastoreUser user of the datastore; with {@code datastorePasswordFile}
 * @param datastorePasswordFile file with the user's password
 * @param ipv4Address the node's own IPv4 address; detected when absent
 * @param ipv6Address the node's own IPv6 address; detected when absent
 * @param asNumber the node's AS, written to its Node resource; left to that when absent
 * @param labels labels of the node, written to its Node resource beside those set by others
 * @param agentSocket Unix socket on which the CNI plugin is served
 * @param adminSocket Unix socket of the admin API
 * @param stateDir folder for what outlives a restart: spooled DELs, records of attachments
 * @param addTimeoutSeconds how long a CNI ADD may take before it fails, 1 to 300
 * @param gcIntervalSeconds how often addresses are looked for whose owner is gone, up to 86400; 0:
 *     never
 * @param gcGraceSeconds how long an owner must be gone before its addresses are released, 0 to
 *     86400
 * @param iptablesBackend {@code auto}, {@code nft} or {@code legacy}
 * @param workloadToHostAction what becomes of packets that a container may send and that are for
 *     its host
 * @param failsafeInbound ports of the host that no policy of a host endpoint closes
 * @param failsafeOutbound ports elsewhere to which no policy of a host endpoint closes the way
 * @param logDeniedPackets whether denied packets are told to {@code netctl policy watch}, so many a
 *     second as the kernel's limit lets through
 * @param removeEstablished whether established flows of containers end that a changed policy
 *     forbids
 * @param logLevel {@code error}, {@code warn}, {@code info} or {@code debug}
 * @param logFormat {@code text} (one line of words and key=value) or {@code json} (an object a
 *     line)
 */
public record AgentConfig(
    String nodeName,
    String datastore,
    Optional<Path> datastoreCa,
    Optional<Path> datastoreCert,
    Optional<Path> datastoreKey,
    Optional<String> datastoreUser,
    Optional<Path> datastorePasswordFile,
    Optional<IpAddress> ipv4Address,
    Optional<IpAddress> ipv6Address,
    Optional<Asn> asNumber,
    Map<String, String> labels,
    Path agentSocket,
    Path adminSocket,
    Path stateDir,
    Integer addTimeoutSeconds,
    Integer gcIntervalSeconds,
    Integer gcGraceSeconds,
    IptablesBackend iptablesBackend,
    WorkloadToHost workloadToHostAction,
    List<FailsafePort> failsafeInbound,
    List<FailsafePort> failsafeOutbound,
    Boolean logDeniedPackets,
    Boolean removeEstablished,
    LogSetup.Level logLevel,
    LogSetup.Format logFormat) {

  /** Which of the two iptables the host uses. */
  public enum IptablesBackend {
    auto,
    nft,
    legacy
  }

  static final Path DEFAULT_FILE = Path.of("/etc/wayleave/agent.yaml");
  private static final int MAX_GC_SECONDS = 86_400;
  private static final String ENVIRONMENT_PREFIX = "WAYLEAVE_";

  @JsonCreator
  @SuppressWarnings(
      "OptionalAssignedToNull") // Jackson hands over null for what is not in the file.
  public AgentConfig {
    nodeName = nodeName == null ? "" : nodeName;
    datastoreCa = datastoreCa == null ? Optional.empty() : datastoreCa;
    datastoreCert = datastoreCert == null ? Optional.empty() : datastoreCert;
    datastoreKey = datastoreKey == null ? Optional.empty() : datastoreKey;
    datastoreUser = datastoreUser == null ? Optional.empty() : datastoreUser;
    datastorePasswordFile =
        datastorePasswordFile == null ? Optional.empty() : datastorePasswordFile;
    ipv4Address = ipv4Address == null ? Optional.empty() : ipv4Address;
    ipv6Address = ipv6Address == null ? Optional.empty() : ipv6Address;
    asNumber = asNumber == null ? Optional.empty() : asNumber;
    labels = labels == null ? Map.of() : Map.copyOf(labels);
    agentSocket = agentSocket == null ? Path.of("/run/wayleave/agent.sock") : agentSocket;
    adminSocket = adminSocket == null ? Path.of("/run/wayleave/admin.sock") : adminSocket;
    stateDir = stateDir == null ? Path.of("/var/lib/wayleave") : stateDir;
    datastore = datastore == null ? "embedded:" + stateDir.resolve("datastore") : datastore;
    addTimeoutSeconds = addTimeoutSeconds == null ? Integer.valueOf(10) : addTimeoutSeconds;
    gcIntervalSeconds = gcIntervalSeconds == null ? Integer.valueOf(60) : gcIntervalSeconds;
    gcGraceSeconds = gcGraceSeconds == null ? Integer.valueOf(300) : gcGraceSeconds;
    iptablesBackend = iptablesBackend == null ? IptablesBackend.auto : iptablesBackend;
    workloadToHostAction =
        workloadToHostAction == null
            ? HostSettings.DEFAULT.workloadToHostAction()
            : workloadToHostAction;
    failsafeInbound =
        failsafeInbound == null
            ? HostSettings.DEFAULT.failsafeInbound()
            : List.copyOf(failsafeInbound);
    failsafeOutbound =
        failsafeOutbound == null
            ? HostSettings.DEFAULT.failsafeOutbound()
            : List.copyOf(failsafeOutbound);
    logDeniedPackets = logDeniedPackets == null ? Boolean.FALSE : logDeniedPackets;
    removeEstablished = removeEstablished == null ? Boolean.TRUE : removeEstablished;
    logLevel = logLevel == null ? LogSetup.Level.info : logLevel;
    logFormat = logFormat == null ? LogSetup.Format.text : logFormat;
    checkFamily("ipv4Address", ipv4Address, Family.IPV4);
    checkFamily("ipv6Address", ipv6Address, Family.IPV6);
    checkAbsolute("agentSocket", agentSocket);
    checkAbsolute("adminSocket", adminSocket);
    checkAbsolute("stateDir", stateDir);
    checkSeconds("addTimeoutSeconds", addTimeoutSeconds, 1, 300);
    checkSeconds("gcIntervalSeconds", gcIntervalSeconds, 0, MAX_GC_SECONDS);
    checkSeconds("gcGraceSeconds", gcGraceSeconds, 0, MAX_GC_SECONDS);
    try {
      Metadata.of(nodeName.isEmpty() ? "unnamed" : nodeName, labels);
    } catch (InvalidInputException e) {
      throw e.field().equals("name")
          ? new InvalidInputException("nodeName", e.value(), e.allowed())
          : e;
    }
  }

  /**
   * Reads a file and the environment.
   *
   * @param file the file; one that does not exist is an error only when {@code required}
   * @param environment such as {@link System#getenv()}
   * @throws InvalidInputException naming the field or variable
   */
  static AgentConfig load(Path file, boolean required, Map<String, String> environment)
      throws IOException {
    ObjectNode fields = ResourceCodec.yamlMapper().createObjectNode();
    try {
      JsonNode tree = ResourceCodec.readYaml(Files.readString(file));
      if (tree instanceof ObjectNode object) {
        fields = object;
      } else if (!tree.isMissingNode() && !tree.asText("").isEmpty()) {
        throw new InvalidInputException(
            "", tree.toString(), "an object with the fields of the agent");
      }
    } catch (NoSuchFileException e) {
      if (required) {
        throw new InvalidInputException("config", file.toString(), "a file that exists");
      }
    } catch (InvalidInputException e) {
      throw e.within(file.toString());
    }
    override(fields, environment);
    return ResourceCodec.read(ResourceCodec.yamlMapper(), fields, AgentConfig.class);
  }

  /** The same under the host's name, where none was given. */
  AgentConfig withNodeNameIfAbsent(String hostName) {
    if (!nodeName.isEmpty()) {
      return this;
    }
    return new AgentConfig(
        hostName,
        datastore,
        datastoreCa,
        datastoreCert,
        datastoreKey,
        datastoreUser,
        datastorePasswordFile,
        ipv4Address,
        ipv6Address,
        asNumber,
        labels,
        agentSocket,
        adminSocket,
        stateDir,
        addTimeoutSeconds,
        gcIntervalSeconds,
        gcGraceSeconds,
        iptablesBackend,
        workloadToHostAction,
        failsafeInbound,
        failsafeOutbound,
        logDeniedPackets,
        removeEstablished,
        logLevel,
        logFormat);
  }

  /** What others are told of the host. */
  HostSettings hostSettings() {
    return new HostSettings(workloadToHostAction, failsafeInbound, failsafeOutbound);
  }

  /** How the host itself is kept, apart from policies. */
  HostRules hostRules() {
    return new HostRules(hostSettings(), logDeniedPackets, removeEstablished);
  }

  /**
   * Credentials for the datastore; reads the password's file.
   *
   * @throws InvalidInputException when fields that belong together are not both there, or a file
   *     cannot be read
   */
  DatastoreOptions datastoreOptions() {
    Optional<String> password = datastorePasswordFile.map(AgentConfig::readPassword);
    requireTogether("datastoreCert", datastoreCert, "datastoreKey", datastoreKey);
    requireTogether("datastoreUser", datastoreUser, "datastorePasswordFile", datastorePasswordFile);
    return new DatastoreOptions(
        datastoreCa,
        datastoreCert,
        datastoreKey,
        datastoreUser,
        password,
        DatastoreOptions.DEFAULTS.requestTimeout());
  }

  /** How others on this host open the same datastore. Reads no file. */
  DatastoreAccess datastoreAccess() {
    return new DatastoreAccess(
        datastore,
        datastoreCa.map(AgentConfig::absolute),
        datastoreCert.map(AgentConfig::absolute),
        datastoreKey.map(AgentConfig::absolute),
        datastoreUser,
        datastorePasswordFile.map(AgentConfig::absolute));
  }

  private static String absolute(Path file) {
    return file.toAbsolutePath().toString();
  }

  private static void requireTogether(
      String first, Optional<?> firstValue, String second, Optional<?> secondValue) {
    if (firstValue.isPresent() != secondValue.isPresent()) {
      throw new InvalidInputException(
          firstValue.isPresent() ? second : first,
          "",
          first + " and " + second + " together, or none");
    }
  }

  private static String readPassword(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      InvalidInputException refusal =
          new InvalidInputException(
              "datastorePasswordFile", file.toString(), "a file that can be read");
      refusal.initCause(e);
      throw refusal;
    }
  }

  private static void override(ObjectNode fields, Map<String, String> environment) {
    for (var component : AgentConfig.class.getRecordComponents()) {
      String value = environment.getOrDefault(variable(component.getName()), "");
      if (value.isEmpty()) {
        continue;
      }
      if (component.getType() == Map.class) {
        ObjectNode labels = fields.putObject(component.getName());
        for (String pair : value.split(",", -1)) {
          int equals = pair.indexOf('=');
          if (equals < 1) {
            throw new InvalidInputException(
                variable(component.getName()), value, "key=value, separated by commas");
          }
          labels.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
      } else if (component.getType() == Integer.class && value.matches("[0-9]{1,9}")) {
        fields.put(component.getName(), Integer.parseInt(value));
      } else {
        fields.put(component.getName(), value);
      }
    }
  }

  /** {@code WAYLEAVE_NODE_NAME} for {@code nodeName}. */
  static String variable(String field) {
    return ENVIRONMENT_PREFIX
        + field.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT);
  }

  private static void checkFamily(String field, Optional<IpAddress> address, Family family) {
    if (address.isPresent() && address.get().family() != family) {
      throw new InvalidInputException(field, address.get().toString(), "an " + family + " address");
    }
  }

  private static void checkSeconds(String field, int seconds, int least, int most) {
    if (seconds < least || seconds > most) {
      throw new InvalidInputException(
          field, Integer.toString(seconds), least + " to " + most + " seconds");
    }
  }

  private static void checkAbsolute(String field, Path path) {
    if (!path.isAbsolute()) {
      throw new InvalidInputException(field, path.toString(), "an absolute path");
    }
  }
}

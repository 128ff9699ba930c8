package io.wayleave.test.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.status.AgentStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The Wayleave agent of a lab host. It runs in the host's network namespace, with files and sockets
 * in the host's folder. Safe from any thread; calls block.
 */
public final class LabAgent {
  /** Four JVMs start at the same time on two cores. */
  private static final Duration READY_DEADLINE = Duration.ofMinutes(1);

  private static final Duration STOP_DEADLINE = Duration.ofSeconds(20);
  private static final Duration ANSWER_DEADLINE = Duration.ofSeconds(5);

  private final LabHost host;
  private final Daemons daemons;
  private final StateFile state;

  LabAgent(LabHost host, Daemons daemons, StateFile state) {
    this.host = host;
    this.daemons = daemons;
    this.state = state;
  }

  /** Starts it and returns at once; {@link #awaitReady} says when it accepts containers. */
  public void begin() {
    begin(Installation.find());
  }

  /** Starts the agent of another build of Wayleave; otherwise as {@link #begin()}. */
  void begin(Installation installation) {
    Path config = host.file("agent.yaml");
    try {
      Files.writeString(config, configuration());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> argv = new ArrayList<>(host.network());
    argv.addAll(List.of(installation.agent().toString(), "--config", config.toString()));
    ProcessRecord _ = daemons.start(processName(), log(), Map.of(), argv);
  }

  /** Starts it and returns when it accepts containers. */
  public void start() {
    begin();
    awaitReady();
  }

  /** Waits until it accepts containers. */
  public void awaitReady() {
    daemons.awaitReady(
        process(), log(), READY_DEADLINE, () -> status().filter(AgentStatus::ready).isPresent());
  }

  /** Ends it as its operator would (SIGTERM), and waits. */
  public void stop() {
    if (!process().terminate(STOP_DEADLINE)) {
      throw new LabException(
          processName()
              + " still runs "
              + STOP_DEADLINE.toSeconds()
              + " s after SIGTERM. "
              + Daemons.tail(log()));
    }
  }

  /** Ends it without warning (SIGKILL), and waits. */
  public void kill9() {
    process().kill();
  }

  public boolean isRunning() {
    return process().isAlive();
  }

  /** What it says of itself; empty when it does not answer. */
  public Optional<AgentStatus> status() {
    try {
      return Optional.of(
          ResourceCodec.jsonMapper()
              .readValue(
                  AdminSocket.get(adminSocket(), "/v1/status", ANSWER_DEADLINE),
                  AgentStatus.class));
    } catch (JsonProcessingException e) {
      throw new LabException(processName() + " answers no status: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Number of BGP sessions that are established; 0 when it does not answer. */
  public long establishedSessions() {
    return status().stream()
        .flatMap(s -> s.bgp().peers().stream())
        .filter(p -> p.state().equals("Established"))
        .count();
  }

  /** Whether the routes of a peer are kept though its session is down, or was a moment ago. */
  public boolean keepsStaleRoutes() {
    try {
      String answer = AdminSocket.get(adminSocket(), "/v1/bgp/neighbors", ANSWER_DEADLINE);
      for (JsonNode peer : Json.read(processName() + "'s neighbors", answer).path("neighbors")) {
        if (!peer.path("staleFamilies").isEmpty()) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      throw new LabException(processName() + " does not answer", e);
    }
  }

  Path adminSocket() {
    return host.file("run").resolve("admin.sock");
  }

  Path agentSocket() {
    return host.file("run").resolve("agent.sock");
  }

  /** Where the launcher leaves a DEL that no agent took. */
  Path spool() {
    return stateDir().resolve("spool");
  }

  Path log() {
    return host.file("agent.log");
  }

  private Path stateDir() {
    return host.file("state");
  }

  private String configuration() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("nodeName", host.name());
    LabSpec spec = state.require().spec();
    fields.put("datastore", spec.datastore().url());
    Shape shape = spec.shape();
    if (shape.torsPerRack() > 1 && shape.links() == Shape.Links.RACK) {
      // By either switch it reaches the datastore with another address.
      fields.put("ipv4Address", host.place().ipv4().toString());
      fields.put("ipv6Address", host.place().ipv6().toString());
    }
    if (shape.hostAs() != Shape.HostAs.FABRIC) {
      fields.put("asNumber", host.place().asn().number());
    }
    fields.put("labels", Map.of("rack", Integer.toString(host.place().rack())));
    fields.put("agentSocket", agentSocket().toString());
    fields.put("adminSocket", adminSocket().toString());
    fields.put("stateDir", stateDir().toString());
    // In a lab things are lost in order to be found again.
    fields.put("gcIntervalSeconds", 1);
    fields.put("gcGraceSeconds", 2);
    // JSON is YAML.
    return Json.write(fields);
  }

  private ProcessRecord process() {
    return daemons.process(processName());
  }

  private String processName() {
    return host.name() + "/agent";
  }
}

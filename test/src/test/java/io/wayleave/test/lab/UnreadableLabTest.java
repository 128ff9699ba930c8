package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.ResourceStore;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What is in a real etcd and cannot be read, as if a newer version had written it: real agents
 * close what it may have been written to close, and nothing else, packets meet that, and netctl
 * names it. When it can be read, or is gone, all is open again.
 */
@Tag("lab")
@ExtendWith(SharedLab.class)
class UnreadableLabTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  /** What allows everything to the web server, and needs what is made unreadable. */
  private static final String ALLOWED =
      """
      apiVersion: wayleave.io/v1
      kind: Tier
      metadata: {name: newer}
      spec: {order: 10, defaultAction: Pass}
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkSet
      metadata: {name: newer, labels: {bad: "yes"}}
      spec: {nets: [192.0.2.0/24]}
      ---
      apiVersion: wayleave.io/v1
      kind: Profile
      metadata: {name: newer}
      spec: {ingress: [{action: Allow}], egress: [{action: Allow}]}
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: newer}
      spec: {selector: role == 'web', ingress: [{action: Allow}]}
      ---
      apiVersion: wayleave.io/v1
      kind: NetworkPolicy
      metadata: {name: newer, namespace: default}
      spec: {selector: role == 'web', ingress: [{action: Allow}]}
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: reads-newer}
      spec:
        tier: newer
        selector: role == 'web'
        ingress: [{action: Deny, source: {selector: bad == 'yes'}}, {action: Pass}]
      """;

  /** Where the lab's fabric is in its etcd. */
  private static final String ROOT = "/wayleave/v1/";

  /** Keys that a test wrote, with what was there before. */
  private final Map<String, String> before = new LinkedHashMap<>();

  @Test
  void whatCannotBeReadClosesWhatItMayForbid(Lab lab) throws Exception {
    LabHost host = lab.host("r1h1");
    LabContainer web = host.run("web", Map.of("role", "web"));
    LabContainer other = host.run("other", Map.of("role", "other"));
    LabContainer friend = lab.host("r2h1").run("friend", Map.of("role", "friend"));
    PingMatrix _ = PingMatrix.await(lab, Set.of(), SOON);
    Etcd etcd = lab.etcd();
    List<Resource> resources = ResourceCodec.fromManifest(ALLOWED);
    try {
      for (Resource resource : resources) {
        write(etcd, ResourceStore.key(resource), json(resource));
      }
      String endpoint = nameProfile(etcd, web);
      awaitPings(lab, friend, web, true);
      for (Resource resource : resources) {
        if (resource.name().equals("newer")) {
          String what = resource.kind().title() + " " + resource.id();
          String key = ResourceStore.key(resource);
          write(etcd, key, newer(json(resource)));
          awaitPings(lab, friend, web, false);
          awaitStatus(lab, what + " cannot be read: ", true);
          assertThat(Ping.once(friend.network(), other.address())).as(what).isTrue();
          write(etcd, key, json(resource));
          awaitPings(lab, friend, web, true);
        }
      }

      // The endpoint itself: its interface counts as one that nobody knows.
      String endpointKey = ResourceStore.key(Kind.WORKLOAD_ENDPOINT, endpoint);
      String readable = read(etcd, endpointKey);
      write(etcd, endpointKey, newer(readable));
      awaitPings(lab, friend, web, false);
      awaitStatus(lab, "WorkloadEndpoint " + endpoint + " cannot be read: ", true);
      write(etcd, endpointKey, readable);
      awaitPings(lab, friend, web, true);

      // A host must not be lost by what nobody understands.
      String hostKey = ResourceStore.key(Kind.HOST_ENDPOINT, "newer");
      write(
          etcd,
          hostKey,
          "{\"apiVersion\":\"wayleave.io/v1\",\"kind\":\"HostEndpoint\",\"metadata\":"
              + "{\"name\":\"newer\"},\"spec\":{\"flavour\":1,\"node\":\"r1h1\","
              + "\"interfaceName\":\"*\"}}");
      awaitStatus(lab, "HostEndpoint newer cannot be read: ", true);
      assertThat(Ping.once(friend.network(), web.address())).isTrue();
    } finally {
      restore(etcd);
    }
  }

  @Test
  void itStaysClosedWhenAnAgentStartsAndFindsIt(Lab lab) throws Exception {
    LabHost host = lab.host("r1h1");
    LabContainer web = host.run("web", Map.of("role", "web"));
    LabContainer other = host.run("other", Map.of("role", "other"));
    LabContainer friend = lab.host("r2h1").run("friend", Map.of("role", "friend"));
    PingMatrix _ = PingMatrix.await(lab, Set.of(), SOON);
    Etcd etcd = lab.etcd();
    String policy = "GlobalNetworkPolicy newer cannot be read: ";
    try {
      write(
          etcd,
          ResourceStore.key(Kind.GLOBAL_NETWORK_POLICY, "newer"),
          "{\"spec\":{\"selector\":\"role == 'web'\",\"flavour\":\"sweet\"}}");
      awaitPings(lab, friend, web, false);
      host.agent().stop();
      assertThat(Ping.once(friend.network(), web.address())).as("while it is away").isFalse();
      host.agent().start();
      lab.awaitSessions();
      awaitStatus(lab, policy, true);
      assertThat(Ping.once(friend.network(), web.address())).as("when it is back").isFalse();
      awaitPings(lab, friend, other, true);

      // Without a selector that can be read it may be meant for any endpoint.
      write(etcd, ResourceStore.key(Kind.GLOBAL_NETWORK_POLICY, "newer"), "no JSON at all");
      awaitPings(lab, friend, other, false);
      awaitStatus(lab, policy, true);
      etcd.delete(ROOT + ResourceStore.key(Kind.GLOBAL_NETWORK_POLICY, "newer"));
      awaitPings(lab, friend, other, true);
      awaitPings(lab, friend, web, true);
      awaitStatus(lab, policy, false);
    } finally {
      restore(etcd);
    }
  }

  private void write(Etcd etcd, String key, String value) {
    before.putIfAbsent(key, read(etcd, key));
    etcd.write(ROOT + key, value);
  }

  private static String read(Etcd etcd, String key) {
    return etcd.read(ROOT + key).getOrDefault(ROOT + key, "");
  }

  private void restore(Etcd etcd) {
    List<String> keys = new ArrayList<>(before.keySet());
    for (String key : keys.reversed()) {
      if (before.get(key).isEmpty()) {
        etcd.delete(ROOT + key);
      } else {
        etcd.write(ROOT + key, before.get(key));
      }
    }
    before.clear();
  }

  /** Lets the container's endpoint name the profile, and returns the endpoint's name. */
  private String nameProfile(Etcd etcd, LabContainer container) {
    for (Map.Entry<String, String> entry :
        etcd.read(ROOT + ResourceStore.prefix(Kind.WORKLOAD_ENDPOINT)).entrySet()) {
      if (entry.getValue().contains("\"" + container.address() + "/32\"")) {
        String key = entry.getKey().substring(ROOT.length());
        write(
            etcd,
            key,
            entry.getValue().replaceFirst("\"spec\":\\{", "\"spec\":{\"profiles\":[\"newer\"],"));
        return ResourceStore.id(Kind.WORKLOAD_ENDPOINT, key);
      }
    }
    throw new AssertionError("no endpoint has " + container.address());
  }

  private static String json(Resource resource) {
    return new String(ResourceCodec.toJson(resource), StandardCharsets.UTF_8);
  }

  /** With a field that this version does not know. */
  private static String newer(String json) {
    return json.replaceFirst("\"spec\":\\{", "\"spec\":{\"flavour\":1,");
  }

  private static void awaitPings(Lab lab, LabContainer from, LabContainer to, boolean answered)
      throws InterruptedException {
    Await.until(
        from.name() + (answered ? " reaches " : " does not reach ") + to.name(),
        SOON,
        () -> Ping.once(from.network(), to.address()) == answered,
        () -> status(lab));
  }

  /** What netctl says of the state of r1h1. */
  private static void awaitStatus(Lab lab, String text, boolean there) throws InterruptedException {
    Await.until(
        "r1h1 " + (there ? "reports" : "no longer reports") + " \"" + text + "\"",
        SOON,
        () ->
            status(lab)
                    .lines()
                    .filter(line -> line.startsWith("r1h1 "))
                    .anyMatch(line -> line.contains(text))
                == there,
        () -> status(lab));
  }

  /** With an error beside it, when netctl cannot read something either. */
  private static String status(Lab lab) {
    return lab.netctl("policy", "status").run().out();
  }
}

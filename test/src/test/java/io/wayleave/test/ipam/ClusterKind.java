package io.wayleave.test.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a cluster is made of, and how one learns who leads it. */
enum ClusterKind {
  ETCD {
    @Override
    String url(ClusterNetwork network) {
      return "etcd://" + String.join(":2379,", network.addresses()) + ":2379";
    }

    @Override
    List<String> command(ClusterNetwork network, int member, Path folder) {
      String address = network.address(member);
      List<String> cluster = new ArrayList<>();
      for (int i = 0; i < network.addresses().size(); i++) {
        cluster.add("m%d=http://%s:2380".formatted(i, network.address(i)));
      }
      return List.of(
          "etcd",
          "--name=m" + member,
          "--data-dir=" + folder.resolve("data"),
          "--listen-client-urls=http://" + address + ":2379",
          "--advertise-client-urls=http://" + address + ":2379",
          "--listen-peer-urls=http://" + address + ":2380",
          "--initial-advertise-peer-urls=http://" + address + ":2380",
          "--initial-cluster=" + String.join(",", cluster),
          "--logger=zap");
    }

    @Override
    Map<Integer, Role> roles(ClusterNetwork network) throws IOException {
      List<String> endpoints =
          network.addresses().stream().map(address -> "http://" + address + ":2379").toList();
      // Prints those that answer, and fails when one does not.
      String printed =
          Command.of(
                  "etcdctl",
                  "--endpoints=" + String.join(",", endpoints),
                  "--dial-timeout=500ms",
                  "--command-timeout=1s",
                  "--write-out=json",
                  "endpoint",
                  "status")
              .environment(Map.of("ETCDCTL_API", "3"))
              .at(NetNs.named(network.hub()))
              .run()
              .out();
      Map<Integer, Role> roles = new HashMap<>();
      for (JsonNode answer : new ObjectMapper().readTree(printed.isBlank() ? "[]" : printed)) {
        JsonNode status = answer.path("Status");
        String leader = status.path("leader").asText("0");
        if (!leader.equals("0")) {
          roles.put(
              endpoints.indexOf(answer.path("Endpoint").asText()),
              leader.equals(status.path("header").path("member_id").asText())
                  ? Role.LEADER
                  : Role.FOLLOWER);
        }
      }
      return roles;
    }
  },

  ZOOKEEPER {
    @Override
    String url(ClusterNetwork network) {
      return "zookeeper://" + String.join(":2181,", network.addresses()) + ":2181";
    }

    @Override
    List<String> command(ClusterNetwork network, int member, Path folder) throws IOException {
      Path data = Files.createDirectories(folder.resolve("data"));
      Files.writeString(data.resolve("myid"), Integer.toString(member + 1));
      StringBuilder configuration =
          new StringBuilder(
              """
              dataDir=%s
              clientPortAddress=%s
              clientPort=2181
              tickTime=1000
              initLimit=30
              syncLimit=5
              admin.enableServer=false
              4lw.commands.whitelist=srvr
              """
                  .formatted(data, network.address(member)));
      for (int i = 0; i < network.addresses().size(); i++) {
        configuration.append("server.%d=%s:2888:3888%n".formatted(i + 1, network.address(i)));
      }
      Path file = folder.resolve("zoo.cfg");
      Files.writeString(file, configuration);
      List<String> command = new ArrayList<>(StressProcess.java(256));
      command.addAll(List.of("org.apache.zookeeper.server.quorum.QuorumPeerMain", file.toString()));
      return command;
    }

    @Override
    Map<Integer, Role> roles(ClusterNetwork network) throws IOException {
      try (NetworkNamespace hub = NetworkNamespace.ofName(network.hub())) {
        return hub.run(
            () -> {
              Map<Integer, Role> roles = new HashMap<>();
              for (int i = 0; i < network.addresses().size(); i++) {
                String answer = ask(network.address(i));
                if (answer.contains("Mode: leader")) {
                  roles.put(i, Role.LEADER);
                } else if (answer.contains("Mode: follower")) {
                  roles.put(i, Role.FOLLOWER);
                }
              }
              return roles;
            });
      }
    }

    private static String ask(String address) {
      try (Socket socket = new Socket()) {
        int limit = (int) Duration.ofMillis(500).toMillis();
        socket.connect(new InetSocketAddress(address, 2181), limit);
        socket.setSoTimeout(limit);
        socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      } catch (IOException e) {
        return e.toString();
      }
    }
  };

  /** What a member that serves is. */
  enum Role {
    LEADER,
    FOLLOWER
  }

  /** Of a datastore on this cluster, with the default prefix. */
  abstract String url(ClusterNetwork network);

  /**
   * Runs a member in the foreground.
   *
   * @param folder for its data and settings
   */
  abstract List<String> command(ClusterNetwork network, int member, Path folder) throws IOException;

  /** The members that serve, as part of a cluster with a leader. */
  abstract Map<Integer, Role> roles(ClusterNetwork network) throws IOException;
}

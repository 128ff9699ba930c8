package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BgpCommandTest {
  private static final String REPORT =
      """
      {"routerId":"10.0.0.1","asNumber":65002,"converged":false,"waitingFor":["tor2"],
       "listening":["0.0.0.0 port 179"],"listenErrors":["10.0.0.9 port 179: no such address"],
       "originated":1,"neighbors":[
        {"name":"tor1","where":"10.0.0.2","address":"10.0.0.2","asNumber":65001,"type":"external",
         "state":"Established","since":"2026-11-24T15:00:01Z",
         "session":{"peerRouterId":"10.0.0.2","localAddress":"10.0.0.1","holdTime":9,
          "keepaliveInterval":3,"uptime":61,"families":["ipv4","ipv6"],
          "capabilities":{"sent":["route-refresh","4-byte-as 65002"],
           "received":["route-refresh"],"inForce":["route-refresh"]}},
         "timesEstablished":2,"faults":7,"logLinesLeftOut":5,
         "messagesReceived":{"open":2,"update":5,"notification":1,"keepalive":40,"routeRefresh":0},
         "messagesSent":{"open":2,"update":3,"notification":0,"keepalive":41,"routeRefresh":1},
         "prefixes":[{"family":"ipv4","received":12,"accepted":10,"advertised":3},
          {"family":"ipv6","received":1,"accepted":1,"advertised":0}]},
        {"name":"tor2","where":"swp1","type":"external",
         "state":"Active","since":"2026-11-24T15:00:02Z","whyDown":"Cease\\u001b[2J: bye",
         "lastNotificationReceived":{"when":"2026-11-24T15:00:00Z","text":"Cease: bye"},
         "timesEstablished":0,"faults":0,"logLinesLeftOut":0,
         "messagesReceived":{"open":0,"update":0,"notification":0,"keepalive":0,"routeRefresh":0},
         "messagesSent":{"open":0,"update":0,"notification":0,"keepalive":0,"routeRefresh":0}}],
       "ofANewerSpeaker":1}
      """;

  @TempDir private Path directory;
  private final NetctlRun netctl = new NetctlRun();

  private NetctlRun.Result ask(AdminServer server, String... arguments) {
    List<String> all = new ArrayList<>(List.of("bgp"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--socket", directory.resolve("bgp.sock").toString()));
    try (server) {
      return netctl.run(all.toArray(String[]::new));
    }
  }

  private AdminServer answering(String body) {
    return AdminServer.answering(directory.resolve("bgp.sock"), "200 OK", body);
  }

  @Test
  void summaryHasALineForEachPeer() {
    assertThat(ask(answering(REPORT), "summary"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                Speaker                    AS 65002, router id 10.0.0.1
                Listening                  0.0.0.0 port 179
                Failing                    10.0.0.9 port 179: no such address
                Originated                 1 route
                Converged                  no, waiting for tor2
                PEER  ADDRESS   AS     STATE        SINCE                 RECEIVED  ACCEPTED  ADVERTISED  INFO
                tor1  10.0.0.2  65001  Established  2026-11-24T15:00:01Z  13        11        3           -
                tor2  swp1      -      Active       2026-11-24T15:00:02Z  0         0         0           Cease\\u001b[2J: bye
                """,
                ""));
  }

  @Test
  void neighborsSayWhyASessionIsDown() {
    NetctlRun.Result result = ask(answering(REPORT), "neighbors");
    assertThat(result.out())
        .contains("Peer                       tor1\n")
        .contains("State                      Established since 2026-11-24T15:00:01Z\n")
        .contains(
            "Session                    up 61 s, hold time 9 s, keepalive 3 s, ipv4 and ipv6, from"
                + " 10.0.0.1\n")
        .contains("Capabilities sent          route-refresh, 4-byte-as 65002\n")
        .contains("Capabilities received      route-refresh\n")
        .contains("Capabilities in force      route-refresh\n")
        .contains("Faults                     7 of the peer; 5 lines left out of the log\n")
        .contains(
            "Messages received          2 OPEN, 5 UPDATE, 1 NOTIFICATION, 40 KEEPALIVE,"
                + " 0 ROUTE-REFRESH\n")
        .contains("Prefixes ipv4              12 received, 2 of them not usable; 3 advertised\n")
        .contains("Address                    swp1\n")
        .contains("Down                       Cease\\u001b[2J: bye\n")
        .contains("Last NOTIFICATION received 2026-11-24T15:00:00Z Cease: bye\n");
  }

  @Test
  void aNameAsksForOnePeerAndJsonIsTheirAnswer() {
    AdminServer server = answering(REPORT);
    NetctlRun.Result result = ask(server, "neighbors", "tor 1", "-o", "json");
    assertThat(server.requests().getFirst()).startsWith("GET /v1/bgp/neighbors?name=tor+1 HTTP");
    assertThat(result.out()).startsWith("[\n").contains("\"name\": \"tor1\"");
  }

  @Test
  void routesHaveALineForEachPathWithItsVerdict() {
    AdminServer server =
        answering(
            """
            {"routes":[
             {"prefix":"10.2.0.0/16","paths":[{"peer":"tor1","nextHop":"10.0.0.2","origin":"IGP",
               "asPath":"65001","med":5,"communities":["65001:7","65001:1:2"],"used":true,
               "stale":true,"verdict":"best"},
              {"peer":"tor2","nextHop":"10.0.1.2","origin":"IGP","asPath":"65002 65009",
               "used":false,"stale":false,"verdict":"longer AS path"}]},
             {"prefix":"10.1.0.0/16","paths":[{"origin":"IGP","asPath":"","used":true,
               "stale":false,"verdict":"best"}]}]}
            """);
    NetctlRun.Result result = ask(server, "routes", "--received", "tor1", "10.0.0.0/8");
    assertThat(server.requests().getFirst())
        .startsWith(
            "GET /v1/bgp/routes?limit=2000&view=received&peer=tor1&prefix=10.0.0.0%2F8 HTTP");
    assertThat(result.out())
        .isEqualTo(
            """
            PREFIX       NEXT HOP  PEER  AS PATH      ORIGIN  MED  LOCAL PREF  COMMUNITIES        VERDICT
            10.1.0.0/16  -         -     -            IGP     -    -           -                  best
            10.2.0.0/16  10.0.0.2  tor1  65001        IGP     5    -           65001:7,65001:1:2  best, stale
            10.2.0.0/16  10.0.1.2  tor2  65002 65009  IGP     -    -           -                  longer AS path
            """);
  }

  @Test
  void pagesAreFollowedToTheLast() {
    AtomicInteger page = new AtomicInteger();
    AdminServer server =
        new AdminServer(
            directory.resolve("bgp.sock"),
            request -> {
              int at = page.getAndIncrement();
              return AdminServer.response(
                  "200 OK",
                  "{\"routes\":[{\"prefix\":\"10."
                      + (9 - at)
                      + ".0.0/16\",\"paths\":[{\"origin\":\"IGP\",\"asPath\":\"\",\"used\":true,\"stale\":false,\"verdict\":\"best\"}]}]"
                      + (at < 2 ? ",\"next\":\"ipv4:" + at + "\"}" : "}"));
            });
    NetctlRun.Result result = ask(server, "routes");
    assertThat(server.requests()).hasSize(3);
    assertThat(server.requests().get(2))
        .startsWith("GET /v1/bgp/routes?limit=2000&cursor=ipv4%3A1 ");
    assertThat(result.out().lines().map(line -> line.substring(0, line.indexOf(" "))))
        .containsExactly("PREFIX", "10.7.0.0/16", "10.8.0.0/16", "10.9.0.0/16");
  }

  @Test
  void refreshAndClearArePosted() {
    AdminServer server = answering("{\"done\":\"asked tor1\"}");
    assertThat(ask(server, "refresh", "tor1"))
        .isEqualTo(new NetctlRun.Result(0, "asked tor1\n", ""));
    assertThat(server.requests().getFirst()).startsWith("POST /v1/bgp/refresh?peer=tor1 HTTP");
    AdminServer clearing = answering("{\"done\":\"ended\"}");
    assertThat(ask(clearing, "clear", "tor1", "--message", "new cable").out()).isEqualTo("ended\n");
    assertThat(clearing.requests().getFirst())
        .startsWith("POST /v1/bgp/clear?peer=tor1&message=new+cable HTTP");
  }

  @Test
  void watchGoesOnUntilTheSpeakerIsGone() {
    AtomicInteger asked = new AtomicInteger();
    AdminServer server =
        new AdminServer(
            directory.resolve("bgp.sock"),
            request ->
                asked.getAndIncrement() < 2
                    ? AdminServer.response("200 OK", REPORT)
                    : AdminServer.response(
                        "500 Gone", "{\"error\":\"the BGP speaker is closed\"}"));
    NetctlRun.Result result = ask(server, "summary", "--watch");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out().split("\u001b\\[H\u001b\\[2J", -1)).hasSize(4);
    assertThat(result.err()).contains("the BGP speaker is closed");
  }

  @Test
  void whatTheSpeakerRefusesIsAnError() {
    NetctlRun.Result result =
        ask(
            AdminServer.answering(
                directory.resolve("bgp.sock"),
                "400 Bad Request",
                "{\"error\":\"name: \\\"tor9\\\" is not allowed; allowed: the name of a peer:"
                    + " tor1\"}"),
            "neighbors",
            "tor9");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("name: \"tor9\" is not allowed");
    assertThat(netctl.run("bgp", "routes", "--best", "--received", "tor1").code()).isEqualTo(2);
  }
}

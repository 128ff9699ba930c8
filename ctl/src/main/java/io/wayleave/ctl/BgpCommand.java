package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.status.BgpReport;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/** {@code netctl bgp}: the BGP speaker of this host, in its agent or alone. */
@Command(name = "bgp", description = "The BGP speaker of this host: sessions and routes.")
final class BgpCommand {
  /** Up to so many routes are sorted; of more, each page is printed as it comes. */
  private static final int SORTED = 20_000;

  private static final int PAGE = 2_000;
  private static final Duration WATCH_INTERVAL = Duration.ofSeconds(1);
  private static final String HOME_AND_CLEAR = "\u001b[H\u001b[2J";

  private final Context context;

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      scope = ScopeType.INHERIT,
      description = "Admin socket of a wayleave-bgp; else the one of this host's agent.")
  private Optional<Path> socket = Optional.empty();

  BgpCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(name = "summary", description = "Show the speaker and a line for each peer.")
  int summary(
      @Option(names = "--watch", description = "Show it again each second.") boolean watch) {
    return show(
        watch,
        admin -> {
          JsonNode answer = admin.get("/v1/bgp/neighbors");
          BgpReport report = admin.read(answer, BgpReport.class);
          context.output().tree(answer, () -> BgpText.summary(report));
        });
  }

  @Command(
      name = "neighbors",
      description = "Show what is known of one peer, or of all: also why a session is down.")
  int neighbors(
      @Parameters(arity = "0..1", paramLabel = "NAME", description = "name of the peer")
          Optional<String> name,
      @Option(names = "--watch", description = "Show it again each second.") boolean watch) {
    String path = "/v1/bgp/neighbors" + name.map(peer -> "?name=" + encoded(peer)).orElse("");
    return show(
        watch,
        admin -> {
          JsonNode answer = admin.get(path);
          BgpReport report = admin.read(answer, BgpReport.class);
          context.output().tree(answer.path("neighbors"), () -> BgpText.neighbors(report));
        });
  }

  @Command(
      name = "routes",
      description = {
        "Show the routes of the speaker, every path with what became of it.",
        "Up to " + SORTED + " routes are sorted; of more, each page is shown as it comes."
      })
  int routes(
      @Parameters(
              arity = "0..1",
              paramLabel = "PREFIX",
              description = "this prefix only; for an address, every prefix that it lies in")
          Optional<Cidr> prefix,
      @Option(
              names = "--received",
              paramLabel = "PEER",
              description = "what this peer has sent, whatever became of it")
          Optional<String> received,
      @Option(
              names = "--advertised",
              paramLabel = "PEER",
              description = "what this peer has been told")
          Optional<String> advertised,
      @Option(names = "--best", description = "only the paths that are in use") boolean best,
      @Option(names = "--watch", description = "Show them again each second.") boolean watch) {
    long views = Stream.of(received, advertised).filter(Optional::isPresent).count();
    if (views + (best ? 1 : 0) > 1) {
      throw new UsageException("--received, --advertised and --best: give one of them or none");
    }
    StringBuilder path = new StringBuilder("/v1/bgp/routes?limit=" + PAGE);
    received.ifPresent(peer -> path.append("&view=received&peer=").append(encoded(peer)));
    advertised.ifPresent(peer -> path.append("&view=advertised&peer=").append(encoded(peer)));
    path.append(best ? "&view=best" : "");
    prefix.ifPresent(wanted -> path.append("&prefix=").append(encoded(wanted.toString())));
    return show(watch, admin -> showRoutes(admin, path.toString()));
  }

  private void showRoutes(AdminClient admin, String path) {
    List<BgpReport.Route> routes = new ArrayList<>();
    Optional<String> cursor = Optional.empty();
    boolean first = true;
    do {
      String page = path + cursor.map(from -> "&cursor=" + encoded(from)).orElse("");
      BgpReport.Page answer = admin.read(admin.get(page), BgpReport.Page.class);
      routes.addAll(answer.routes());
      cursor = answer.next();
      if (cursor.isPresent() && (routes.size() >= SORTED || (!first && !routes.isEmpty()))) {
        print(routes, first);
        routes.clear();
        first = false;
      }
    } while (cursor.isPresent());
    if (first) {
      routes.sort(java.util.Comparator.comparing(route -> Cidr.parse(route.prefix())));
    }
    if (first || !routes.isEmpty()) {
      print(routes, first);
    }
  }

  private void print(List<BgpReport.Route> routes, boolean headings) {
    ArrayNode tree = ResourceCodec.jsonMapper().createArrayNode();
    routes.forEach(route -> tree.add(ResourceCodec.jsonMapper().<ObjectNode>valueToTree(route)));
    context.output().tree(tree, () -> BgpText.routes(routes, headings));
  }

  @Command(name = "refresh", description = "Ask a peer to send all of its routes again (RFC 2918).")
  int refresh(@Parameters(paramLabel = "PEER", description = "name of the peer") String peer) {
    return done("/v1/bgp/refresh?peer=" + encoded(peer));
  }

  @Command(
      name = "clear",
      description = "End the session with a peer (Cease, Administrative Reset) and begin it anew.")
  int clear(
      @Parameters(paramLabel = "PEER", description = "name of the peer") String peer,
      @Option(
              names = "--message",
              paramLabel = "TEXT",
              description = "told to the peer's operator (RFC 9003)")
          Optional<String> message) {
    return done(
        "/v1/bgp/clear?peer="
            + encoded(peer)
            + message.map(text -> "&message=" + encoded(text)).orElse(""));
  }

  private int done(String path) {
    AdminClient admin = context.admin(socket);
    JsonNode answer = admin.post(path);
    BgpReport.Done done = admin.read(answer, BgpReport.Done.class);
    context.output().tree(answer, () -> Table.clean(done.done()) + "\n");
    return 0;
  }

  /** Shows it once, or each second until the speaker is gone or somebody interrupts. */
  private int show(boolean watch, Consumer<AdminClient> view) {
    AdminClient admin = context.admin(socket);
    do {
      if (watch) {
        context.output().screen(HOME_AND_CLEAR);
      }
      view.accept(admin);
      context.output().flush();
    } while (watch && Pause.of(WATCH_INTERVAL));
    return 0;
  }

  private static String encoded(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }
}

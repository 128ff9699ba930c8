package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.session.NettyLoop;
import io.wayleave.bgp.session.NettyTransport;
import io.wayleave.bgp.session.RouteReader;
import io.wayleave.bgp.session.SpeakerCore;
import io.wayleave.bgp.session.StatusReport;
import io.wayleave.model.Cidr;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * A running BGP speaker (RFC 4271): holds sessions with its peers, tells them the routes that it
 * originates, and tells its owner the routes that it learns. It knows nothing of the kernel's
 * routes and nothing of containers.
 *
 * <p>Thread safe: each call is handed to the speaker's own thread, on which the {@link
 * RouteListener} is called too. Calls that change something return at once and take effect in the
 * order in which they were made; calls that report wait for the answer.
 */
public final class BgpSpeaker implements AutoCloseable {
  private static final Duration ANSWER_TIME = Duration.ofSeconds(10);

  private final NettyLoop loop;
  private final LinkWatch links;
  private final SpeakerCore core;
  private final StatusReport report;
  private final RouteReader reader;
  private final AtomicBoolean closed = new AtomicBoolean();

  private BgpSpeaker(NettyLoop loop, LinkWatch links, SpeakerCore core) {
    this.loop = loop;
    this.links = links;
    this.core = core;
    report = new StatusReport(core);
    reader = new RouteReader(core, report);
  }

  /**
   * Starts a speaker that takes every next hop for reachable.
   *
   * @param mode what an earlier speaker left behind; adopt its routes before this call
   */
  public static BgpSpeaker start(SpeakerConfig config, StartMode mode, RouteListener listener) {
    return start(config, mode, NextHopSource.ALL_CONNECTED, listener);
  }

  /** Starts a speaker that asks how far next hops are. */
  public static BgpSpeaker start(
      SpeakerConfig config, StartMode mode, NextHopSource nextHops, RouteListener listener) {
    requireNonNull(config, "config is null");
    NettyLoop loop = new NettyLoop("wayleave-bgp");
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    LinkWatch links = new LinkWatch(loop);
    SpeakerCore core =
        new SpeakerCore(
            loop, new NettyTransport(loop), random, config, mode, nextHops, listener, links);
    BgpSpeaker speaker = new BgpSpeaker(loop, links, core);
    loop.execute(core::start);
    return speaker;
  }

  /**
   * Goes over to another configuration. A peer that is configured as before keeps its session,
   * whatever happens to the others.
   */
  public void apply(SpeakerConfig config) {
    requireNonNull(config, "config is null");
    tell(speaker -> speaker.apply(config));
  }

  /** Announces a route to a prefix on this host. */
  public void originate(Cidr prefix) {
    originate(prefix, Origination.PLAIN);
  }

  /** Announces a route, in place of what was said of the prefix before. */
  public void originate(Cidr prefix, Origination origination) {
    requireNonNull(prefix, "prefix is null");
    requireNonNull(origination, "origination is null");
    tell(speaker -> speaker.originate(prefix, origination));
  }

  /** Takes an announcement back; nothing happens if there is none. */
  public void withdraw(Cidr prefix) {
    requireNonNull(prefix, "prefix is null");
    tell(speaker -> speaker.withdraw(prefix));
  }

  /**
   * All routes that exist at start have been originated. Until then no peer is told End-of-RIB, so
   * that peers keep what an earlier speaker announced (RFC 4724 section 4.1).
   */
  public void localRoutesInSync() {
    tell(SpeakerCore::localRoutesInSync);
  }

  /**
   * Asks the peer to send its routes again (RFC 2918); without effect when it is down or cannot.
   *
   * @throws io.wayleave.model.InvalidInputException when there is no such peer
   */
  public void refresh(String peer) {
    ask(
        () -> {
          core.refresh(peer);
          return peer;
        });
  }

  /**
   * Ends the peer's session and begins it anew.
   *
   * @param text for the peer's operator (RFC 9003); may be empty
   * @throws io.wayleave.model.InvalidInputException when there is no such peer
   */
  public void clear(String peer, String text) {
    ask(
        () -> {
          core.clear(peer, text);
          return peer;
        });
  }

  public SpeakerStatus status() {
    return ask(report::speaker);
  }

  /**
   * A part of the routes; the whole is asked for slice by slice, so that a large table neither
   * holds up the speaker nor is copied.
   *
   * @param most after so many routes the slice ends, give or take a few
   * @throws io.wayleave.model.InvalidInputException when there is no such peer
   */
  public RouteQuery.Slice routes(RouteQuery query, RouteQuery.Cursor from, int most) {
    return ask(() -> reader.slice(query, from, most));
  }

  /**
   * Closes every connection without a NOTIFICATION and ends, to be started again as {@link
   * StartMode.Restarted}: peers that help with graceful restart keep our routes for the restart
   * time.
   */
  public void closeForRestart() {
    end(SpeakerCore::closeForRestart);
  }

  /**
   * Takes leave of every peer by Cease/Administrative Shutdown and ends: peers drop our routes now.
   *
   * @param text for the peers' operators (RFC 9003); may be empty
   */
  public void shutdown(String text) {
    end(speaker -> speaker.shutdown(text));
  }

  /** As {@link #shutdown} without a text. */
  @Override
  public void close() {
    shutdown("");
  }

  private void end(Consumer<SpeakerCore> farewell) {
    if (closed.compareAndSet(false, true)) {
      await(
          () -> {
            farewell.accept(core);
            return core;
          });
      // After the farewell: peers whose session is over do not care for BFD any more.
      links.close();
      loop.close();
    }
  }

  private void tell(Consumer<SpeakerCore> change) {
    if (!closed.get()) {
      loop.execute(() -> change.accept(core));
    }
  }

  private <T> T ask(Supplier<T> question) {
    if (closed.get()) {
      throw new IllegalStateException("the BGP speaker is closed");
    }
    return await(question);
  }

  private <T> T await(Supplier<T> question) {
    if (loop.inLoop()) {
      return question.get();
    }
    CompletableFuture<T> answer = CompletableFuture.supplyAsync(question, loop::execute);
    try {
      return answer.get(ANSWER_TIME.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException refusal) {
        throw refusal;
      }
      throw new IllegalStateException("the BGP speaker's thread failed", e.getCause());
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "the BGP speaker's thread did not answer in " + ANSWER_TIME.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while asking the BGP speaker", e);
    }
  }
}

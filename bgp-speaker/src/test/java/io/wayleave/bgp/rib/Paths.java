package io.wayleave.bgp.rib;

import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Makes paths for tests: by default of an external peer that is equal to the others. */
final class Paths {
  static final IpAddress LOCAL_ADDRESS = IpAddress.parse("10.0.0.254");

  private Paths() {}

  /** From the peer number {@code n}: AS path 65000, address and next hop 10.0.0.n. */
  static Path of(int n) {
    return of(n, _ -> {}, 65000);
  }

  static Path of(int n, Consumer<PathAttributes.Builder> change, int... asPath) {
    return path(external(n), n, change, asPath);
  }

  /** The same path, of a client of ours as a route reflector. */
  static Path ofClient(Path path) {
    PathSource.Peer source = ((PathSource.Peer) path.source()).withClient(true);
    return new Path(source, path.attributes(), path.nextHop(), Optional.empty());
  }

  static Path internal(int n, Consumer<PathAttributes.Builder> change, int... asPath) {
    return path(source(n, true, "10.0.0." + n), n, change, asPath);
  }

  static PathSource.Peer external(int n) {
    return source(n, false, "10.0.0." + n);
  }

  static PathSource.Peer source(int n, boolean internal, String routerId) {
    return new PathSource.Peer(
        "p" + n,
        IpAddress.parse("10.0.0." + n),
        LOCAL_ADDRESS,
        Asn.of(internal ? 64512 : 65000),
        internal,
        RouterId.parse(routerId),
        false,
        1);
  }

  static Path path(
      PathSource source, int n, Consumer<PathAttributes.Builder> change, int... asPath) {
    PathAttributes.Builder builder =
        PathAttributes.builder(
            Origin.IGP,
            AsPath.sequence(IntStream.of(asPath).mapToObj(Asn::of).toArray(Asn[]::new)));
    change.accept(builder);
    return new Path(
        source, builder.build(), NextHop.of(IpAddress.parse("10.0.0." + n)), Optional.empty());
  }

  /** As the peer tells it beside others (RFC 7911). */
  static Path ofPathId(int n, int pathId) {
    return withPathId(of(n), pathId);
  }

  static Path withPathId(Path path, int pathId) {
    return new Path(
        path.source(),
        pathId,
        path.attributes(),
        path.attributes(),
        path.nextHop(),
        OptionalInt.empty(),
        path.rejection());
  }

  static Path rejected(int n, Rejection reason) {
    Path path = of(n);
    return new Path(path.source(), path.attributes(), path.nextHop(), Optional.of(reason));
  }

  static Path local() {
    return new Path(
        new PathSource.Local(),
        PathAttributes.builder(Origin.IGP, AsPath.EMPTY).build(),
        NextHop.of(IpAddress.ofIpv4(0)),
        Optional.empty());
  }
}

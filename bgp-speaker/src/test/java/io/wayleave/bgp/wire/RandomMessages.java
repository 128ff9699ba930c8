package io.wayleave.bgp.wire;

import io.wayleave.bgp.wire.AsPath.Segment;
import io.wayleave.bgp.wire.AsPath.SegmentType;
import io.wayleave.bgp.wire.BgpMessage.Keepalive;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.BgpMessage.RouteRefresh;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.Capability.GracefulRestart;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** Messages that a speaker may send, drawn from a seed: the same seed gives the same messages. */
final class RandomMessages {
  private final SplittableRandom random;

  RandomMessages(long seed) {
    random = new SplittableRandom(seed);
  }

  /** Any message that fits the context, an UPDATE more often than others. */
  BgpMessage message(CodecContext context) {
    return switch (random.nextInt(8)) {
      case 0 -> open();
      case 1 -> notification();
      case 2 -> Keepalive.INSTANCE;
      case 3 -> new RouteRefresh(family(), RouteRefresh.Subtype.of(random.nextInt(3)).get());
      default -> update(context);
    };
  }

  Open open() {
    List<Capability> capabilities = list(6, this::capability);
    int holdTime = random.nextInt(5) == 0 ? 0 : random.nextInt(3, 65536);
    return new Open(random.nextInt(1, 65536), holdTime, routerId(), capabilities);
  }

  Update update(CodecContext context) {
    Family family = random.nextBoolean() ? Family.IPV4 : Family.IPV6;
    return switch (random.nextInt(6)) {
      case 0 -> Update.endOfRib(AddressFamily.unicast(family));
      case 1 -> Update.withdraw(prefixes(family));
      default -> Update.announce(attributes(context), nextHop(family), prefixes(family));
    };
  }

  PathAttributes attributes(CodecContext context) {
    PathAttributes.Builder builder =
        PathAttributes.builder(
            Origin.of(random.nextInt(3)).orElseThrow(), new AsPath(list(3, this::segment)));
    if (random.nextBoolean()) {
      builder.med(random.nextLong(1L << 32));
    }
    builder.atomicAggregate(random.nextInt(4) == 0);
    if (random.nextInt(4) == 0) {
      builder.aggregator(Optional.of(new Aggregator(asn(), address(Family.IPV4))));
    }
    builder.communities(list(5, () -> new Community(random.nextInt())));
    builder.extendedCommunities(list(3, () -> new ExtendedCommunity(random.nextLong())));
    builder.largeCommunities(list(3, this::largeCommunity).stream().distinct().toList());
    if (context.isInternal()) {
      builder.localPref(random.nextLong(1L << 32));
      builder.originatorId(random.nextBoolean() ? Optional.of(routerId()) : Optional.empty());
      builder.clusterList(list(3, () -> address(Family.IPV4)));
    }
    if (random.nextInt(3) == 0) {
      builder.unknown(
          List.of(new UnknownAttribute(random.nextInt(33, 256), octets(random.nextInt(300)))));
    }
    return builder.build();
  }

  private Capability capability() {
    return switch (random.nextInt(9)) {
      case 0 -> new Capability.MultiProtocol(family());
      case 1 -> new Capability.RouteRefresh();
      case 2 ->
          new Capability.ExtendedNextHop(
              list(3, () -> new Capability.ExtendedNextHop.Encoding(family(), 2)));
      case 3 -> new Capability.ExtendedMessage();
      case 4 ->
          new GracefulRestart(
              random.nextBoolean(),
              random.nextBoolean(),
              random.nextInt(4096),
              list(3, () -> new GracefulRestart.RestartFamily(family(), random.nextBoolean())));
      case 5 -> new Capability.FourOctetAs(asn());
      case 6 -> new Capability.EnhancedRouteRefresh();
      case 7 ->
          new Capability.AddPath(
              list(
                  3,
                  () -> {
                    boolean receive = random.nextBoolean();
                    return new Capability.AddPath.Direction(
                        family(), receive, !receive || random.nextBoolean());
                  }));
      default -> new Capability.Unknown(random.nextInt(128, 256), octets(random.nextInt(200)));
    };
  }

  private Notification notification() {
    return new Notification(random.nextInt(256), random.nextInt(256), octets(random.nextInt(40)));
  }

  PrefixList prefixes(Family family) {
    List<Cidr> prefixes = new ArrayList<>();
    for (int count = random.nextInt(1, 40); count > 0; count--) {
      prefixes.add(Cidr.around(address(family), random.nextInt(family.bits() + 1)));
    }
    return PrefixList.of(family, prefixes);
  }

  private NextHop nextHop(Family family) {
    return switch (family) {
      case IPV4 -> NextHop.of(IpAddress.ofIpv4(0x0a00_0000 | random.nextInt(1 << 24)));
      case IPV6 -> {
        IpAddress global = IpAddress.ofIpv6(0x2001_0db8_0000_0000L, random.nextLong());
        yield random.nextBoolean()
            ? NextHop.of(global)
            : NextHop.of(global, IpAddress.ofIpv6(0xfe80_0000_0000_0000L, random.nextLong()));
      }
    };
  }

  private Segment segment() {
    SegmentType type = random.nextInt(4) == 0 ? SegmentType.SET : SegmentType.SEQUENCE;
    int count = random.nextInt(20) == 0 ? 255 : random.nextInt(1, 6);
    List<Asn> numbers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      numbers.add(asn());
    }
    return new Segment(type, numbers);
  }

  private LargeCommunity largeCommunity() {
    return new LargeCommunity(
        random.nextLong(1L << 32), random.nextLong(1L << 32), random.nextLong(1L << 32));
  }

  private Asn asn() {
    return Asn.of(random.nextBoolean() ? random.nextLong(1, 65536) : random.nextLong(1, 1L << 32));
  }

  private RouterId routerId() {
    return new RouterId(random.nextInt() | 1);
  }

  private AddressFamily family() {
    return random.nextInt(4) == 0
        ? new AddressFamily(random.nextInt(65536), random.nextInt(256))
        : AddressFamily.unicast(random.nextBoolean() ? Family.IPV4 : Family.IPV6);
  }

  private IpAddress address(Family family) {
    return switch (family) {
      case IPV4 -> IpAddress.ofIpv4(random.nextInt());
      case IPV6 -> IpAddress.ofIpv6(random.nextLong(), random.nextLong());
    };
  }

  private Octets octets(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return Octets.of(bytes);
  }

  private <T> List<T> list(int atMost, Supplier<T> element) {
    List<T> list = new ArrayList<>();
    for (int count = random.nextInt(atMost + 1); count > 0; count--) {
      list.add(element.get());
    }
    return list;
  }
}

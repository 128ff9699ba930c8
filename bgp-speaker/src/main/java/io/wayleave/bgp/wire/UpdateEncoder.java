package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Unreach;
import io.wayleave.bgp.wire.BgpMessage.Update;

/** Writes an UPDATE that is a value, by {@link UpdateWriter}. Holds no state. */
final class UpdateEncoder {
  private UpdateEncoder() {}

  static int encode(Update update, CodecContext context, ByteBuf out) {
    UpdateWriter writer = new UpdateWriter(context);
    for (Unreach unreach : update.unreach()) {
      PrefixList prefixes = unreach.prefixes();
      if (prefixes.isEmpty()) {
        writer.endOfRib(prefixes.family());
      } else {
        writer.withdraw(prefixes.family());
        write(prefixes, writer);
      }
    }
    for (Reach reach : update.reach()) {
      writer.announce(reach.prefixes().family(), reach.attributes(), reach.nextHop(), false);
      write(reach.prefixes(), writer);
    }
    writer.endRun();
    writer.writeTo(out);
    return writer.messages();
  }

  private static void write(PrefixList prefixes, UpdateWriter writer) {
    for (int i = 0; i < prefixes.size(); i++) {
      writer.prefix(prefixes.pathId(i), prefixes.high(i), prefixes.low(i), prefixes.length(i));
    }
  }
}

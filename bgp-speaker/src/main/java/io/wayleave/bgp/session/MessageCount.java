package io.wayleave.bgp.session;

import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.wire.BgpMessage;

/** Counts the messages of one direction by type. Owned by the loop thread. */
final class MessageCount {
  private long open;
  private long update;
  private long notification;
  private long keepalive;
  private long routeRefresh;

  void add(BgpMessage message, int count) {
    switch (message) {
      case BgpMessage.Open _ -> open += count;
      case BgpMessage.Update _ -> update += count;
      case BgpMessage.Notification _ -> notification += count;
      case BgpMessage.Keepalive _ -> keepalive += count;
      case BgpMessage.RouteRefresh _ -> routeRefresh += count;
    }
  }

  void updates(int count) {
    update += count;
  }

  PeerStatus.Messages total() {
    return new PeerStatus.Messages(open, update, notification, keepalive, routeRefresh);
  }
}

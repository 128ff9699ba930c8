package io.wayleave.test.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/**
 * One peer of the speaker under test: dials from its own address until it is let in, keeps the
 * session up, sends what it is given and has its {@link Ear} listen to what comes. Owned by the
 * thread of its {@link LoadTool}; never blocks.
 */
final class LoadPeer {
  private static final int MARKER = 16;

  private enum State {
    IDLE,
    CONNECTING,
    OPEN_SENT,
    OPEN_CONFIRM,
    ESTABLISHED
  }

  private final int number;
  private final Load.Plan plan;
  private final Selector selector;
  private final Ear ear;
  private final byte[] partial = new byte[Messages.LARGEST];
  private int partialLength;
  private State state = State.IDLE;
  private SocketChannel channel;
  private SelectionKey key;
  private ByteBuffer toSend = ByteBuffer.allocate(0);
  private String lastFailure = "never dialled";

  LoadPeer(int number, Load.Plan plan, Selector selector, Ear ear) {
    this.number = number;
    this.plan = plan;
    this.selector = selector;
    this.ear = ear;
  }

  Ear ear() {
    return ear;
  }

  boolean isEstablished() {
    return state == State.ESTABLISHED;
  }

  boolean isIdle() {
    return state == State.IDLE;
  }

  boolean isDialling() {
    return switch (state) {
      case CONNECTING, OPEN_SENT, OPEN_CONFIRM -> true;
      case IDLE, ESTABLISHED -> false;
    };
  }

  void dial() {
    try {
      channel = SocketChannel.open();
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.bind(new InetSocketAddress(address(plan.address(number)), 0));
      state = State.CONNECTING;
      key = channel.register(selector, SelectionKey.OP_CONNECT, this);
      if (channel.connect(new InetSocketAddress(address(plan.speakerAddress()), 179))) {
        connected();
      }
    } catch (IOException e) {
      down(e.toString());
    }
  }

  private static InetAddress address(int bits) throws IOException {
    return InetAddress.getByAddress(ByteBuffer.allocate(4).putInt(bits).array());
  }

  /** The selector has something for it. Returns the octets of UPDATEs that it has read. */
  int ready(byte[] buffer) {
    try {
      if (state == State.CONNECTING) {
        if (channel.finishConnect()) {
          connected();
        }
        return 0;
      }
      if (key.isWritable()) {
        flush();
      }
      return key.isReadable() ? read(buffer) : 0;
    } catch (IOException e) {
      down(e.toString());
      return 0;
    }
  }

  private void connected() throws IOException {
    state = State.OPEN_SENT;
    partialLength = 0;
    key.interestOps(SelectionKey.OP_READ);
    // The address serves as the router id, which nobody else has.
    send(ByteBuffer.wrap(Messages.open(plan.as(number), plan.address(number))));
  }

  /**
   * Sends after what still waits; as much as the socket takes now, the rest as it does. Only this
   * reads the buffer from now on.
   */
  void send(ByteBuffer message) throws IOException {
    if (toSend.hasRemaining()) {
      // Only a keepalive or an OPEN is ever joined; a load goes out alone.
      toSend =
          ByteBuffer.allocate(toSend.remaining() + message.remaining())
              .put(toSend)
              .put(message)
              .flip();
    } else {
      toSend = message;
    }
    flush();
  }

  boolean hasSentAll() {
    return !toSend.hasRemaining();
  }

  private void flush() throws IOException {
    channel.write(toSend);
    int wanted = SelectionKey.OP_READ | (toSend.hasRemaining() ? SelectionKey.OP_WRITE : 0);
    if (key.interestOps() != wanted) {
      key.interestOps(wanted);
    }
  }

  void keepalive() {
    // While a load is under way, the load keeps the session alive.
    if (state == State.ESTABLISHED && hasSentAll()) {
      try {
        send(ByteBuffer.wrap(Messages.keepalive()));
      } catch (IOException e) {
        down(e.toString());
      }
    }
  }

  private int read(byte[] buffer) throws IOException {
    System.arraycopy(partial, 0, buffer, 0, partialLength);
    int count = channel.read(ByteBuffer.wrap(buffer, partialLength, buffer.length - partialLength));
    if (count < 0) {
      down("closed by the speaker");
      return 0;
    }
    int end = partialLength + count;
    int at = 0;
    int updates = 0;
    while (end - at >= Messages.HEADER) {
      int length = Ear.unsignedShort(buffer, at + MARKER);
      if (end - at < length) {
        break;
      }
      int type = buffer[at + MARKER + 2];
      if (type == Messages.UPDATE) {
        ear.update(buffer, at + Messages.HEADER, at + length);
        updates += length;
      } else {
        control(type, buffer, at, length);
      }
      at += length;
    }
    partialLength = end - at;
    System.arraycopy(buffer, at, partial, 0, partialLength);
    return updates;
  }

  private void control(int type, byte[] buffer, int at, int length) throws IOException {
    switch (type) {
      case Messages.OPEN -> {
        state = State.OPEN_CONFIRM;
        send(ByteBuffer.wrap(Messages.keepalive()));
      }
      case Messages.KEEPALIVE -> {
        if (state == State.OPEN_CONFIRM) {
          state = State.ESTABLISHED;
        }
      }
      case Messages.NOTIFICATION ->
          throw new IOException(
              "NOTIFICATION "
                  + buffer[at + Messages.HEADER]
                  + "/"
                  + buffer[at + Messages.HEADER + 1]);
      default -> throw new IOException("message of type " + type + ", " + length + " octets");
    }
  }

  private void down(String why) {
    lastFailure = why;
    close();
  }

  void close() {
    state = State.IDLE;
    toSend = ByteBuffer.allocate(0);
    partialLength = 0;
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        lastFailure += ", and closing: " + e;
      }
    }
  }

  @Override
  public String toString() {
    return "peer " + number + ": " + state + " (" + lastFailure + "), " + ear;
  }
}

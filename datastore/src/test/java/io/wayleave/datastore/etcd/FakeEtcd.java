package io.wayleave.datastore.etcd;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.Event;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RangeResponse;
import io.etcd.jetcd.api.ResponseHeader;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.api.TxnResponse;
import io.etcd.jetcd.api.WatchCreateRequest;
import io.etcd.jetcd.api.WatchGrpc;
import io.etcd.jetcd.api.WatchRequest;
import io.etcd.jetcd.api.WatchResponse;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A member that answers as a test tells it to: for what a real one does only by rare accident. */
final class FakeEtcd implements AutoCloseable {
  private final Server server;
  final List<WatchCreateRequest> watches = new CopyOnWriteArrayList<>();
  final List<StreamObserver<WatchResponse>> streams = new CopyOnWriteArrayList<>();
  volatile Consumer<StreamObserver<TxnResponse>> onTransaction = _ -> {};
  volatile long revision = 100;
  volatile List<KeyValue> entries = List.of();

  FakeEtcd() {
    try {
      server =
          NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
              .addService(new Kv())
              .addService(new Watcher())
              .build()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String url() {
    return "etcd://127.0.0.1:" + server.getPort();
  }

  ResponseHeader header(long at) {
    return ResponseHeader.newBuilder().setRevision(at).build();
  }

  WatchResponse created(long at) {
    return WatchResponse.newBuilder().setCreated(true).setHeader(header(at)).build();
  }

  WatchResponse progress(long at) {
    return WatchResponse.newBuilder().setHeader(header(at)).build();
  }

  WatchResponse put(String key, long at) {
    return WatchResponse.newBuilder()
        .setHeader(header(at))
        .addEvents(
            Event.newBuilder()
                .setType(Event.EventType.PUT)
                .setKv(
                    KeyValue.newBuilder()
                        .setKey(ByteString.copyFromUtf8("/wayleave/v1/" + key))
                        .setModRevision(at)))
        .build();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      if (!server.awaitTermination(10, TimeUnit.SECONDS)) {
        throw new AssertionError("the fake etcd does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Kv extends KVGrpc.KVImplBase {
    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> answer) {
      answer.onNext(
          RangeResponse.newBuilder().setHeader(header(revision)).addAllKvs(entries).build());
      answer.onCompleted();
    }

    @Override
    public void txn(TxnRequest request, StreamObserver<TxnResponse> answer) {
      onTransaction.accept(answer);
    }
  }

  private final class Watcher extends WatchGrpc.WatchImplBase {
    @Override
    public StreamObserver<WatchRequest> watch(StreamObserver<WatchResponse> answer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(WatchRequest request) {
          if (request.hasCreateRequest()) {
            watches.add(request.getCreateRequest());
            streams.add(answer);
          }
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {
          answer.onCompleted();
        }
      };
    }
  }

  /** The stream of that number, once a client has opened it. */
  Optional<StreamObserver<WatchResponse>> stream(int number) {
    return streams.size() > number ? Optional.of(streams.get(number)) : Optional.empty();
  }
}

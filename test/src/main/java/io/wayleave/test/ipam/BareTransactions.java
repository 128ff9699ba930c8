package io.wayleave.test.ipam;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.Compare;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.api.TxnResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.wayleave.datastore.Transaction;
import io.wayleave.test.lab.LabException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What etcd takes for transactions like a given one, with nothing of ours around it: as many
 * comparisons of the same kinds, as many puts, keys and values of the same lengths, prepared
 * beforehand. One client, like one host. NOT thread safe.
 */
final class BareTransactions implements AutoCloseable {
  private final ManagedChannel channel;
  private final KVGrpc.KVBlockingStub etcd;
  private final String name;
  private final int prefixLength;
  private final Transaction example;
  // Keys that are compared by their version, as they were last written.
  private final Map<String, Long> versions = new HashMap<>();
  private final Map<String, Integer> lengths = new HashMap<>();
  private int count;

  /**
   * Writes the keys that are there from the beginning.
   *
   * @param name tells the keys from those of others; at most 12 letters
   * @param prefix that the store puts before each key
   */
  BareTransactions(int port, String name, String prefix, Transaction example) {
    this.channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    this.etcd = KVGrpc.newBlockingStub(channel);
    this.name = name;
    this.prefixLength = prefix.length();
    this.example = example;
    for (Transaction.Operation operation : example.operations()) {
      switch (operation) {
        case Transaction.Put put -> lengths.put(put.key(), put.value().length);
        case Transaction.Delete delete ->
            throw new IllegalArgumentException("no deletion is played: " + delete);
      }
    }
    for (Transaction.Condition condition : example.conditions()) {
      if (!(condition instanceof Transaction.Absent)) {
        int length = lengths.getOrDefault(condition.key(), 0);
        versions.put(
            condition.key(),
            etcd.put(
                    PutRequest.newBuilder()
                        .setKey(key(condition.key(), 0))
                        .setValue(value(length))
                        .build())
                .getHeader()
                .getRevision());
      }
    }
  }

  /** A key as long as the other, and its own for each transaction that creates it. */
  private ByteString key(String other, int number) {
    String key = "/" + name + "/" + Integer.toHexString(other.hashCode()) + "/" + number;
    StringBuilder padded = new StringBuilder(key);
    while (padded.length() < prefixLength + other.length()) {
      padded.insert(1, 'x');
    }
    return ByteString.copyFromUtf8(padded.toString());
  }

  private static ByteString value(int length) {
    return ByteString.copyFrom(new byte[length]);
  }

  /** One more; blocks until it is done. */
  void commit() {
    TxnResponse answer = etcd.txn(next());
    if (!answer.getSucceeded()) {
      throw new LabException("a bare transaction was refused, which nobody else can have caused");
    }
    versions.replaceAll(
        (key, version) ->
            lengths.containsKey(key) ? Long.valueOf(answer.getHeader().getRevision()) : version);
  }

  private TxnRequest next() {
    int number = ++count;
    TxnRequest.Builder request = TxnRequest.newBuilder();
    List<String> created = new ArrayList<>();
    for (Transaction.Condition condition : example.conditions()) {
      Compare.Builder compare = Compare.newBuilder().setResult(Compare.CompareResult.EQUAL);
      switch (condition) {
        case Transaction.Absent(String key) -> {
          created.add(key);
          compare
              .setTarget(Compare.CompareTarget.CREATE)
              .setCreateRevision(0)
              .setKey(key(key, number));
        }
        case Transaction.Exists(String key) ->
            compare
                .setTarget(Compare.CompareTarget.MOD)
                .setModRevision(versions.get(key))
                .setKey(key(key, 0));
        case Transaction.Unchanged unchanged ->
            compare
                .setTarget(Compare.CompareTarget.MOD)
                .setModRevision(versions.get(unchanged.key()))
                .setKey(key(unchanged.key(), 0));
      }
      request.addCompare(compare);
    }
    lengths.forEach(
        (key, length) ->
            request.addSuccess(
                RequestOp.newBuilder()
                    .setRequestPut(
                        PutRequest.newBuilder()
                            .setKey(key(key, created.contains(key) ? number : 0))
                            .setValue(value(length)))));
    return request.build();
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  @Override
  public String toString() {
    return "%d comparisons, %d puts of %s octets"
        .formatted(
            example.conditions().size(),
            lengths.size(),
            lengths.values().stream().sorted().map(String::valueOf).toList());
  }
}

package io.wayleave.ctl;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.model.ResourceCodec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs netctl in this process, one command after the other, on a datastore in memory that outlives
 * each of them. NOT thread safe.
 */
final class NetctlRun {
  /** What a command left. */
  record Result(int code, String out, String err) {}

  /** What a datastore was opened with. */
  record Opened(String url, DatastoreOptions options) {}

  private final MemoryDatastore datastore = new MemoryDatastore();
  private final Map<String, String> environment =
      new HashMap<>(Map.of("WAYLEAVE_DATASTORE", "etcd://127.0.0.1:2379"));
  private final List<Opened> opened = new ArrayList<>();
  private String in = "";

  MemoryDatastore datastore() {
    return datastore;
  }

  /** Each opening of a datastore so far. */
  List<Opened> opened() {
    return opened;
  }

  NetctlRun variable(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /** What the following commands read from standard input. */
  NetctlRun in(String text) {
    in = text;
    return this;
  }

  /** Puts what a manifest says into the datastore, also what only agents write. */
  NetctlRun put(String manifest) {
    ResourceStore store = new ResourceStore(datastore);
    ResourceCodec.fromManifest(manifest)
        .forEach(resource -> store.put(resource, datastore.deadline()));
    return this;
  }

  Result run(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        new Netctl(
                new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                environment,
                this::open)
            .run(args);
    return new Result(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /**
   * Runs netctl in this process as its main method does, on the datastores that it opens itself.
   */
  static Result real(Map<String, String> environment, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        Netctl.run(
            args,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            environment);
    return new Result(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private Datastore open(String url, DatastoreOptions options) {
    opened.add(new Opened(url, options));
    return keptOpen(datastore);
  }

  /** The same datastore, deaf to {@code close}. */
  private static Datastore keptOpen(Datastore datastore) {
    return (Datastore)
        Proxy.newProxyInstance(
            Datastore.class.getClassLoader(),
            new Class<?>[] {Datastore.class},
            (_, method, arguments) -> {
              if (method.getName().equals("close")) {
                return null;
              }
              try {
                return method.invoke(datastore, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}

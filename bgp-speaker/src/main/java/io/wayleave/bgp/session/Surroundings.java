package io.wayleave.bgp.session;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.bfd.BfdEndpoint;
import io.wayleave.bgp.bfd.BfdStatus;
import io.wayleave.bgp.bfd.Diagnostic;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a speaker is told of the links that it does not see by its sessions: who is at the other end
 * of an interface, and whether the path to a peer works. The real one has threads of its own; in
 * tests it is a fake. Used on the {@link Loop} thread.
 */
public interface Surroundings {
  /** Sees nothing: peers by interface are never found, and no path is watched. */
  Surroundings NONE =
      new Surroundings() {
        @Override
        public void begin(Events events) {}

        @Override
        public void watchInterfaces(Set<String> names) {}

        @Override
        public void watchPaths(Map<BfdEndpoint, BfdSettings> paths) {}

        @Override
        public Optional<BfdStatus> path(BfdEndpoint endpoint) {
          return Optional.empty();
        }
      };

  /** What there is to tell, always on the {@link Loop} thread. */
  interface Events {
    /** A router was heard on a watched interface. */
    void neighbourFound(String interfaceName, ScopedAddress address);

    /** That router, or the interface itself, is gone. */
    void neighbourLost(String interfaceName);

    /**
     * A watched path that worked has failed.
     *
     * @param independent whether the peer's BFD does not share the fate of its control plane
     */
    void pathDown(BfdEndpoint endpoint, Diagnostic diagnostic, boolean independent);
  }

  /** Called once, before everything else. */
  void begin(Events events);

  /** From now on just these interfaces are watched. */
  void watchInterfaces(Set<String> names);

  /** From now on just these paths are watched, each in this way. */
  void watchPaths(Map<BfdEndpoint, BfdSettings> paths);

  /** A watched path as it is now. */
  Optional<BfdStatus> path(BfdEndpoint endpoint);
}

package io.wayleave.datastore.testing;

import java.net.URI;
import org.testcontainers.dockerclient.DockerClientProviderStrategy;
import org.testcontainers.dockerclient.TransportConfig;

/** Tells Testcontainers of the podman that a {@link ContainerEngine} started. */
public final class PodmanStrategy extends DockerClientProviderStrategy {
  @Override
  protected boolean isApplicable() {
    return ContainerEngine.socket().isPresent();
  }

  @Override
  public TransportConfig getTransportConfig() {
    return TransportConfig.builder()
        .dockerHost(URI.create("unix://" + ContainerEngine.socket().orElseThrow()))
        .build();
  }

  @Override
  protected int getPriority() {
    return Integer.MAX_VALUE;
  }

  /** A file in the user's home would send later runs here. */
  @Override
  protected boolean isPersistable() {
    return false;
  }

  @Override
  public String getDescription() {
    return "podman of this test run";
  }
}

package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Optional;

/** How hosts take addresses, for the whole fabric; the one named {@code default} is in force. */
@JsonPropertyOrder({"metadata", "spec"})
public record IpamConfiguration(Metadata metadata, Spec spec) implements Resource {
  /** Name of the one that is in force. */
  public static final String DEFAULT_NAME = "default";

  /** The longest {@link Spec#reuseDelaySeconds}: an hour. */
  public static final int MAX_REUSE_DELAY_SECONDS = 3600;

  @JsonCreator
  public IpamConfiguration {
    Absent.required("metadata", metadata, "metadata with a name");
    if (!metadata.name().equals(DEFAULT_NAME)) {
      throw new InvalidInputException("metadata.name", metadata.name(), DEFAULT_NAME);
    }
    Absent.required("spec", spec, "a spec");
  }

  /** The configuration with this spec. */
  public static IpamConfiguration of(Spec spec) {
    return new IpamConfiguration(Metadata.of(DEFAULT_NAME), spec);
  }

  /**
   * Fabric-wide IPAM settings.
   *
   * @param strictAffinity whether a host uses the addresses of its own blocks only, also when no
   *     block is left to claim; {@code false} when absent
   * @param maxBlocksPerHost how many blocks of each family a host may hold; 20 when absent or 0
   * @param autoAllocateBlocks whether a host claims a block when it needs one, rather than only
   *     when somebody claims it for the host; {@code true} when absent
   * @param reuseDelaySeconds how long an address that was freed is given to nobody else, as long as
   *     there is any other to give; 0 to 3600, 60 when absent
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      Optional<Boolean> strictAffinity,
      Optional<Integer> maxBlocksPerHost,
      Optional<Boolean> autoAllocateBlocks,
      Optional<Integer> reuseDelaySeconds) {
    @JsonCreator
    public Spec {
      strictAffinity = Absent.orEmpty(strictAffinity);
      maxBlocksPerHost = Absent.orEmpty(maxBlocksPerHost);
      autoAllocateBlocks = Absent.orEmpty(autoAllocateBlocks);
      reuseDelaySeconds = Absent.orEmpty(reuseDelaySeconds);
      maxBlocksPerHost.ifPresent(
          most -> {
            if (most < 0) {
              throw new InvalidInputException(
                  "maxBlocksPerHost", most.toString(), "0, which means 20, or more");
            }
          });
      reuseDelaySeconds.ifPresent(
          seconds -> {
            if (seconds < 0 || seconds > MAX_REUSE_DELAY_SECONDS) {
              throw new InvalidInputException(
                  "reuseDelaySeconds", seconds.toString(), "0 to " + MAX_REUSE_DELAY_SECONDS);
            }
          });
    }
  }
}

package io.wayleave.bgp;

import io.wayleave.model.InvalidInputException;
import java.time.Duration;

/**
 * How fast a peer's loss is noticed by BFD (RFC 5880, single hop RFC 5881).
 *
 * @param transmit DesiredMinTxInterval while the session is up, 10 ms to 60 s
 * @param receive RequiredMinRxInterval, 10 ms to 60 s
 * @param multiplier DetectMult: this many packets missing means that the peer is gone, 1 to 255
 */
public record BfdSettings(Duration transmit, Duration receive, int multiplier) {
  /** 300 ms three times, as most switches have it. */
  public static final BfdSettings DEFAULT =
      new BfdSettings(Duration.ofMillis(300), Duration.ofMillis(300), 3);

  public BfdSettings {
    requireInterval("transmit", transmit);
    requireInterval("receive", receive);
    if (multiplier < 1 || multiplier > 255) {
      throw new InvalidInputException("multiplier", Integer.toString(multiplier), "1 to 255");
    }
  }

  private static void requireInterval(String field, Duration interval) {
    if (interval.toMillis() < 10 || interval.compareTo(Duration.ofSeconds(60)) > 0) {
      throw new InvalidInputException(field, interval.toString(), "10 ms to 60 s");
    }
  }
}

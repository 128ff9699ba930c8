package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;

/**
 * Another AS that the speaker claims to be in towards one peer, for moving hosts from one AS to
 * another without a change at their peers.
 *
 * @param replace whether the peer sees this AS alone in AS_PATH; else this AS followed by the
 *     speaker's own
 */
public record LocalAs(Asn asNumber, boolean replace) {
  public LocalAs {
    requireNonNull(asNumber, "asNumber is null");
  }
}

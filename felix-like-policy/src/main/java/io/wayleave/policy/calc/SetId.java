package io.wayleave.policy.calc;

import io.wayleave.model.Family;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.SubjectSelector;

/** A set that rules refer to, by what is in it. */
public sealed interface SetId {
  /** Which objects give their addresses. */
  SubjectSelector chosen();

  Family family();

  /** The networks of the chosen objects; members are {@link SetMember.Net}. */
  record Nets(SubjectSelector chosen, Family family) implements SetId {}

  /**
   * The ports of that name and protocol that the chosen endpoints have, at each of their addresses;
   * members are {@link SetMember.AddressPort}.
   */
  record NamedPort(SubjectSelector chosen, PortName name, Protocol protocol, Family family)
      implements SetId {}
}

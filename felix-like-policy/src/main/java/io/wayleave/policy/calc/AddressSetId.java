package io.wayleave.policy.calc;

import io.wayleave.model.Family;
import io.wayleave.model.selector.Selector;

/**
 * The addresses, of one family, of all endpoints that a rule's selector chooses. Rules with equal
 * selectors share the set.
 */
public record AddressSetId(Selector selector, Family family) {}

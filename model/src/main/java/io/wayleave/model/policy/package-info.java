/**
 * What the selectors of policies and rules choose, in one place for all who ask: the calculation of
 * what a host must enforce, and the explanation of a single packet. Pure.
 */
package io.wayleave.model.policy;

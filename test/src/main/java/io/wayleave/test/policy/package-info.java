/**
 * Policy judged a second time: an evaluator that shares nothing with the engine, random fleets and
 * flows for both, and what comes of comparing them. See {@code PolicyAgreementTest} and {@code
 * PolicyPacketsTest}.
 */
package io.wayleave.test.policy;

/**
 * {@code ./dev bench bgp}: BGP speakers side by side, with the same load in the same run.
 *
 * <p>One process plays every peer of the speaker under test. It sends UPDATEs that were encoded
 * before the clock starts and only counts what comes back, so that the speaker is what is measured:
 * {@link io.wayleave.test.bench.Load} is what is sent and what is to come back, {@link
 * io.wayleave.test.bench.LoadTool} the peers on one thread, {@link
 * io.wayleave.test.bench.SpeakerKind} the speakers and their settings, {@link
 * io.wayleave.test.bench.BgpBench} the run and its table.
 */
package io.wayleave.test.bench;

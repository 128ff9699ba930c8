/**
 * The speaker as a program of its own, {@code wayleave-bgp}: its file, its main and its logs. The
 * file is documented in {@code docs/bgp.md}.
 */
package io.wayleave.bgp.daemon;

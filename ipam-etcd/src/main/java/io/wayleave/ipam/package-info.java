/**
 * Who owns which address.
 *
 * <p>{@code docs/ipam.md} has the keys and what each operation writes. Records are small JSON
 * objects with a {@code schema} number: {@link io.wayleave.ipam.Block}, affinity, {@link
 * io.wayleave.ipam.Handle}, {@link io.wayleave.ipam.OwnerRecord}.
 *
 * <p>So an address is never given twice: its bit changes only in a transaction that compares the
 * whole block. And it is never lost: its bit is set only together with its handle, and cleared only
 * together with the handle's deletion. A release that comes late finds no handle, another
 * generation, or another incarnation of the block.
 */
package io.wayleave.ipam;

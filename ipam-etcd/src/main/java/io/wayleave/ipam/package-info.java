/**
 * Who owns which address.
 *
 * <p>Records, each a small JSON object with a {@code schema} number:
 *
 * <ul>
 *   <li>{@code ipam/blocks/<network>}: a {@link io.wayleave.ipam.Block}: whose it is, a bitmap of
 *       used addresses, and the order in which freed ones come back.
 *   <li>{@code ipam/affinities/<node>/<network>}: a host's claim on a block, pending or confirmed.
 *   <li>{@code ipam/handles/<handle>}: a {@link io.wayleave.ipam.Handle}: the addresses of one
 *       attachment, and the keys of its owner records.
 *   <li>{@code ipam/guard}: written by every change of a pool; only its version counts.
 * </ul>
 *
 * <p>Operations, each one transaction unless it says otherwise ({@code =} compared with what was
 * seen, {@code !} must not exist, {@code +} written, {@code -} deleted):
 *
 * <ul>
 *   <li>allocation from existing blocks: guard =, pools =, blocks = +, handle ! +, owners ! +
 *   <li>allocation that claims, two transactions: affinity ! + (pending); then as above, with block
 *       ! + and affinity = + (confirmed)
 *   <li>release: handle = -, owners -, blocks = + (or -, the last address of nobody's block)
 *   <li>claim without allocation: pool =, block ! +, affinity + (confirmed)
 *   <li>giving a block up: block = - when empty, else = + as nobody's; affinity -
 *   <li>creation of a pool: guard = +, pool ! +; change: guard = +, pool = +; deletion: the change
 *       to disabled, then empty blocks = - with their affinities, then guard = +, pool -
 * </ul>
 *
 * <p>So an address is never given twice: its bit changes only in a transaction that compares the
 * whole block. And it is never lost: its bit is set only together with its handle, and cleared only
 * together with the handle's deletion. A release that comes late finds no handle, another
 * generation, or another incarnation of the block.
 */
package io.wayleave.ipam;

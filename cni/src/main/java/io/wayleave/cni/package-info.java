/**
 * The server side of the CNI plugin: what the agent does when a runtime executes the launcher
 * ({@code src/main/c}).
 *
 * <p><b>Generations.</b> A DEL can arrive late: from a launcher that waited for a busy agent, or
 * from the spool. It must not hit an attachment that was made meanwhile under the same container id
 * and interface name. So every attachment has a generation, and a record in a file that the
 * launcher reads when a DEL begins. The rules:
 *
 * <ol>
 *   <li>An ADD writes the record before it makes anything, and <em>then</em> looks whether its
 *       launcher is still there; if not, it gives up. A DEL deletes the record after it has undone
 *       everything, or has durably noted what is left to undo.
 *   <li>A DEL that names a generation acts on that generation and on no other.
 *   <li>A DEL that names none was issued when no ADD had begun. It acts only while there still is
 *       no record: on what is left when the records were lost.
 *   <li>An ADD settles every spooled DEL of its own key first, or fails.
 *   <li>Operations on one key exclude each other.
 * </ol>
 *
 * Rule 3 does not leak: suppose a runtime gives up on an ADD (its launcher ends) and issues a DEL
 * that finds no record. Then the ADD writes its record later than that, sees by rule 1 that its
 * launcher has gone, and undoes itself. No rule compares clocks.
 *
 * <p>A record without an endpoint is an ADD that never finished: a crash in it leaves nothing that
 * the next start does not find.
 */
package io.wayleave.cni;

/*
 * Files that the launcher shares with the agent, all below the spool directory:
 *
 *   attachments/ID@IFNAME   written by the agent from before an ADD makes anything until after a DEL
 *                           has undone everything. Its first line names the attachment's generation.
 *   ID@IFNAME@GEN.del       a DEL that no agent answered: the payload of its request frame.
 *                           GEN is the generation, or "none".
 *
 * "@" cannot be in a container id, so the names are not ambiguous. A DEL that is repeated while no agent
 * runs replaces its own entry, so the spool stays as small as the number of attachments.
 */
#ifndef WAYLEAVE_SPOOL_H
#define WAYLEAVE_SPOOL_H

#include "frame.h"

#define GENERATION_MAX 64

/*
 * Reads the generation of the attachment that exists now; an empty string when none does. Ends the
 * process with a CNI error when the record is there but reading fails.
 */
void read_generation(const char *spool, const char *container_id, const char *ifname,
                     char generation[GENERATION_MAX + 1]);

/*
 * Stores the request durably (file and directory synced), under its final name only when it is complete.
 * Ends the process with a CNI error when that fails.
 */
void spool_del(const char *spool, const char *container_id, const char *ifname,
               const char *generation, const struct frame *frame);

#endif

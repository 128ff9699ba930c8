/* One deadline for everything that waits for somebody else. */
#ifndef WAYLEAVE_DEADLINE_H
#define WAYLEAVE_DEADLINE_H

/* The moment that lies that many seconds ahead. */
long long deadline_in(int seconds);

/* Waits for the poll(2) events on a descriptor: 1 when ready, 0 at the deadline, -1 with errno. */
int wait_until(int fd, short events, long long deadline);

#endif

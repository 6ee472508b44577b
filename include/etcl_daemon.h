/* What the Apache parent hands to the daemon program when it execs it:
 *
 *     <libdir>/etcl/etcld            argv[0] is the group's display name
 *
 * with nothing on the command line and these descriptors, all others closed.
 * Source: DESIGN.md section 4; src/README.rst, "Processes". */

#ifndef ETCL_DAEMON_H
#define ETCL_DAEMON_H

#define ETCL_FD_LOG 2      /* the group's error log: Apache's format */
#define ETCL_FD_OPTIONS 3  /* sealed memfd: etcl_group_encode() */
#define ETCL_FD_ROSTER 4   /* memfd of etcl_roster_t, size sealed, writable */
#define ETCL_FD_LIFELINE 5 /* pipe; end of file: nobody can send requests */
#define ETCL_FD_LISTEN 6   /* listening socket of slot 0; slot i is 6 + i */

/* How the supervisor ends, for its parent (exit status). */
#define ETCL_EXIT_DONE 0  /* asked to end, everything finished */
#define ETCL_EXIT_FATAL 3 /* set-up is wrong: do not start it again */
#define ETCL_EXIT_RETRY 4 /* may work later: start it again, back off */

#endif

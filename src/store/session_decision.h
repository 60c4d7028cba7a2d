#ifndef TASKHOLD_STORE_SESSION_DECISION_H
#define TASKHOLD_STORE_SESSION_DECISION_H

#include "store/store.h"

/* What the rotation of a refresh token comes to, given the session as it stands: the same on every
 * engine. Pure functions. */

#define SESSION_SUPERSEDED_MOST  16 /* times kept of one session */
#define SESSION_SUPERSEDED_BYTES (SESSION_SUPERSEDED_MOST * 8)

/* A session, with the times at which its last tokens were superseded: 8 bytes each, big-endian, the
 * newest first. */
struct session_standing {
    struct session session;
    bool disabled; /* its user is */
    uint8_t superseded[SESSION_SUPERSEDED_BYTES];
    size_t superseded_size;
};

/* Sets `superseded` from what is stored; bytes that no version wrote count as none. */
void session_set_superseded(struct session_standing *standing, struct slice bytes);

enum session_decision {
    SESSION_DECISION_NOTHING,
    SESSION_DECISION_ROTATE, /* from op->counter to `standing` */
    SESSION_DECISION_END,
};

/* `standing` NULL: there is none. Sets op->op.result, op->reuse and op->session, and moves
 * `standing` on when the session is rotated. */
enum session_decision session_decide_refresh(struct store_session_refresh *op,
                                             struct session_standing *standing);

#endif

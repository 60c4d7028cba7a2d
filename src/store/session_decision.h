// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SESSION_DECISION_H
#define TASKHOLD_STORE_SESSION_DECISION_H

#include "store/store.h"

/* What the rotation of a refresh token comes to, given the session as it stands: the same on every
 * engine. Pure functions. */

#define SESSION_SUPERSEDED_MOST  64 /* entries kept of one session */
#define SESSION_SUPERSEDED_BYTES (SESSION_SUPERSEDED_MOST * 8)

/* A session, with when its last tokens were superseded: entries of 8 bytes, big-endian, the newest
 * first; 48 bits of milliseconds since 1970 and 16 bits that say how many tokens, one after the
 * other, it is about. All that a grace covers is there, however many they are; with tokens that
 * followed each other within a 48th of the grace, the time of the last stands for all. */
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

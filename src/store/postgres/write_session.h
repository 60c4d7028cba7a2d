// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_WRITE_SESSION_H
#define TASKHOLD_STORE_POSTGRES_WRITE_SESSION_H

#include "store/store.h"

/* Logins, rotation of refresh tokens, logouts. */
void pg_session_create(struct store_session_create *op);
void pg_session_refresh(struct store_session_refresh *op);
void pg_session_end(struct store_session_end *op);

#endif

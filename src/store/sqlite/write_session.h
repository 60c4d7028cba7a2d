// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_WRITE_SESSION_H
#define TASKHOLD_STORE_SQLITE_WRITE_SESSION_H

#include "store/store.h"

/* Logins, rotation of refresh tokens, logouts. */
void write_session_create(struct store_session_create *op);
void write_session_refresh(struct store_session_refresh *op);
void write_session_end(struct store_session_end *op);

#endif

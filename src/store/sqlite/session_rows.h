// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_SESSION_ROWS_H
#define TASKHOLD_STORE_SQLITE_SESSION_ROWS_H

#include "store/store.h"

/* Logins, rotation of refresh tokens, logouts. The reads are answered before they return. */
void session_rows_check(struct store_session_check *op);
void session_rows_list(struct store_session_list *op);

void session_rows_create(struct store_session_create *op);
void session_rows_refresh(struct store_session_refresh *op);
void session_rows_end(struct store_session_end *op);

#endif

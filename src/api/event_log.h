// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_EVENT_LOG_H
#define TASKHOLD_API_EVENT_LOG_H

#include "base/log.h"
#include "base/uuid.h"
#include "http/message.h"

/* Lines about who did what. Nothing of a body, a query, a token or an e-mail stands in them. */

/* Logs a security event under its fixed name. `user` NULL: the caller's, if there is one. `reason`
 * (a fixed text) may be NULL. */
void event_log(const struct http_exchange *x, enum log_level level, const char *event,
               const struct uuid *user, const char *reason);

/* Fits http_hooks.answered: one line a request. */
void event_log_request(struct http_exchange *x, size_t bytes);

#endif

// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ACCESS_H
#define TASKHOLD_API_ACCESS_H

#include "auth/throttle.h"
#include "base/log.h"
#include "base/uuid.h"
#include "http/server.h"

/* Who may call, how often, and what the log says of it. */

/* ---- before every handler; they fit http_hooks ---- */

/* Who calls? Needs exactly one `Authorization: Bearer TOKEN` with a token of ours whose session is
 * alive, and leaves a struct caller. A token that does not verify costs no database access. On a
 * route of HTTP_ACCESS_EITHER the caller may do without: see api_admitted. */
enum http_verdict access_authorize(struct http_exchange *x);

/* For a handler of such a route that needs the token after all: sends what access_authorize would
 * have. */
void access_refuse(struct http_exchange *x);

/* May they call so often? Takes one from the quota of the route. */
enum http_verdict access_quota(struct http_exchange *x);

/* Takes more of the quota of calls, for a call that counts as several; as far as a full quota goes.
 * False: 429 was sent. */
bool access_quota_more(struct http_exchange *x, uint32_t tokens);

/* ---- how quotas show in answers: draft-ietf-httpapi-ratelimit-headers, and 429 ---- */

/* Adds RateLimit-Policy and RateLimit. A second quota of the same answer adds field lines of its
 * own, which RFC 9110 section 5.3 makes one list. */
void access_rate_fields(struct http_exchange *x, const struct throttle *throttle,
                        const struct throttle_state *state);

/* Sends 429 with Retry-After, and logs which quota it was. `what`: what it counts, for people. */
void access_rate_refuse(struct http_exchange *x, const struct throttle *throttle,
                        const struct throttle_state *state, const char *what);

/* ---- the log; nothing of a body, a query, a token or an e-mail stands in it ---- */

/* Logs a security event under its fixed name. `user` NULL: the caller's, if there is one. `reason`
 * (a fixed text) may be NULL. */
void access_event(const struct http_exchange *x, enum log_level level, const char *event,
                  const struct uuid *user, const char *reason);

/* Fits http_hooks.answered: one line a request. */
void access_log(struct http_exchange *x, size_t bytes);

#endif

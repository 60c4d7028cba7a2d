// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ACCESS_H
#define TASKHOLD_API_ACCESS_H

#include "http/server.h"

/* The questions that stand before every handler; they fit http_hooks. */

/* Who calls? Needs exactly one `Authorization: Bearer TOKEN` with a token of ours whose session is
 * alive, and leaves a struct caller. A token that does not verify costs no database access. On a
 * route of HTTP_ACCESS_EITHER the caller may do without: see api_admitted. */
enum http_verdict access_authorize(struct http_exchange *x);

/* For a handler of such a route that needs the token after all: sends what access_authorize would
 * have. */
void access_refuse(struct http_exchange *x);

/* May they call so often? Takes one from the quota of the route. */
enum http_verdict access_quota(struct http_exchange *x);

#endif

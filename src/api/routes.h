// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ROUTES_H
#define TASKHOLD_API_ROUTES_H

#include "http/route.h"

/* The column `quota` of a route. */
enum api_quota {
    API_QUOTA_NONE = 0,
    API_QUOTA_AUTH, /* for each address of a client: calls that take a password or refresh token */
    API_QUOTA_API,  /* for each user */
    API_QUOTA_COUNT,
};

/* The tables of calls; they live as long as the program. All that a client may call: */
const struct http_route *api_routes(size_t *count);

/* What the second listener answers, for the operator's own network; see api_metrics_hooks. */
const struct http_route *api_metrics_routes(size_t *count);

/* What an operator may ask through the control socket, which nobody else can reach. Never to be
 * served on a network.
 *
 *   GET  /users, /users/after/{id}   up to API_CONTROL_USERS_MOST accounts, a JSON object on each
 *                                    line, in the order in which they were made
 *   POST /users                      {email, password, name?}: a new account
 *   POST /users/password             {email, password}: a new password; every session ends
 *   POST /users/disable, /enable     {email}
 *   POST /users/delete               {email}
 *   POST /users/find                 {email}
 *   POST /users/tokens               {email, name, scopes, expires_at?}: a token for scripts, shown
 *                                    this once as `token`
 *   POST /users/tokens/list          {email}: a JSON object on each line
 *   POST /users/tokens/end           {email, id}: {id}
 *   POST /import                     {user, dry_run?, COLLECTION: {ID: ITEM, …}}: makes items that
 *                                    are not there yet; see below
 *   POST /invitations                {email?, days?}: {invitation, email, expires_at, link}
 *
 * Each POST to /users, and below it but for tokens, answers with the account as it is now (as it
 * was, when deleted). Of an error, `detail` says all that is wrong. */
const struct http_route *api_control_routes(size_t *count);

#define API_CONTROL_USERS_MOST 100

/* POST /import makes items of one collection (`lists` or `tasks`) in the space of `user`, in their
 * order, each as PUT with If-None-Match: * does: what is there stays as it is. It answers with a
 * line for each, {outcome, detail}: `made`, `there`, or `refused` and why; after one that could not
 * be tried now there are no more lines, and if that was the first, the answer is its error.
 * `dry_run`: nothing is made, and `made` is what would be. */
#define API_CONTROL_IMPORT_MOST  32
#define API_CONTROL_IMPORT_BYTES 262144

/* `none`, `auth`, `api`: for `taskhold routes` and the RateLimit fields. */
const char *api_quota_name(unsigned quota);

#endif

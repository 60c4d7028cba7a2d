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
 *   POST /invitations                {email?, days?}: {invitation, email, expires_at, link}
 *
 * Each POST below /users answers with the account as it is now (as it was, when deleted). Of an
 * error, `detail` says all that is wrong. */
const struct http_route *api_control_routes(size_t *count);

#define API_CONTROL_USERS_MOST 100

/* `none`, `auth`, `api`: for `taskhold routes` and the RateLimit fields. */
const char *api_quota_name(unsigned quota);

#endif

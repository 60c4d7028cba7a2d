// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_CONTROL_ROUTES_H
#define TASKHOLD_API_CONTROL_ROUTES_H

#include "http/route.h"

/* What an operator may ask through the control socket, which nobody else can reach: no row asks for
 * a token or counts. Never to be served on a network.
 *
 *   GET  /users, /users/after/{id}   up to CONTROL_USERS_MOST accounts, a JSON object on each line,
 *                                    in the order in which they were made
 *   POST /users                      {email, password, name?}: a new account
 *   POST /users/password             {email, password}: a new password; every session ends
 *   POST /users/disable, /enable     {email}
 *   POST /users/delete               {email}
 *
 * Each POST answers with the account as it is now (as it was, when deleted). Of an error, `detail`
 * says all that is wrong. */
const struct http_route *control_routes(size_t *count);

#define CONTROL_USERS_MOST 100

#endif

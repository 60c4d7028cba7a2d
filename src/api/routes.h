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

/* The one table of all calls; it lives as long as the program. */
const struct http_route *api_routes(size_t *count);

/* `none`, `auth`, `api`: for `taskhold routes` and the RateLimit fields. */
const char *api_quota_name(unsigned quota);

#endif

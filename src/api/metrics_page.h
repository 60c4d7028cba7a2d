// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_METRICS_PAGE_H
#define TASKHOLD_API_METRICS_PAGE_H

#include "api/api.h"

/* The second listener, for the operator's own network: GET /metrics, /livez and /readyz. */

/* Its table of calls; it lives as long as the program. */
const struct http_route *metrics_page_routes(size_t *count);

/* What its server asks. The hooks borrow `api`. */
struct http_hooks metrics_page_hooks(struct api *api);

#endif

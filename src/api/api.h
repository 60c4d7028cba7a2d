// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_API_H
#define TASKHOLD_API_API_H

#include "auth/keys.h"
#include "auth/token_cache.h"
#include "base/settings.h"
#include "http/server.h"
#include "model/zone.h"
#include "store/store.h"

/* The service between HTTP and the store: who may call, how often, and what a call does. */
struct api;

/* Everything here is borrowed and must outlive the api. */
struct api_options {
    const struct store_engine *engine;
    struct store *store;
    const struct keys *keys;
    const struct settings *settings;
    struct zones *zones;
    struct revocations *revocations;
    struct subscriptions *subscriptions; /* NULL: no streams */
    const char *version;                 /* for `GET /` */
    bool (*draining)(void *context);     /* for readiness; NULL: never. Any thread */
    void *context;                       /* of draining */
};

/* Starts the threads that hash passwords. NULL without memory or threads. */
struct api *api_create(const struct api_options *options) __attribute__((warn_unused_result));

/* Every loop must have ended before, and the store must still be open. */
void api_destroy(struct api **api);

/* Other keys from now on for one loop of a server with api_hooks, on its thread; what it remembers
 * of tokens and pages is forgotten. The keys must outlive their use by every loop. */
void api_take_keys(struct http_loop *loop, const struct keys *keys);

/* What a server asks and tells, with the routes of api_routes; and that of the second listener,
 * with those of api_metrics_routes and one thread. The hooks borrow `api`. */
struct http_hooks api_hooks(struct api *api);
struct http_hooks api_metrics_hooks(struct api *api);

/* What a store tells, and whom: made before the store, which is opened before there is an api. */
struct api_notices {
    struct revocations *revocations;
    struct subscriptions *subscriptions; /* NULL: there are no streams */
};

/* Has the store tell `notices`, which outlives it, on any of its threads. */
void api_take_notices(struct store_options *options, struct api_notices *notices);

#endif

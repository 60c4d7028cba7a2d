// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "base/metrics.h"
#include "base/owner.h"

/* What the service says about itself: GET /, /livez (and its other names), /readyz; and /metrics,
 * which only the second listener has. */

/* ---- GET /, /livez, /readyz ---- */

void service_root(struct http_exchange *x)
{
    respond_no_store(x);
    struct json_writer w = respond_json_begin(x);
    jw_open_object(&w);
    respond_member(&w, SLICE("name"), SLICE("taskhold"));
    respond_member(&w, SLICE("version"), slice_of(api_of(x)->options.version));
    jw_name(&w, SLICE("links"));
    jw_open_object(&w);
    respond_member(&w, SLICE("docs"), http_reference(x, SLICE("/docs")));
    respond_member(&w, SLICE("openapi"), http_reference(x, SLICE("/openapi.json")));
    respond_member(&w, SLICE("postman"), http_reference(x, SLICE("/postman.json")));
    respond_member(&w, SLICE("health"), http_reference(x, SLICE("/readyz")));
    jw_close_object(&w);
    jw_close_object(&w);
    respond_json(x, 200);
}

void service_live(struct http_exchange *x)
{
    respond_no_store(x);
    buffer_add(x->response.body, SLICE("{\"status\":\"ok\"}"));
    respond_json(x, 200);
}

static const char *database_check(const struct store_health *health)
{
    if (!health->reachable) {
        return "the database cannot be reached";
    }
    if (health->moved) {
        return "the database file was moved or removed: put it back and restart the server";
    }
    if (health->damaged) {
        return "the database file is damaged: see what taskhold doctor says, and restore a backup";
    }
    return health->writable ? "ok" : "the database cannot be written";
}

static bool is_draining(const struct http_exchange *x)
{
    const struct api_options *options = &api_of(x)->options;
    return options->draining && options->draining(options->context);
}

/* `health` out: what the engine knows of the database. */
static bool is_ready(const struct http_exchange *x, struct store_health *health)
{
    const struct api_options *options = &api_of(x)->options;
    *health = (struct store_health){0};
    options->engine->health(options->store, health);
    return health->reachable && health->writable && health->migrated && health->on_time &&
           !is_draining(x);
}

void service_ready(struct http_exchange *x)
{
    struct store_health health;
    char connections[160] = "ok";
    assert(x->route->always);
    const bool ready = is_ready(x, &health);
    if (health.connections_full) { /* to have few is no reason not to be ready */
        (void)snprintf(connections, sizeof connections,
                       "only %u of %u could be opened, and the loops share them: raise the "
                       "server's limit, or lower DATABASE_POOL or THREADS",
                       health.connections, health.connections + health.connections_awaited);
    }
    respond_no_store(x);
    if (!ready) {
        http_respond_field(x, "Retry-After", SLICE("1"));
    }
    struct json_writer w = respond_json_begin(x);
    jw_open_object(&w);
    respond_member(&w, SLICE("status"), slice_of(ready ? "ok" : "unavailable"));
    jw_name(&w, SLICE("checks"));
    jw_open_object(&w);
    respond_member(&w, SLICE("database"), slice_of(database_check(&health)));
    respond_member(&w, SLICE("migrations"),
                   slice_of(health.migrated ? "ok" : "the schema is not at head"));
    respond_member(&w, SLICE("clock"),
                   health.on_time
                       ? SLICE("ok")
                       : SLICE("this machine's clock is more than 30 s away from the database's: "
                               "let both follow the same time (NTP)"));
    respond_member(&w, SLICE("connections"), slice_of(connections));
    /* Without them UTC is known, and all that does not name another zone works. */
    respond_member(&w, SLICE("time_zones"),
                   zones_are_there(api_of(x)->options.zones)
                       ? SLICE("ok")
                       : SLICE("only UTC is known: install tzdata, or set TZDIR to its folder"));
    respond_member(&w, SLICE("draining"),
                   slice_of(is_draining(x) ? "the server is stopping" : "ok"));
    jw_close_object(&w);
    jw_close_object(&w);
    respond_json(x, ready ? 200 : 503);
}

/* ---- GET /metrics ---- */

/* Gauges that nobody keeps are read for each page. The listener has one thread, which owns them. */
void service_metrics(struct http_exchange *x)
{
    const struct api_options *options = &api_of(x)->options;
    const char *file = options->engine->file(options->store);
    struct store_health health;
    struct statvfs disk;
    metrics_set(METRIC_READY, is_ready(x, &health));
    if (file) {
        metrics_set(METRIC_STORE_DAMAGED, health.damaged);
        metrics_set_cell(api_loop_of(x)->last_backup, options->engine->last_backup(options->store));
    }
    /* When the file was moved, what was last seen of its file system stays. */
    if (file && statvfs(file, &disk) == 0) {
        metrics_set(METRIC_STORE_DISK, (int64_t)(disk.f_blocks * disk.f_frsize));
        metrics_set(METRIC_STORE_DISK_FREE, (int64_t)(disk.f_bavail * disk.f_frsize));
    }
    respond_no_store(x);
    metrics_write(x->response.body);
    http_respond_body(x, 200, x->route->produces);
}

/* The listener's loop has no session of the store and no tokens: no row needs them. */
static void *loop_start(void *owner, struct http_loop *http)
{
    struct api_loop *loop = calloc(1, sizeof *loop);
    (void)http;
    if (!loop) {
        return NULL;
    }
    OWNER_SET(loop, API_LOOP_MAGIC);
    loop->api = owner;
    if (loop->api->options.engine->last_backup) {
        loop->last_backup = metrics_series(METRIC_LAST_BACKUP, "");
    }
    return loop;
}

struct http_hooks api_metrics_hooks(struct api *api)
{
    assert(api);
    return (struct http_hooks){.owner = api, .loop_start = loop_start, .loop_stop = free};
}

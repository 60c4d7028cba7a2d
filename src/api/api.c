// SPDX-License-Identifier: MIT
#include "api/api.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/context.h"
#include "api/routes.h"
#include "base/machine.h"
#include "base/owner.h"
#include "http/router.h"

/* The quotas. A bucket is a few bytes; a full table forgets, it never refuses. */
#define BUCKETS       16384U
#define TOKEN_ENTRIES 4096U /* verified tokens that a loop remembers */
/* On an engine that other nodes write to as well: how long an ended session may go unnoticed here
 * when the notice of it is lost, less the time of a request. */
#define TOKEN_SHARED_MS 1000U
#define LIST_PAGES      256U /* pages of lists that a loop remembers, and their bytes */
#define LIST_BYTES      ((size_t)2 * 1024 * 1024)

struct api *api_create(const struct api_options *options)
{
    static const struct throttle_options auth = {
        .name = "auth", .quota = 60, .window_s = 60, .buckets = BUCKETS};
    static const struct throttle_options calls = {
        .name = "api", .quota = 1200, .window_s = 60, .buckets = BUCKETS};
    static const struct throttle_options failures = {
        .name = "failures", .quota = 10, .window_s = 900, .buckets = BUCKETS, .whole = true};
    struct api *api = calloc(1, sizeof *api);
    assert(options->engine && options->store && options->settings); /* no keys: no tokens */
    assert(options->zones && options->revocations && options->version);
    if (!api) {
        return NULL;
    }
    api->options = *options;
    api->epoch = options->engine->epoch(options->store);
    const struct machine_use use = machine_use_of((unsigned)options->settings->threads);
    api->hasher = hasher_create(use.hashers, 0);
    const bool limited = strcmp(options->settings->rate_limit, "off") != 0;
    if (limited) {
        api->auth = throttle_create(&auth);
        api->calls = throttle_create(&calls);
        api->failures = throttle_create(&failures);
    }
    if (!documents_init(api) || !api->hasher ||
        (limited && !(api->auth && api->calls && api->failures))) {
        api_destroy(&api);
    }
    return api;
}

void api_destroy(struct api **api)
{
    assert(api);
    if (!*api) {
        return;
    }
    documents_finish(*api);
    hasher_destroy(&(*api)->hasher);
    throttle_destroy(&(*api)->auth);
    throttle_destroy(&(*api)->calls);
    throttle_destroy(&(*api)->failures);
    free(*api);
    *api = NULL;
}

/* ---- what the store tells ---- */

static void take_ended(void *context, struct uuid user)
{
    const struct api_notices *notices = context;
    revocations_add(notices->revocations, user);
    if (notices->subscriptions) {
        subscriptions_doubt(notices->subscriptions, &user);
    }
}

static void take_committed(void *context, struct uuid space, int64_t revision)
{
    const struct api_notices *notices = context;
    subscriptions_committed(notices->subscriptions, space, revision);
}

static void take_doubt(void *context)
{
    const struct api_notices *notices = context;
    subscriptions_doubt(notices->subscriptions, NULL);
}

static size_t give_awaited(void *context, size_t *place, struct uuid *spaces, size_t most)
{
    const struct api_notices *notices = context;
    return subscriptions_list(notices->subscriptions, place, spaces, most);
}

void api_take_notices(struct store_options *options, struct api_notices *notices)
{
    assert(notices->revocations);
    options->context = notices;
    options->sessions_ended = take_ended;
    if (notices->subscriptions) {
        options->committed = take_committed;
        options->doubted = take_doubt;
        options->awaited = give_awaited;
    }
}

/* ---- what each loop has ---- */

static struct api_loop *loop_of(void *context)
{
    return OWNER_CAST(context, struct api_loop, API_LOOP_MAGIC);
}

static void loop_stop(void *context)
{
    struct api_loop *loop = loop_of(context);
    token_cache_destroy(&loop->tokens);
    list_cache_destroy(&loop->lists);
    subscribers_destroy(&loop->subscribers);
    if (loop->store) {
        loop->api->options.engine->session_close(&loop->store);
    }
    token_uses_destroy(&loop->token_uses);
    OWNER_END(loop);
    free(loop);
}

static void *loop_start(void *owner, struct http_loop *http)
{
    struct api *api = owner;
    struct api_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return NULL;
    }
    OWNER_SET(loop, API_LOOP_MAGIC);
    loop->api = api;
    loop->keys = api->options.keys;
    const unsigned lifetime_ms = api->options.engine->shared ? TOKEN_SHARED_MS : 0;
    loop->tokens = token_cache_create(api->options.revocations, TOKEN_ENTRIES, lifetime_ms);
    loop->lists = list_cache_create(LIST_PAGES, LIST_BYTES);
    loop->token_uses = token_uses_create();
    loop->store = api->options.engine->session_open(api->options.store, http_loop_inbox(http));
    if (api->options.subscriptions) {
        loop->subscribers = subscribers_create(api->options.subscriptions, http_loop_inbox(http));
    }
    if (!loop->tokens || !loop->lists || !loop->token_uses || !loop->store ||
        (api->options.subscriptions && !loop->subscribers)) {
        loop_stop(loop);
        return NULL;
    }
    return loop;
}

void api_take_keys(struct http_loop *loop, const struct keys *keys)
{
    struct api_loop *own = loop_of(http_loop_context(loop));
    assert(keys);
    own->keys = keys;
    token_cache_clear(own->tokens);
    list_cache_clear(own->lists); /* cursors are signed */
}

static void turn_end(void *context)
{
    struct api_loop *loop = loop_of(context);
    loop->api->options.engine->turn_end(loop->store);
}

static int descriptor(void *context)
{
    const struct api_loop *loop = loop_of(context);
    const struct store_engine *engine = loop->api->options.engine;
    return engine->descriptor ? engine->descriptor(loop->store) : -1;
}

static void ready(void *context)
{
    struct api_loop *loop = loop_of(context);
    loop->api->options.engine->ready(loop->store);
}

struct http_hooks api_hooks(struct api *api)
{
    assert(api);
    return (struct http_hooks){
        .owner = api,
        .loop_start = loop_start,
        .loop_stop = loop_stop,
        .turn_end = turn_end,
        .descriptor = descriptor,
        .ready = ready,
        .authorize = access_authorize,
        .quota = access_quota,
        .answered = access_log,
    };
}

/* ---- what a handler reaches from its exchange ---- */

struct api_loop *api_loop_of(const struct http_exchange *x)
{
    return loop_of(http_loop_context(x->loop));
}

struct api *api_of(const struct http_exchange *x)
{
    return api_loop_of(x)->api;
}

const struct store_engine *api_engine(const struct http_exchange *x)
{
    return api_of(x)->options.engine;
}

const struct keys *api_keys(const struct http_exchange *x)
{
    return api_loop_of(x)->keys;
}

bool api_admitted(const struct http_exchange *x)
{
    if (!x->caller) {
        return false;
    }
    const struct caller *caller = OWNER_CAST(x->caller, struct caller, CALLER_MAGIC);
    return caller->refusal.error == ERROR_NONE;
}

const struct caller *api_caller(const struct http_exchange *x)
{
    assert(x->route->access != HTTP_ACCESS_PUBLIC && api_admitted(x));
    return x->caller;
}

struct uuid api_actor(const struct http_exchange *x)
{
    const struct caller *caller = api_caller(x);
    return caller->scopes != 0 ? caller->script_token : caller->session;
}

struct tag_space api_tag_space(const struct http_exchange *x)
{
    return tag_space_of(api_of(x)->epoch, api_caller(x)->user);
}

struct uuid api_path_id(const struct http_exchange *x)
{
    assert(x->request.parameters[0].len == UUID_TEXT_LEN);
    return x->request.path_id;
}

struct slice api_path_name(const struct http_exchange *x)
{
    assert(x->request.parameters[0].ptr);
    return http_path_unmask(x->request.parameters[0], x->arena);
}

struct store_op api_op(struct http_exchange *x, void (*done)(struct store_op *op), void *caller)
{
    struct store_session *session = api_loop_of(x)->store;
    assert(session && done);
    return (struct store_op){
        .session = session,
        .arena = x->arena,
        .done = done,
        .caller = caller,
    };
}

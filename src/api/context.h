// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_CONTEXT_H
#define TASKHOLD_API_CONTEXT_H

#include "api/api.h"
#include "api/list_cache.h"
#include "api/respond.h"
#include "api/subscribers.h"
#include "api/token_uses.h"
#include "auth/hasher.h"
#include "auth/throttle.h"
#include "auth/token_cache.h"

/* What the files of this room share, and how a handler reaches it. */

#define API_FILES   10 /* the embedded files */
#define API_TAG_LEN 19 /* an entity tag of one: 16 digits, two quotes, NUL */

struct api {
    struct api_options options;
    struct hasher *hasher;
    struct throttle *auth; /* the three quotas, by their public names; NULL with RATE_LIMIT=off */
    struct throttle *calls;
    struct throttle *failures;
    struct uuid epoch; /* of the database */
    struct api_file {
        struct slice content;
        char *made; /* the same, where it was changed for PUBLIC_URL */
        char tag[API_TAG_LEN];
    } files[API_FILES];
};

/* documents.c. Readies the embedded files: puts PUBLIC_URL into those that name paths, and makes
 * their entity tags, a hash of their bytes. False without memory. */
bool documents_init(struct api *api) __attribute__((warn_unused_result));
void documents_finish(struct api *api);

#define API_LOOP_MAGIC 0x5d0be817u

/* What one event loop has. */
struct api_loop {
    unsigned magic;
    struct api *api;
    struct store_session *store;
    const struct keys *keys; /* in force for this loop */
    struct token_cache *tokens;
    struct list_cache *lists;
    struct subscribers *subscribers; /* NULL: no streams here */
    struct token_uses *token_uses;
    unsigned last_backup; /* of the metrics listener: the cell of a gauge that only a file has */
};

/* Why there is no caller. */
struct refusal {
    enum error error;      /* ERROR_NONE: there is one */
    const char *reason;    /* for logs and metrics */
    const char *detail;    /* NULL: the error's */
    const char *challenge; /* error_description of WWW-Authenticate; NULL: the default one */
};

#define CALLER_MAGIC 0xa83d56c1u

/* Who calls: x->caller, on a route that is not public. */
struct caller {
    unsigned magic;
    struct uuid user;
    struct uuid session;      /* all zero: a token of a script asks */
    struct uuid script_token; /* all zero: a session asks */
    unsigned scopes;          /* of such a token; 0: a session may do everything */
    int64_t expires_at;       /* when the token ends, in seconds of Unix time; 0: it does not */
    struct refusal refusal;   /* on a route of HTTP_ACCESS_EITHER: nobody is known */
};

/* ---- what a handler reaches from its exchange ---- */

struct api_loop *api_loop_of(const struct http_exchange *x);
struct api *api_of(const struct http_exchange *x);
const struct store_engine *api_engine(const struct http_exchange *x);
const struct keys *api_keys(const struct http_exchange *x);

/* Is the caller known by a token? */
bool api_admitted(const struct http_exchange *x);

/* Who that is. */
const struct caller *api_caller(const struct http_exchange *x);

/* What changes are made by: the session or the token of a script. */
struct uuid api_actor(const struct http_exchange *x);

/* What the tags of the caller's space begin with. */
struct tag_space api_tag_space(const struct http_exchange *x);

/* What stands for `{id}` in the path; the router let nothing but a UUID through. */
struct uuid api_path_id(const struct http_exchange *x);

/* What stands for `{name}` in the path, with its slashes; in the request's arena. ptr NULL without
 * memory. */
struct slice api_path_name(const struct http_exchange *x);

/* The common part of an operation of the store. `caller` is what `done` finds in op->caller. */
struct store_op api_op(struct http_exchange *x, void (*done)(struct store_op *op), void *caller);

#endif

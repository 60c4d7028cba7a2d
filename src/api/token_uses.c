// SPDX-License-Identifier: MIT
#include "api/token_uses.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "api/context.h"
#include "base/clock.h"
#include "base/owner.h"

#define USES_MOST       32
#define USE_ARENA_MOST  16384 /* what an engine needs for one write */
#define TOKEN_USE_MAGIC 0x77a2c5e1u

struct token_use {
    unsigned magic;
    struct store_script_token_use op;
    struct arena *arena; /* made at the first use, and kept */
    bool busy;
    char ip[INET6_ADDRSTRLEN];
};

struct token_uses {
    struct token_use list[USES_MOST];
};

struct token_uses *token_uses_create(void)
{
    return calloc(1, sizeof(struct token_uses));
}

void token_uses_destroy(struct token_uses **uses)
{
    assert(uses);
    for (size_t i = 0; *uses && i < USES_MOST; i++) {
        arena_destroy(&(*uses)->list[i].arena);
    }
    free(*uses);
    *uses = NULL;
}

/* That it failed, the next use finds out: it is noted anew then. */
static void noted(struct store_op *op)
{
    struct token_use *use = OWNER_OF(op, struct token_use, op.op, TOKEN_USE_MAGIC);
    assert(use->busy);
    use->busy = false;
    arena_reset(use->arena);
}

static struct token_use *find_room(struct token_uses *uses)
{
    for (size_t i = 0; i < USES_MOST; i++) {
        struct token_use *use = &uses->list[i];
        if (!use->busy) {
            use->arena = use->arena ? use->arena : arena_create(USE_ARENA_MOST);
            return use->arena ? use : NULL;
        }
    }
    return NULL;
}

void token_uses_note(struct http_exchange *x, struct bearer *bearer)
{
    const struct slice client = x->request.client;
    const int64_t now = clock_steady_ms();
    assert(bearer->scopes != 0 && client.len > 0 && client.len <= INET6_ADDRSTRLEN);
    if (now - bearer->used_at < SCRIPT_TOKEN_USED_MS / 2) {
        return;
    }
    struct token_use *use = find_room(api_loop_of(x)->token_uses);
    if (!use) {
        return;
    }
    bearer->used_at = now;
    OWNER_SET(use, TOKEN_USE_MAGIC);
    use->busy = true;
    memcpy(use->ip, client.ptr, client.len);
    use->op = (struct store_script_token_use){
        .op = api_op(x, noted, NULL),
        .user = bearer->user,
        .id = bearer->script_token,
        .ip = {use->ip, client.len},
        .now = now,
    };
    use->op.op.arena = use->arena;
    api_engine(x)->script_token_use(&use->op);
}

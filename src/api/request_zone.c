// SPDX-License-Identifier: MIT
#include "api/request_zone.h"

#include <assert.h>

#include "api/context.h"
#include "api/respond.h"
#include "base/owner.h"

#define ZONE_CALL_MAGIC 0x60d1b3e9u

bool request_zone_named(const struct http_exchange *x, struct slice name,
                        struct http_problem_errors *errors, struct zone **zone)
{
    struct zones *zones = api_of(x)->options.zones;
    assert(name.ptr && errors && zone);
    *zone = NULL;
    const enum zone_status status = zones_find(zones, name, zone);
    if (status == ZONE_UNKNOWN) {
        http_problem_errors_add(errors,
                                (struct http_problem_error){.parameter = SLICE(REQUEST_ZONE),
                                                            .code = REQUEST_ZONE,
                                                            .detail = zones_wrong(zones)});
    }
    return status != ZONE_FAILED;
}

/* In the request's arena. */
struct zone_call {
    struct store_user_get get;
    unsigned magic;
    struct http_exchange *x;
    void (*next)(struct http_exchange *x, void *context, struct zone *zone);
    void *context;
};

static void got(struct store_op *op)
{
    const struct zone_call *call = OWNER_OF(op, struct zone_call, get.op, ZONE_CALL_MAGIC);
    const struct slice none = {0};
    if (op->result != ERROR_NONE) {
        respond_user_error(call->x, op->result);
        return;
    }
    call->next(call->x, call->context,
               zone_of(api_of(call->x)->options.zones, none, call->get.user.time_zone));
}

void request_zone_of_caller(struct http_exchange *x,
                            void (*next)(struct http_exchange *x, void *context, struct zone *zone),
                            void *context)
{
    struct zone_call *call = arena_new(x->arena, struct zone_call);
    assert(next);
    if (!call) {
        respond_no_memory(x);
        return;
    }
    OWNER_SET(call, ZONE_CALL_MAGIC);
    call->x = x;
    call->next = next;
    call->context = context;
    call->get.op = api_op(x, got, NULL);
    call->get.id = api_caller(x)->user;
    api_engine(x)->user_get(&call->get);
}

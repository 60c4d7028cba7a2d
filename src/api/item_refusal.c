// SPDX-License-Identifier: MIT
#include "api/item_refusal.h"

#include <assert.h>
#include <stdio.h>

#include "api/context.h"
#include "api/precondition.h"
#include "model/task_list.h"

/* The space is full. */
static void say_full(const struct http_exchange *x, struct item_refusal *refusal)
{
    const struct settings *settings = api_of(x)->options.settings;
    char kept[RESPOND_SECONDS_MOST];
    (void)snprintf(
        refusal->room, sizeof refusal->room,
        "Your account would hold more than this server allows: %lld tasks, and %lld bytes "
        "of tasks, of their changes and of answers that are kept for Idempotency-Keys. Nothing "
        "was changed. Reading and deleting still work. Delete tasks that you no longer need, or "
        "ask the operator for a higher limit. In bytes, what was deleted counts for %s.",
        (long long)settings->user_tasks_most, (long long)settings->user_bytes_most,
        respond_seconds(settings->keep_seconds, kept));
    refusal->detail = refusal->room;
}

static void say_too_many(const struct store_item_write *write, struct item_refusal *refusal)
{
    const struct resource *resource = write->resource;
    if (write->verb == STORE_DELETE) {
        refusal->detail =
            "At most 10,000 tasks change in one call, and the list holds more. Nothing "
            "was changed. Delete or move some of them first: GET /v1/tasks?list=ID shows "
            "them.";
        return;
    }
    (void)snprintf(refusal->room, sizeof refusal->room,
                   "Your account has %lld %s, and cannot have more. Nothing was changed. Delete "
                   "one that you no longer need.",
                   (long long)resource->most, resource->collection.ptr);
    refusal->detail = refusal->room;
}

void item_refusal_not_found(const struct resource *resource, struct item_refusal *refusal)
{
    *refusal = (struct item_refusal){.error = ERROR_NOT_FOUND};
    (void)snprintf(refusal->room, sizeof refusal->room,
                   "There is no %s with this id in your account: it was deleted, never made, or "
                   "belongs to another account. GET /v1/%s lists yours.",
                   resource->name.ptr, resource->collection.ptr);
    refusal->detail = refusal->room;
}

void item_refusal_errors(const struct field_errors *errors, struct http_problem_errors *list)
{
    assert(errors && list);
    list->overflow |= errors->overflow;
    for (unsigned i = 0; i < errors->count; i++) {
        const struct field_error *error = &errors->list[i];
        http_problem_errors_add(list, (struct http_problem_error){.pointer = error->pointer,
                                                                  .code = error->code,
                                                                  .detail = error->detail});
    }
}

static const char not_in_trash[] =
    "There is no task with this id in your trash: it was not deleted, has come back, or has gone "
    "for good. GET /v1/trash lists those that are there.";

/* The members `revision` and `task` say what is there; the task is null when it is in the trash. */
static enum error refuse_to_undo(const struct store_item_write *write, struct item_refusal *refusal)
{
    struct buffer task;
    struct json_writer w;
    struct slice json = SLICE("null");
    buffer_init(&task, resource_json_most(write->resource));
    json_writer_init(&w, &task);
    if (write->item) {
        resource_encode(write->resource, write->item, RESOURCE_ALL, &w);
        json = task.failed ? (struct slice){0} : arena_copy(write->op.arena, buffer_slice(&task));
    }
    buffer_finish(&task);
    refusal->more.member = SLICE("revision");
    refusal->more.number = write->revision;
    refusal->more.json_member = SLICE("task");
    refusal->more.json = json;
    if (!json.ptr) {
        refusal->more = (struct http_problem_errors){0};
        return ERROR_OVERLOADED;
    }
    return ERROR_CHANGED_SINCE;
}

static enum error refuse_outcome(const struct http_exchange *x,
                                 const struct store_item_write *write, enum tag_kind kind,
                                 struct item_refusal *refusal)
{
    switch (write->outcome) {
    case STORE_CREATED:
    case STORE_UPDATED: item_refusal_not_found(write->resource, refusal); break;
    case STORE_NOT_FOUND:
        if (write->verb == STORE_RESTORE || write->verb == STORE_PURGE) {
            *refusal = (struct item_refusal){.error = ERROR_NOT_FOUND, .detail = not_in_trash};
        } else {
            item_refusal_not_found(write->resource, refusal);
        }
        break;
    case STORE_NOT_EMPTY: /* the member says how many are in the list */
        refusal->more.member = SLICE("tasks");
        refusal->more.number = write->task_count;
        return ERROR_NOT_EMPTY;
    case STORE_PRECONDITION_FAILED:
        refusal->detail = precondition_detail(x, write->verdict, kind, write->revision);
        return ERROR_PRECONDITION_FAILED;
    case STORE_KEY_REUSED: return ERROR_IDEMPOTENCY_KEY_REUSED;
    case STORE_KEY_IN_USE: return ERROR_IDEMPOTENCY_KEY_IN_USE;
    case STORE_INVALID:
        item_refusal_errors(write->errors, &refusal->more);
        return ERROR_VALIDATION_FAILED;
    case STORE_CHANGED_SINCE: return refuse_to_undo(write, refusal);
    default: return ERROR_INTERNAL_ERROR;
    }
    return refusal->error;
}

bool item_is_refused(const struct store_item_write *write)
{
    const enum store_outcome outcome = write->outcome;
    const bool wrote = outcome == STORE_CREATED || outcome == STORE_UPDATED;
    /* An answer is kept until its task leaves the trash for good. */
    const bool lost = wrote && write->replayed && !write->body.ptr;
    return write->op.result != ERROR_NONE || lost || !(wrote || outcome == STORE_DELETED);
}

void item_refusal_of(const struct http_exchange *x, const struct store_item_write *write,
                     enum tag_kind kind, struct item_refusal *refusal)
{
    assert(x && refusal && item_is_refused(write));
    *refusal = (struct item_refusal){.error = write->op.result};
    if (refusal->error == ERROR_NONE) {
        refusal->error = refuse_outcome(x, write, kind, refusal);
    } else if (refusal->error == ERROR_QUOTA_EXCEEDED) {
        say_full(x, refusal);
    } else if (refusal->error == ERROR_TOO_MANY) {
        say_too_many(write, refusal);
    }
    assert(refusal->error != ERROR_NONE);
}

void item_refusal_send(struct http_exchange *x, const struct store_item_write *write,
                       enum tag_kind kind, const struct item_refusal *refusal)
{
    if (write->op.result == ERROR_NOT_FOUND) {
        respond_user_error(x, ERROR_NOT_FOUND); /* what is not there is the account's space */
        return;
    }
    if (refusal->error == ERROR_PRECONDITION_FAILED) {
        precondition_refuse(x, write->verdict, kind, write->revision);
        return;
    }
    http_respond_problem(x, refusal->error, refusal->detail, &refusal->more);
}

void item_refusal_send_whole(struct http_exchange *x, enum error result)
{
    struct item_refusal refusal = {.error = result};
    if (result == ERROR_NOT_FOUND) {
        respond_user_error(x, result);
        return;
    }
    if (result == ERROR_QUOTA_EXCEEDED) {
        say_full(x, &refusal);
    }
    respond_error(x, result, refusal.detail);
}

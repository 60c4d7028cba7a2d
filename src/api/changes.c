// SPDX-License-Identifier: MIT
#include <sodium.h>

#include "api/context.h"
#include "api/feed.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/precondition.h"
#include "base/owner.h"
#include "http/query.h"

/* GET /v1/changes: one page of what changed, written change by change into the answer while the
 * store reads it. */

#define CHANGES_MAGIC 0x6e13b8f5u
#define LIMIT         100

/* A page ends before it could grow larger than this, its last members included. */
#define PAGE_MOST    ((size_t)256 * 1024)
#define CHANGES_MOST (PAGE_MOST - FEED_CURSOR_MOST - 256)

struct changes {
    struct store_changes op;
    unsigned magic;
    struct http_exchange *x;
    struct http_conditions conditions;
    enum feed_cursor cursor;
    struct json_writer json;
    char tag_text[TAG_MOST];
    struct slice tag;
};

/* Of the place where the answer begins, its limit, and the revision it was made at. */
static void make_tag(struct changes *changes)
{
    const struct uuid epoch = api_of(changes->x)->epoch;
    const struct store_changes_place *after = &changes->op.after;
    struct {
        uint8_t place[64];
        int64_t revision;
        int64_t limit;
    } content = {.revision = changes->op.revision, .limit = changes->op.limit};
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t version = 0;
    static_assert(FEED_PACKED_MOST <= sizeof content.place, "there is room");
    static_assert(crypto_shorthash_KEYBYTES == sizeof epoch.bytes, "an epoch is a key");
    if (after->from != STORE_CHANGES_FROM_START) {
        (void)feed_cursor_pack(epoch, after, content.place);
    }
    crypto_shorthash(hash, (const unsigned char *)&content, sizeof content, epoch.bytes);
    memcpy(&version, hash, sizeof version);
    changes->tag = tag_make(api_tag_space(changes->x), TAG_CONTENT, (int64_t)(version >> 1),
                            changes->tag_text);
}

static bool begin(struct store_changes *op)
{
    struct changes *changes = OWNER_OF(op, struct changes, op, CHANGES_MAGIC);
    make_tag(changes);
    buffer_clear(changes->x->response.body); /* it may begin anew */
    if (http_conditions_judge(&changes->conditions, changes->tag) != HTTP_CONDITIONS_GO) {
        return false;
    }
    changes->json = respond_json_begin(changes->x);
    jw_open_object(&changes->json);
    jw_name(&changes->json, SLICE("changes"));
    jw_open_array(&changes->json);
    return true;
}

static bool each(struct store_changes *op, const struct store_change *change)
{
    struct changes *changes = OWNER_OF(op, struct changes, op, CHANGES_MAGIC);
    struct buffer *body = changes->x->response.body;
    const size_t before = body->len;
    assert(feed_change_most(change->resource) <= CHANGES_MOST);
    feed_write_change(&changes->json, change);
    if (body->len > CHANGES_MOST && op->count > 0) {
        body->len = before;
        return false;
    }
    return true;
}

static void refuse_gone(struct http_exchange *x)
{
    struct buffer detail;
    buffer_init(&detail, 512);
    feed_add_gone(&detail, api_of(x)->options.settings->keep_seconds);
    buffer_add_char(&detail, '\0');
    respond_error(x, ERROR_CURSOR_GONE, detail.failed ? NULL : detail.data);
    buffer_finish(&detail);
}

/* The members after the changes. False without memory. */
static bool finish(struct changes *changes)
{
    struct http_exchange *x = changes->x;
    const struct store_changes_place *next = &changes->op.next;
    const struct tag_space tag = api_tag_space(x);
    struct json_writer *w = &changes->json;
    struct buffer cursor;
    buffer_init(&cursor, FEED_CURSOR_MOST);
    feed_cursor_make(api_keys(x), api_of(x)->epoch, changes->op.space, next, &cursor);
    const bool made = !cursor.failed;
    jw_close_array(w);
    respond_member(w, SLICE("next_cursor"), buffer_slice(&cursor));
    jw_name(w, SLICE("more"));
    jw_bool(w, changes->op.more);
    jw_name(w, SLICE("revision"));
    jw_i64(w, next->revision);
    respond_member(w, SLICE("tag"), (struct slice){tag.text, TAG_SPACE_LEN});
    jw_close_object(w);
    buffer_finish(&cursor);
    return made;
}

static void listed(struct store_op *op)
{
    struct changes *changes = OWNER_OF(op, struct changes, op.op, CHANGES_MAGIC);
    struct http_exchange *x = changes->x;
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    if (changes->op.gone) {
        refuse_gone(x);
        return;
    }
    if (!precondition_holds(x, &changes->conditions, changes->tag, ITEMS_CACHE)) {
        return;
    }
    if (!finish(changes)) {
        respond_no_memory(x);
        return;
    }
    items_answer_fields(x, changes->tag);
    respond_json(x, 200);
}

static void read_limit(const struct http_query *query, unsigned *limit,
                       struct http_problem_errors *errors)
{
    const struct slice value = http_query_get(query, SLICE("limit"));
    uint64_t number = LIMIT;
    if (value.ptr && !slice_to_u64(value, UINT64_MAX, &number)) {
        http_problem_errors_add(
            errors, (struct http_problem_error){.parameter = SLICE("limit"),
                                                .code = "invalid",
                                                .detail = "Must be a number from 1 to 500."});
    } else if (number < 1 || number > STORE_CHANGES_MOST) {
        http_problem_errors_add(errors,
                                (struct http_problem_error){.parameter = SLICE("limit"),
                                                            .code = "out_of_range",
                                                            .detail = "Must be from 1 to 500."});
    }
    *limit = (unsigned)number;
}

/* Query and header values: 400 with all that is wrong. NULL: it was answered. */
static struct changes *read_request(struct http_exchange *x)
{
    static const char *const names[] = {"cursor", "limit", NULL};
    struct changes *changes = arena_new(x->arena, struct changes);
    struct http_problem_errors errors = {0};
    struct http_query query;
    if (!changes ||
        (!http_query_parse(&x->request, names, x->arena, &query, &errors) && errors.count == 0)) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(changes, CHANGES_MAGIC);
    changes->x = x;
    changes->op.op = api_op(x, listed, NULL);
    changes->op.space = api_caller(x)->user;
    changes->op.begin = begin;
    changes->op.each = each;
    read_limit(&query, &changes->op.limit, &errors);
    const struct slice cursor = http_query_get(&query, SLICE("cursor"));
    if (cursor.ptr) {
        changes->cursor = feed_cursor_read(api_keys(x), api_of(x)->epoch, changes->op.space, cursor,
                                           &changes->op.after);
    }
    if (changes->cursor == FEED_CURSOR_BAD) {
        http_problem_errors_add(&errors, (struct http_problem_error){.parameter = SLICE("cursor"),
                                                                     .code = "invalid",
                                                                     .detail = FEED_CURSOR_DETAIL});
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return NULL;
    }
    if (!precondition_parse(x, &changes->conditions)) {
        return NULL;
    }
    changes->op.doubtful =
        changes->conditions.match.present || changes->conditions.none_match.present;
    return changes;
}

bool changes_list_values(struct http_exchange *x)
{
    return read_request(x) != NULL;
}

void changes_list(struct http_exchange *x)
{
    struct changes *changes = read_request(x);
    if (!changes) {
        return;
    }
    if (changes->cursor == FEED_CURSOR_GONE) {
        refuse_gone(x);
        return;
    }
    api_engine(x)->changes(&changes->op);
}

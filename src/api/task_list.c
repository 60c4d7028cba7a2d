// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "api/context.h"
#include "api/encode.h"
#include "api/handlers.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "api/task_answer.h"
#include "api/task_query.h"

/* GET /v1/tasks: one page, written row by row into the answer while the store reads it; or copied
 * from what this loop answered before at the same revision of the user. */

#define CURSOR_MOST 8192 /* bytes: a title of 1,024 code points of 4 bytes, in base64 */

/* A page ends before it could grow larger than this, its last members included. */
#define PAGE_MOST ((size_t)256 * 1024)
#define ROWS_MOST (PAGE_MOST - CURSOR_MOST - 64)

struct page {
    struct store_task_list op; /* first: its address is the page's */
    struct http_exchange *x;
    struct http_query query;
    struct slice key; /* of the list cache */
    struct http_conditions conditions;
    enum http_conditions_verdict verdict;
    struct json_writer json;
    struct cursor next; /* after the last row, once the page is full */
    unsigned rows;
    size_t fields_begin; /* where the page's own field lines begin in the head */
    char tag_text[TAG_MOST];
    struct slice tag;
    bool with_total;
    bool cached; /* the answer is complete: it was copied */
    bool no_memory;
};

static struct list_cache_key key_of(const struct page *page)
{
    return (struct list_cache_key){
        .user = page->op.user,
        .query = page->key,
        .revision = page->op.revision,
    };
}

/* Answers from the cache when it can. */
static bool copy_cached(struct page *page)
{
    const struct list_cache_key key = key_of(page);
    struct list_cache_page cached;
    if (!list_cache_find(api_loop_of(page->x)->lists, &key, &cached)) {
        return false;
    }
    buffer_add(page->x->response.head, cached.fields);
    buffer_add(page->x->response.body, cached.body);
    return true;
}

/* Keeps an answer that is complete but for what every answer has. */
static void keep(const struct page *page)
{
    const struct http_response *response = &page->x->response;
    const struct list_cache_key key = key_of(page);
    if (response->head->failed || response->body->failed) {
        return;
    }
    const struct list_cache_page answer = {
        .fields = {response->head->data + page->fields_begin,
                   response->head->len - page->fields_begin},
        .body = buffer_slice(response->body),
    };
    list_cache_put(api_loop_of(page->x)->lists, &key, &answer);
}

static void make_tag(struct page *page)
{
    page->tag = tag_make(api_tag_space(page->x), TAG_LIST, page->op.revision, page->tag_text);
}

static bool begin(struct store_task_list *op)
{
    struct page *page = (struct page *)op;
    /* A kept answer has its tag among its fields. */
    if (page->conditions.match.present || page->conditions.none_match.present) {
        make_tag(page);
        page->verdict = http_conditions_judge(&page->conditions, page->tag);
        if (page->verdict != HTTP_CONDITIONS_GO) {
            return false;
        }
    }
    page->cached = copy_cached(page);
    if (page->cached) {
        return false;
    }
    buffer_clear(page->x->response.body); /* it may begin anew, at a later revision */
    page->fields_begin = page->x->response.head->len;
    page->json = respond_json_begin(page->x);
    jw_open_object(&page->json);
    jw_name(&page->json, SLICE("items"));
    jw_open_array(&page->json);
    return true;
}

static int64_t sort_number(const struct task *row, enum store_sort sort)
{
    switch (sort) {
    case STORE_SORT_CREATED_AT: return row->created_at;
    case STORE_SORT_UPDATED_AT: return row->updated_at;
    case STORE_SORT_STATUS: return row->status;
    default: return 0;
    }
}

/* The row lives only until the next one, so what a cursor needs of it is kept. */
static void keep_position(struct page *page, const struct task *row)
{
    page->next = (struct cursor){
        .sort = page->op.sort,
        .descending = page->op.descending,
        .statuses = page->op.statuses,
        .position = {.id = row->id, .number = sort_number(row, page->op.sort)},
    };
    if (page->op.sort == STORE_SORT_TITLE) {
        page->next.position.text = arena_copy(page->x->arena, row->title);
        page->no_memory = page->next.position.text.ptr == NULL;
    }
}

static bool each(struct store_task_list *op, const struct task *row)
{
    struct page *page = (struct page *)op;
    encode_task(&page->json, row);
    const bool full = page->x->response.body->len + ENCODE_TASK_MOST > ROWS_MOST;
    if (++page->rows == op->limit || full) {
        keep_position(page, row);
    }
    return !full;
}

static void add_link(struct page *page, struct slice cursor)
{
    struct buffer link;
    buffer_init(&link, 2 * CURSOR_MOST);
    buffer_add_char(&link, '<');
    buffer_add(&link, http_path_prefix(page->x));
    buffer_add_text(&link, "/v1/tasks?");
    task_query_add_next(&page->query, cursor, &link);
    buffer_add_text(&link, ">; rel=\"next\"");
    page->no_memory |= link.failed;
    if (!link.failed) {
        http_respond_field(page->x, "Link", buffer_slice(&link));
    }
    buffer_finish(&link);
}

static struct uuid space_of(const struct page *page)
{
    return cursor_space(api_of(page->x)->epoch, page->op.user);
}

static void add_next(struct page *page)
{
    jw_name(&page->json, SLICE("next_cursor"));
    if (!page->op.more) {
        jw_null(&page->json);
        return;
    }
    struct buffer cursor;
    buffer_init(&cursor, CURSOR_MOST);
    cursor_make(api_keys(page->x), space_of(page), &page->next, &cursor);
    page->no_memory |= cursor.failed;
    if (!cursor.failed) {
        jw_text(&page->json, buffer_slice(&cursor));
        add_link(page, buffer_slice(&cursor));
    }
    buffer_finish(&cursor);
}

static void finish(struct page *page)
{
    jw_close_array(&page->json);
    add_next(page);
    if (page->with_total) {
        jw_name(&page->json, SLICE("total"));
        jw_i64(&page->json, page->op.total);
    }
    jw_close_object(&page->json);
}

static void listed(struct store_op *op)
{
    struct page *page = (struct page *)op;
    struct http_exchange *x = page->x;
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    if (page->verdict != HTTP_CONDITIONS_GO) {
        precondition_answer(x, page->verdict, page->tag, TASK_ANSWER_CACHE);
        return;
    }
    if (!page->cached) {
        finish(page);
    }
    if (page->no_memory) {
        respond_no_memory(x);
        return;
    }
    if (!page->cached) {
        make_tag(page);
        task_answer_fields(x, page->tag);
        keep(page);
    }
    respond_json(x, 200);
}

/* Query and header values: 400 with all that is wrong. */
static bool read_request(struct page *page)
{
    struct http_exchange *x = page->x;
    struct http_problem_errors errors = {0};
    bool good = http_query_parse(&x->request, task_query_names, x->arena, &page->query, &errors);
    good &= task_query_read(api_keys(x), space_of(page), &page->query, x->arena, &page->op,
                            &page->with_total, &errors);
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return false;
    }
    page->key = good ? task_query_key(&page->query, &page->op, x->arena) : page->key;
    if (!page->key.ptr) {
        respond_no_memory(x);
        return false;
    }
    return precondition_parse(x, &page->conditions);
}

bool tasks_list_values(struct http_exchange *x)
{
    struct page *page = arena_new(x->arena, struct page);
    if (!page) {
        respond_no_memory(x);
        return false;
    }
    page->x = x;
    page->op.user = api_caller(x)->user;
    return read_request(page);
}

void tasks_list(struct http_exchange *x)
{
    struct page *page = arena_new(x->arena, struct page);
    if (!page) {
        respond_no_memory(x);
        return;
    }
    page->x = x;
    page->op.op = api_op(x, listed, page);
    page->op.user = api_caller(x)->user;
    page->op.begin = begin;
    page->op.each = each;
    if (read_request(page)) {
        api_engine(x)->task_list(&page->op);
    }
}

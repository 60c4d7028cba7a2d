// SPDX-License-Identifier: MIT
#include "api/revision_page.h"

#include <assert.h>

#include "api/context.h"
#include "api/cursor.h"
#include "api/item_query.h"
#include "api/items.h"
#include "api/respond.h"
#include "http/query.h"

#define CURSOR_MOST 128 /* bytes */
#define LINK_MOST   1024

static struct uuid cursors_of(const struct http_exchange *x)
{
    return cursor_space(api_of(x)->epoch, api_caller(x)->user);
}

bool revision_page_read(struct http_exchange *x, struct uuid thing, const char *wrong_cursor,
                        struct revision_page *page)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct http_problem_errors errors = {0};
    struct http_query query;
    assert(page && wrong_cursor);
    *page = (struct revision_page){.thing = thing, .before = INT64_MAX};
    if (!http_query_parse(&x->request, names, x->arena, &query, &errors) && errors.count == 0) {
        respond_no_memory(x);
        return false;
    }
    item_query_read_limit(&query, &page->limit, &errors);
    const struct slice cursor = http_query_get(&query, SLICE("cursor"));
    if (cursor.ptr && errors.count == 0 &&
        !cursor_read_history(api_keys(x), cursors_of(x), cursor, thing, x->arena, &page->before)) {
        http_problem_errors_add(&errors, (struct http_problem_error){.parameter = SLICE("cursor"),
                                                                     .code = "invalid",
                                                                     .detail = wrong_cursor});
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return false;
    }
    return precondition_parse(x, &page->conditions);
}

struct slice revision_page_cursor(struct http_exchange *x, const struct revision_page *page,
                                  int64_t last)
{
    struct buffer text;
    assert(last > 0 && last < page->before);
    buffer_init(&text, CURSOR_MOST);
    cursor_make_history(api_keys(x), cursors_of(x), page->thing, last, &text);
    const struct slice cursor =
        text.failed ? (struct slice){0} : arena_copy(x->arena, buffer_slice(&text));
    buffer_finish(&text);
    return cursor;
}

/* False without memory. */
static bool add_link(struct http_exchange *x, const struct revision_page *page, struct slice path,
                     struct slice cursor)
{
    struct buffer link;
    buffer_init(&link, LINK_MOST);
    buffer_add_char(&link, '<');
    buffer_add(&link, http_path_prefix(x));
    buffer_add(&link, path);
    buffer_add_format(&link, "?limit=%u&cursor=", page->limit);
    buffer_add(&link, cursor);
    buffer_add_text(&link, ">; rel=\"next\"");
    const bool made = !link.failed;
    if (made) {
        http_respond_field(x, "Link", buffer_slice(&link));
    }
    buffer_finish(&link);
    return made;
}

void revision_page_answer(struct http_exchange *x, const struct revision_page *page,
                          struct slice path, struct slice cursor)
{
    char text[TAG_MOST];
    if (x->response.body->failed) {
        respond_no_memory(x);
        return;
    }
    const int64_t version = tag_content(buffer_slice(x->response.body));
    const struct slice tag = tag_make(api_tag_space(x), TAG_CONTENT, version, text);
    if (http_conditions_judge(&page->conditions, tag) != HTTP_CONDITIONS_GO) {
        buffer_clear(x->response.body);
    } else if (cursor.ptr && !add_link(x, page, path, cursor)) {
        respond_no_memory(x);
        return;
    }
    if (precondition_holds(x, &page->conditions, tag, ITEMS_CACHE)) {
        items_answer_fields(x, tag);
        respond_json(x, 200);
    }
}

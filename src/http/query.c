// SPDX-License-Identifier: MIT
#include "http/query.h"

#include <assert.h>
#include <ctype.h>

/* How much of a client's text is repeated in a detail. */
#define SHOWN_MOST 64

/* What one parse works with. */
struct parse {
    const char *const *allowed;
    struct arena *arena;
    size_t length; /* of the whole query */
    struct http_query *query;
    struct http_problem_errors *errors;
    bool good;
};

/* Decodes into the arena; `breaks`: see HTTP_QUERY_BREAK. `*good` tells whether the text was well
 * encoded; else it is what was sent, with anything but visible ASCII as `?`. `ptr` is NULL without
 * memory. */
static struct slice decode(struct arena *arena, struct slice raw, bool breaks, bool *good)
{
    char *out = arena_alloc(arena, raw.len + 1);
    size_t len = 0;
    bool valid = out != NULL;

    for (size_t i = 0; valid && i < raw.len; i++) {
        char c = raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
        if (c == ',' && breaks) {
            out[len++] = HTTP_QUERY_BREAK;
            continue;
        }
        if (c == '%') {
            const int high = i + 2 < raw.len ? ascii_hex(raw.ptr[i + 1]) : -1;
            const int low = i + 2 < raw.len ? ascii_hex(raw.ptr[i + 2]) : -1;
            c = high < 0 || low < 0 ? '\0' : (char)(high * 16 + low);
            i += 2;
        }
        valid = c != '\0';
        out[len++] = c;
    }
    *good = valid && utf8_valid((struct slice){out, len});
    if (!out || *good) {
        return (struct slice){out, len};
    }
    for (size_t i = 0; i < raw.len; i++) {
        out[i] = raw.ptr[i] > ' ' && raw.ptr[i] < 0x7f ? raw.ptr[i] : '?';
    }
    return (struct slice){out, raw.len};
}

/* Adds an error, once for each name and code. The detail reads `before` NAME `after`. */
static void add_error(struct parse *parse, struct slice name, const char *code, const char *before,
                      const char *after)
{
    const struct slice shown = utf8_cut(name, SHOWN_MOST);
    const size_t before_len = strlen(before);
    const size_t after_len = strlen(after);
    char *detail = NULL;

    parse->good = false;
    for (unsigned i = 0; i < parse->errors->count; i++) {
        const struct http_problem_error *added = &parse->errors->list[i];
        if (added->parameter.ptr && slice_eq(added->parameter, name) &&
            strcmp(added->code, code) == 0) {
            return;
        }
    }
    detail = arena_alloc(parse->arena, before_len + shown.len + after_len + 1);
    if (!detail) {
        return;
    }
    memcpy(detail, before, before_len);
    if (shown.len > 0) {
        memcpy(detail + before_len, shown.ptr, shown.len);
    }
    memcpy(detail + before_len + shown.len, after, after_len);
    http_problem_errors_add(parse->errors, (struct http_problem_error){
                                               .parameter = name, .code = code, .detail = detail});
}

/* Names those that there are: what was meant is often among them. */
static void add_unknown(struct parse *parse, struct slice name)
{
    const char *const *const names = parse->allowed;
    struct buffer rest;
    buffer_init(&rest, 512);
    buffer_add_text(&rest, names ? "`. It has" : "` and takes none: leave it out.");
    for (const char *const *at = names; at && *at; at++) {
        buffer_add_text(&rest, at == names ? " " : ", ");
        buffer_add(&rest, http_query_name(*at));
    }
    buffer_add_text(&rest, names ? "." : "");
    buffer_add_char(&rest, '\0');
    add_error(parse, name, "unknown", "This call has no query parameter `",
              rest.failed ? "`." : rest.data);
    buffer_finish(&rest);
}

struct slice http_query_name(const char *allowed)
{
    assert(!allowed || *allowed);
    struct slice name = slice_of(allowed);
    if (slice_ends(name, SLICE("[]"))) {
        name.len -= 2;
    } else if (http_query_breaks(allowed)) {
        name.len -= 3;
    }
    return name;
}

bool http_query_breaks(const char *allowed)
{
    return slice_ends(slice_of(allowed), SLICE("[,]"));
}

/* The allowed name that `name` stands for, or NULL. */
static const char *find_allowed(const struct parse *parse, struct slice name)
{
    for (const char *const *at = parse->allowed; at && *at; at++) {
        const struct slice plain = http_query_name(*at);
        const bool list = plain.ptr[plain.len] != '\0';
        if (slice_eq(name, plain) || (list && slice_starts(name, plain) &&
                                      slice_eq(slice_from(name, plain.len), SLICE("[]")))) {
            return *at;
        }
    }
    return NULL;
}

/* The place of a parameter that was kept; query->count when there is none. */
static unsigned find_taken(const struct http_query *query, struct slice name)
{
    unsigned at = 0;
    while (at < query->count && !slice_eq(query->list[at].name, name)) {
        at++;
    }
    return at;
}

/* Appends a value to what stands there, after `,` or HTTP_QUERY_BREAK. All values together are
 * shorter than the query, so room for that is enough. */
static bool append(struct parse *parse, unsigned at, char between, struct slice value)
{
    struct slice *list = &parse->query->list[at].value;
    char *room = (char *)(uintptr_t)list->ptr;
    if (list->len == 0) {
        *list = value; /* in place of one that was complained of */
        return true;
    }
    if (!parse->query->list[at].joined) {
        room = arena_alloc(parse->arena, parse->length);
        if (!room) {
            return false;
        }
        memcpy(room, list->ptr, list->len);
        parse->query->list[at].joined = true;
    }
    room[list->len] = between;
    memcpy(room + list->len + 1, value.ptr, value.len);
    *list = (struct slice){room, list->len + 1 + value.len};
    return true;
}

/* Keeps a parameter, or says what is wrong with it. False without memory. */
static bool take(struct parse *parse, const char *allowed, struct slice sent, struct slice value,
                 bool well_encoded)
{
    struct http_query *query = parse->query;
    const struct slice name = http_query_name(allowed);
    const unsigned at = find_taken(query, name);

    if (!allowed) {
        add_unknown(parse, sent);
        return true;
    }
    if (at < query->count && allowed[name.len] == '\0') {
        add_error(parse, name, "repeated", "The query parameter `", "` may be given only once.");
        return true;
    }
    if (!well_encoded) {
        add_error(parse, name, "invalid", "The value of `",
                  "` is not percent-encoded UTF-8 without NUL.");
    } else if (value.len == 0) {
        add_error(parse, name, "empty", "The query parameter `",
                  "` has no value. Give one or leave it out.");
    }
    if (at < query->count) {
        const char between = http_query_breaks(allowed) ? HTTP_QUERY_BREAK : ',';
        return value.len == 0 || !well_encoded || append(parse, at, between, value);
    }
    if (query->count == HTTP_QUERY_PARAMETERS) {
        add_error(parse, name, "invalid", "With `", "` there are too many query parameters.");
        return true;
    }
    query->list[at].name = name;
    query->list[at].value = value;
    query->list[at].joined = false;
    query->count++;
    return true;
}

bool http_query_parse(const struct http_request *r, const char *const *allowed, struct arena *arena,
                      struct http_query *query, struct http_problem_errors *errors)
{
    struct parse parse = {.allowed = allowed,
                          .arena = arena,
                          .length = r->query.len,
                          .query = query,
                          .errors = errors,
                          .good = true};
    struct slice rest = r->query;

    assert(arena && errors);
    query->count = 0;
    while (rest.ptr) {
        struct slice pair = slice_next(&rest, '&');
        if (pair.len == 0) {
            continue; /* nothing between two `&` is no parameter */
        }
        const struct slice raw_name = slice_next(&pair, '=');
        bool name_good = false;
        bool value_good = false;
        const struct slice name = decode(arena, raw_name, false, &name_good);
        if (!name.ptr) {
            return false;
        }
        const char *one = find_allowed(&parse, name);
        const struct slice value = decode(arena, pair, one && http_query_breaks(one), &value_good);
        if (!value.ptr) {
            return false;
        }
        if (!name_good) {
            add_error(&parse, name, "invalid", "The parameter name `",
                      "` is not percent-encoded UTF-8 without NUL.");
        } else if (!take(&parse, one, name, value, value_good)) {
            return false;
        }
    }
    return parse.good;
}

void http_query_escape(struct slice value, bool breaks, struct buffer *out)
{
    assert(out);
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.ptr[i];
        if (breaks && c == HTTP_QUERY_BREAK) {
            buffer_add_char(out, ',');
        } else if (isalnum((unsigned char)c) || (c != '\0' && strchr("-._~", c)) ||
                   (c == ',' && !breaks)) {
            buffer_add_char(out, c);
        } else {
            buffer_add_format(out, "%%%02X", (unsigned char)c);
        }
    }
}

struct slice http_query_get(const struct http_query *query, struct slice name)
{
    const unsigned at = find_taken(query, name);

    assert(name.len > 0 && query->count <= HTTP_QUERY_PARAMETERS);
    /* An empty value was complained of: to the caller it is absent. */
    if (at < query->count && query->list[at].value.len > 0) {
        return query->list[at].value;
    }
    return (struct slice){0};
}

// SPDX-License-Identifier: MIT
#include "http/problem.h"

#include <assert.h>
#include <stdio.h>

#include "base/json_writer.h"
#include "http/router.h"

#define PROBLEM_TYPE "application/problem+json"

void http_problem_errors_add(struct http_problem_errors *errors, struct http_problem_error error)
{
    assert(!error.pointer.ptr || !error.parameter.ptr);
    if (errors->count == HTTP_PROBLEM_ERRORS) {
        errors->overflow = true;
        return;
    }
    errors->list[errors->count++] = error;
}

/* Whether the head has a field line of that name. */
static bool head_has(const struct buffer *head, struct slice name)
{
    struct slice rest = buffer_slice(head);

    while (rest.ptr) {
        struct slice line = slice_next(&rest, '\n');
        if (slice_eq_nocase(slice_next(&line, ':'), name)) {
            return true;
        }
    }
    return false;
}

/* The path as a URI reference: it was decoded, so what may not stand in one is encoded again. Empty
 * when there is no path (framing) or no memory. */
static struct slice encode_path(struct arena *arena, struct slice path)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = path.len > 0 ? arena_alloc(arena, path.len * 3) : NULL;
    size_t len = 0;

    for (size_t i = 0; out && i < path.len; i++) {
        const char c = path.ptr[i];
        const unsigned char byte = (unsigned char)(c == HTTP_PATH_SLASH       ? '/'
                                                   : c == HTTP_PATH_BACKSLASH ? '\\'
                                                                              : c);
        if (ascii_is_alnum(path.ptr[i]) || ascii_is_in(path.ptr[i], "-._~!$&'()*+,;=:@/")) {
            out[len++] = path.ptr[i];
        } else {
            out[len++] = '%';
            out[len++] = hex[byte >> 4];
            out[len++] = hex[byte & 15];
        }
    }
    return (struct slice){out, len};
}

static void write_member(struct json_writer *w, struct slice name, struct slice text)
{
    jw_name(w, name);
    jw_text(w, text);
}

/* What every problem has; the object stays open. */
static void begin_problem(struct json_writer *w, const struct error_row *row, struct slice type,
                          const char *detail, struct slice instance, struct slice request_id)
{
    jw_open_object(w);
    write_member(w, SLICE("type"), type);
    write_member(w, SLICE("title"), slice_of(row->title));
    jw_name(w, SLICE("status"));
    jw_i64(w, row->status);
    write_member(w, SLICE("detail"), slice_of(detail ? detail : row->detail));
    write_member(w, SLICE("instance"), instance);
    write_member(w, SLICE("code"), slice_of(row->code));
    write_member(w, SLICE("request_id"), request_id);
}

void http_problem_add(struct buffer *out, const struct http_problem *problem)
{
    const struct error_row *row = error_row(problem->error);
    char type[512];
    char instance[512];
    struct json_writer w;

    (void)snprintf(type, sizeof type, "%.*s/problems/%s", (int)problem->prefix.len,
                   problem->prefix.ptr, row->code);
    (void)snprintf(instance, sizeof instance, "%.*s%s", (int)problem->prefix.len,
                   problem->prefix.ptr, problem->path);
    json_writer_init(&w, out);
    begin_problem(&w, row, slice_of(type), problem->detail, slice_of(instance),
                  problem->request_id);
    jw_close_object(&w);
}

static void write_error(struct json_writer *w, const struct http_problem_error *error)
{
    jw_open_object(w);
    if (error->parameter.ptr) {
        write_member(w, SLICE("parameter"), error->parameter);
    } else {
        write_member(w, SLICE("pointer"), error->pointer);
    }
    write_member(w, SLICE("code"), slice_of(error->code));
    write_member(w, SLICE("detail"), slice_of(error->detail));
    if (error->status != 0) {
        jw_name(w, SLICE("status"));
        jw_i64(w, error->status);
    }
    if (error->id.ptr) {
        write_member(w, SLICE("id"), error->id);
    }
    jw_close_object(w);
}

void http_write_problem(const struct http_exchange *x, struct json_writer *w, struct slice instance,
                        enum error error, const char *detail,
                        const struct http_problem_errors *errors)
{
    const struct error_row *row = error_row(error);
    char type[64];

    (void)snprintf(type, sizeof type, "/problems/%s", row->code);
    begin_problem(w, row, http_reference(x, slice_of(type)), detail, http_reference(x, instance),
                  x->request.id);
    if (errors && errors->member.ptr) {
        jw_name(w, errors->member);
        jw_i64(w, errors->number);
    }
    if (errors && errors->json_member.ptr) {
        jw_name(w, errors->json_member);
        jw_raw(w, errors->json);
    }
    if (errors && errors->count > 0) {
        jw_name(w, SLICE("errors"));
        jw_open_array(w);
        for (unsigned i = 0; i < errors->count; i++) {
            write_error(w, &errors->list[i]);
        }
        jw_close_array(w);
    }
    jw_close_object(w);
}

/* A request that could not be read has no path. */
static void write_problem(struct http_exchange *x, enum error error, const char *detail,
                          const struct http_problem_errors *errors)
{
    const struct slice path = encode_path(x->arena, x->request.path);
    struct json_writer w;

    buffer_clear(x->response.body);
    json_writer_init(&w, x->response.body);
    http_write_problem(x, &w, path.len > 0 ? path : SLICE("/"), error, detail, errors);
}

void http_respond_problem(struct http_exchange *x, enum error error, const char *detail,
                          const struct http_problem_errors *errors)
{
    const struct error_row *row = error_row(error);
    const struct buffer *head = x->response.head;

    assert(error != ERROR_NONE && x->request.id.len > 0);
    x->error = error;
    if (row->status == 401 && !head_has(head, SLICE("WWW-Authenticate"))) {
        /* A plain challenge, unless a token was sent and is not good (RFC 6750 section 3.1). */
        http_respond_field(x, "WWW-Authenticate",
                           error == ERROR_INVALID_TOKEN
                               ? SLICE("Bearer realm=\"taskhold\", error=\"invalid_token\", "
                                       "error_description=\"the access token is malformed, expired "
                                       "or no longer valid\"")
                               : SLICE("Bearer realm=\"taskhold\""));
    }
    if (row->status == 503 && !head_has(head, SLICE("Retry-After"))) {
        http_respond_field(x, "Retry-After", SLICE("1"));
    }
    if (!head_has(head, SLICE("Cache-Control"))) {
        http_respond_field(x, "Cache-Control", SLICE("no-store"));
    }
    write_problem(x, error, detail, errors);
    http_respond_body(x, row->status, PROBLEM_TYPE);
}

void http_respond_not_acceptable(struct http_exchange *x, const char *produces)
{
    char detail[256];
    assert(produces);
    (void)snprintf(detail, sizeof detail,
                   "What is here is %s, and the Accept header field excludes that. Name the type, "
                   "or leave Accept out.",
                   produces);
    http_respond_problem(x, ERROR_NOT_ACCEPTABLE, detail, NULL);
}

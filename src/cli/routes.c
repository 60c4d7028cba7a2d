// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "api/routes.h"
#include "base/json_writer.h"
#include "cli/cli.h"

/* More than any table of routes takes. */
#define OUTPUT_MOST (1024 * 1024)

static const char *access_name(const struct http_route *route)
{
    switch (route->access) {
    case HTTP_ACCESS_PUBLIC: return "public";
    case HTTP_ACCESS_EITHER: return "either";
    default: return "token";
    }
}

static void write_member(struct json_writer *w, struct slice name, struct slice value)
{
    jw_name(w, name);
    jw_text(w, value);
}

static void write_route(struct json_writer *w, const struct http_route *route)
{
    jw_open_object(w);
    write_member(w, SLICE("method"), http_method_name(route->method));
    write_member(w, SLICE("path"), slice_of(route->path));
    write_member(w, SLICE("operation_id"), slice_of(route->operation_id));
    write_member(w, SLICE("access"), slice_of(access_name(route)));
    jw_name(w, SLICE("max_body_bytes"));
    if (route->body_most > 0) {
        jw_i64(w, route->body_most);
    } else {
        /* The setting MAX_BODY_BYTES decides. */
        jw_null(w);
    }
    write_member(w, SLICE("quota"), slice_of(api_quota_name(route->quota)));
    jw_close_object(w);
}

static int print_json(const struct http_route *routes, size_t count)
{
    struct buffer out;
    struct json_writer w;
    bool failed = false;

    buffer_init(&out, OUTPUT_MOST);
    json_writer_init(&w, &out);
    jw_open_array(&w);
    for (size_t i = 0; i < count; i++) {
        write_route(&w, &routes[i]);
    }
    jw_close_array(&w);
    buffer_add_char(&out, '\n');
    failed = out.failed;
    if (!failed) {
        fwrite(out.data, 1, out.len, stdout);
    }
    buffer_finish(&out);
    return failed ? CLI_FAILED : CLI_OK;
}

static void print_text(const struct http_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct slice method = http_method_name(routes[i].method);
        printf("%-7.*s %-28s %-7s %-5s %s\n", (int)method.len, method.ptr, routes[i].path,
               access_name(&routes[i]), api_quota_name(routes[i].quota), routes[i].operation_id);
    }
}

int cli_routes(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const int status = cli_no_more(argc, argv, (const char *const[]){"--json", NULL});
    size_t count = 0;
    const struct http_route *routes = api_routes(&count);

    if (status != CLI_OK) {
        return status;
    }
    if (json) {
        return print_json(routes, count);
    }
    print_text(routes, count);
    return CLI_OK;
}

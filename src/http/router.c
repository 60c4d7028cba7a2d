// SPDX-License-Identifier: MIT
#include "http/router.h"

#include <assert.h>
#include <stdlib.h>

#include "base/client_key.h"
#include "base/uuid.h"

/* pchar of RFC 3986 without the percent sign. */
static const bool path_bytes[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
    ['_'] = true,         ['~'] = true,         ['!'] = true,         ['$'] = true, ['&'] = true,
    ['\''] = true,        ['('] = true,         [')'] = true,         ['*'] = true, ['+'] = true,
    [','] = true,         [';'] = true,         ['='] = true,         [':'] = true, ['@'] = true,
};

static bool is_path_character(char c)
{
    return path_bytes[(unsigned char)c];
}

static enum error malformed(struct http_target *target, const char *why)
{
    target->why = why;
    return ERROR_MALFORMED_REQUEST;
}

/* What decode() made. */
static bool is_clean_utf8(struct slice s)
{
    while (s.len > 0) {
        size_t len = utf8_step(s);
        unsigned char first = (unsigned char)s.ptr[0];
        if (len == 0 || first == 0x7f) {
            return false;
        }
        if (len == 2 && first == 0xc2 && (unsigned char)s.ptr[1] < 0xa0) {
            return false; /* C1 */
        }
        s = slice_from(s, len);
    }
    return true;
}

/* Decodes `raw` into `out`, which has room for as many bytes; see HTTP_PATH_SLASH. Returns the
 * length, or 0. */
static size_t decode(struct slice raw, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? ascii_hex(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? ascii_hex(raw.ptr[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || (unsigned char)c < ' ') {
                return 0;
            }
            c = c == '/' ? HTTP_PATH_SLASH : c == '\\' ? HTTP_PATH_BACKSLASH : c;
            i += 2;
        }
        out[len++] = c;
    }
    return len;
}

/* No empty segment but the last, and no `.` and `..`. */
static bool segments_are_plain(struct slice path)
{
    struct slice rest = slice_from(path, 1);
    while (rest.ptr) {
        struct slice segment = slice_next(&rest, '/');
        if (segment.len == 0 && rest.ptr) {
            return false;
        }
        if (slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE(".."))) {
            return false;
        }
    }
    return true;
}

static enum error parse_path(struct slice raw, struct arena *arena, struct http_target *target)
{
    struct slice *path = &target->path;
    bool encoded = false;
    bool plain = true; /* neither `//` nor a dot after a slash */
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (is_path_character(c)) {
            continue;
        }
        if (c == '/') {
            char next = i + 1 < raw.len ? raw.ptr[i + 1] : 'a';
            plain = plain && next != '/' && next != '.';
        } else if (c == '%') {
            encoded = true;
        } else {
            return malformed(target, "A character stands in the path that no URL has there: write "
                                     "it percent-encoded, a space as %20 say.");
        }
    }
    *path = raw;
    if (encoded) {
        char *out = arena_alloc(arena, raw.len);
        if (!out) {
            return ERROR_UNAVAILABLE;
        }
        *path = (struct slice){out, decode(raw, out)};
        if (path->len == 0 || !is_clean_utf8(*path)) {
            return malformed(target, HTTP_PATH_FORM);
        }
    }
    target->nowhere = (!plain || encoded) && !segments_are_plain(*path);
    return ERROR_NONE;
}

static enum error parse_origin(struct slice text, struct arena *arena, struct http_target *target)
{
    const char *mark = memchr(text.ptr, '?', text.len);
    struct slice path = {text.ptr, mark ? (size_t)(mark - text.ptr) : text.len};
    target->target = text;
    target->query = (struct slice){NULL, 0};
    if (mark) {
        target->query = (struct slice){mark + 1, text.len - path.len - 1};
    }
    /* Browsers leave more in a query than RFC 3986 names, so it may have all visible characters but
     * the one that starts a fragment. */
    for (size_t i = 0; i < target->query.len; i++) {
        const char c = target->query.ptr[i];
        if (c <= ' ' || c > '~' || c == '#') {
            return malformed(target, "A character stands in the query that no URL has there: write "
                                     "it percent-encoded, # as %23 say.");
        }
    }
    return parse_path(path, arena, target);
}

/* Cuts `scheme://authority` off the front; the path may be empty and is then `/`. */
static enum error parse_absolute(struct slice text, struct arena *arena, struct http_target *target)
{
    size_t scheme = 0;
    if (text.len >= 7 && slice_eq_nocase((struct slice){text.ptr, 7}, SLICE("http://"))) {
        scheme = 7;
    } else if (text.len >= 8 && slice_eq_nocase((struct slice){text.ptr, 8}, SLICE("https://"))) {
        scheme = 8;
    } else {
        return malformed(target,
                         "What is asked for must begin with a slash, or be a URL of http or "
                         "https.");
    }
    size_t end = scheme;
    while (end < text.len && !ascii_is_in(text.ptr[end], "/?#")) {
        end++;
    }
    target->host = (struct slice){text.ptr + scheme, end - scheme};
    if (!http_host_valid(target->host)) {
        return malformed(target, HTTP_HOST_FORM);
    }
    struct slice rest = slice_from(text, end);
    if (rest.len > 0 && rest.ptr[0] == '/') {
        return parse_origin(rest, arena, target);
    }
    char *copy = arena_alloc(arena, rest.len + 1);
    if (!copy) {
        return ERROR_UNAVAILABLE;
    }
    copy[0] = '/';
    memcpy(copy + 1, rest.ptr, rest.len);
    return parse_origin((struct slice){copy, rest.len + 1}, arena, target);
}

enum error http_target_parse(struct slice text, enum http_method method, struct arena *arena,
                             struct http_target *target)
{
    *target = (struct http_target){.target = text};
    if (text.len > 0 && text.ptr[0] == '/') {
        return parse_origin(text, arena, target);
    }
    if (slice_eq(text, SLICE("*"))) {
        target->path = (struct slice){text.ptr, 0};
        return method == HTTP_OPTIONS ? ERROR_NONE
                                      : malformed(target, "`*` can be asked with OPTIONS only.");
    }
    return parse_absolute(text, arena, target);
}

/* What stands between brackets: IPv6, or IPvFuture of RFC 3986, which is `v`, hexadecimal digits, a
 * point, and the address in a form to come. */
static bool is_ip_literal(struct slice text)
{
    struct in6_addr address;
    unsigned width = 0;
    size_t at = 1;
    if (client_address_parse(text, &address, &width) && width == 128) {
        return true;
    }
    if (text.len == 0) {
        return false;
    }
    while (at < text.len && ascii_hex(text.ptr[at]) >= 0) {
        at++;
    }
    if ((text.ptr[0] | 0x20) != 'v' || at == 1 || at + 1 >= text.len || text.ptr[at] != '.') {
        return false;
    }
    for (at++; at < text.len; at++) {
        if (!is_path_character(text.ptr[at]) || text.ptr[at] == '@') {
            return false;
        }
    }
    return true;
}

/* The length of a reg-name, up to the colon of the port or the end; 0 when it is none. */
static size_t name_length(struct slice host)
{
    size_t len = 0;
    while (len < host.len && host.ptr[len] != ':') {
        char c = host.ptr[len];
        if (c == '%') {
            if (len + 2 >= host.len || ascii_hex(host.ptr[len + 1]) < 0 ||
                ascii_hex(host.ptr[len + 2]) < 0) {
                return 0;
            }
            len += 3;
        } else if (is_path_character(c) && c != '@') {
            len++;
        } else {
            return 0;
        }
    }
    return len;
}

bool http_host_valid(struct slice host)
{
    size_t len = 0;
    if (host.len > 0 && host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);
        if (!end || !is_ip_literal((struct slice){host.ptr + 1, (size_t)(end - host.ptr) - 1})) {
            return false;
        }
        len = (size_t)(end - host.ptr) + 1;
    } else {
        len = name_length(host);
    }
    if (len == 0 || len == host.len) {
        return len > 0;
    }
    uint64_t number = 0;
    const struct slice port = slice_from(host, len + 1);
    return host.ptr[len] == ':' &&
           (port.len == 0 || (port.len <= 5 && slice_to_u64(port, 65535, &number)));
}

/* A tree of segments. Children of a node stand in a list; `{…}` hangs apart, so that a literal
 * always wins over it. Nodes live in one array and name each other by index; 0, the root, is
 * nobody's child and means none. */
struct node {
    struct slice segment;
    uint16_t child;     /* first literal child */
    uint16_t sibling;   /* next literal child of the same parent */
    uint16_t parameter; /* the child for {…} */
    unsigned allow;     /* 0: no route ends here */
    const struct http_route *routes[HTTP_METHOD_COUNT];
};

struct http_router {
    size_t count;
    struct node nodes[];
};

static bool is_parameter(struct slice segment)
{
    return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

static uint16_t find_child(const struct node *nodes, const struct node *node, struct slice segment)
{
    uint16_t at = node->child;

    while (at != 0 && !slice_eq(nodes[at].segment, segment)) {
        at = nodes[at].sibling;
    }
    return at;
}

/* The child of `parent` for a segment of a route, made when there is none. */
static uint16_t child_for(struct http_router *router, uint16_t parent, struct slice segment)
{
    struct node *node = &router->nodes[parent];
    const bool parameter = is_parameter(segment);
    uint16_t at = parameter ? node->parameter : find_child(router->nodes, node, segment);

    if (at != 0) {
        return at;
    }
    at = (uint16_t)router->count++;
    router->nodes[at] = (struct node){.segment = segment};
    if (parameter) {
        node->parameter = at;
    } else {
        router->nodes[at].sibling = node->child;
        node->child = at;
    }
    return at;
}

static void add_route(struct http_router *router, const struct http_route *route)
{
    struct slice rest = slice_of(route->path);
    uint16_t at = 0;
    unsigned parameters = 0;
    struct node *node = NULL;

    assert(slice_starts(rest, SLICE("/")) && route->method < HTTP_METHOD_COUNT);
    (void)slice_next(&rest, '/');
    while (rest.ptr) {
        const struct slice segment = slice_next(&rest, '/');
        parameters += is_parameter(segment) ? 1 : 0;
        at = child_for(router, at, segment);
    }
    assert(parameters <= HTTP_PATH_PARAMETERS);
    node = &router->nodes[at];
    assert(!node->routes[route->method]);
    node->routes[route->method] = route;
    node->allow |= 1U << route->method | 1U << HTTP_OPTIONS;
    if (route->method == HTTP_GET) {
        node->allow |= 1U << HTTP_HEAD;
    }
}

struct http_router *http_router_create(const struct http_route *routes, size_t count)
{
    /* At most as many nodes as there are slashes, and the root. */
    size_t needed = 1;
    for (size_t i = 0; i < count; i++) {
        for (const char *c = routes[i].path; *c != '\0'; c++) {
            needed += *c == '/' ? 1 : 0;
        }
    }
    assert(needed <= UINT16_MAX);
    struct http_router *router = calloc(1, sizeof *router + needed * sizeof *router->nodes);
    if (!router) {
        return NULL;
    }
    router->count = 1;
    for (size_t i = 0; i < count; i++) {
        add_route(router, &routes[i]);
    }
    return router;
}

void http_router_destroy(struct http_router **router)
{
    free(*router);
    *router = NULL;
}

/* Walks down from node `at` along `rest` (ptr NULL: the path ends here) and returns the node where
 * a route ends, or NULL. Goes back from a literal to {…} where the literal leads nowhere; as deep
 * as the longest route at most. What does not fit its {…} is walked over, and the match is none. */
static const struct node *walk(const struct node *nodes, uint16_t at, struct slice rest,
                               struct http_match *match, unsigned used)
{
    const struct node *node = &nodes[at];
    const struct node *found = NULL;
    struct slice segment = {0};
    uint16_t child = 0;

    if (!rest.ptr) {
        return node->allow != 0 ? node : NULL;
    }
    segment = slice_next(&rest, '/');
    child = find_child(nodes, node, segment);
    if (child != 0) {
        found = walk(nodes, child, rest, match, used);
    }
    if (!found && node->parameter != 0 && segment.len > 0) {
        const struct slice what = nodes[node->parameter].segment;
        const bool fitting = slice_eq(what, SLICE("{id}"))
                                 ? uuid_parse_any_case(segment, &match->id)
                                 : slice_eq(what, SLICE("{name}")) || !http_path_is_masked(segment);
        match->parameters[used] = segment;
        found = walk(nodes, node->parameter, rest, match, used + 1);
        if (found && !fitting) {
            match->malformed_id = true;
            found = NULL;
        }
    }
    return found;
}

struct http_match http_router_find(const struct http_router *router, enum http_method method,
                                   struct slice path)
{
    struct http_match match = {0};
    const struct node *node = NULL;

    assert(method < HTTP_METHOD_COUNT);

    if (!slice_starts(path, SLICE("/"))) {
        return match;
    }
    (void)slice_next(&path, '/');
    node = walk(router->nodes, 0, path, &match, 0);
    if (!node) {
        return (struct http_match){.malformed_id = match.malformed_id};
    }
    match.allow = node->allow;
    match.route = node->routes[method];
    if (!match.route && method == HTTP_HEAD) {
        match.route = node->routes[HTTP_GET];
    }
    return match;
}

bool http_path_is_masked(struct slice path)
{
    return path.len > 0 && (memchr(path.ptr, HTTP_PATH_SLASH, path.len) ||
                            memchr(path.ptr, HTTP_PATH_BACKSLASH, path.len));
}

struct slice http_path_unmask(struct slice path, struct arena *arena)
{
    if (!http_path_is_masked(path)) {
        return path;
    }
    const struct slice copy = arena_copy(arena, path);
    char *text = (char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; text && i < copy.len; i++) {
        text[i] = text[i] == HTTP_PATH_SLASH       ? '/'
                  : text[i] == HTTP_PATH_BACKSLASH ? '\\'
                                                   : text[i];
    }
    return copy;
}

void http_methods_add(struct buffer *out, unsigned allow)
{
    bool first = true;

    assert((allow & ~HTTP_METHODS_ALL) == 0);

    for (unsigned method = 0; method < HTTP_METHOD_COUNT; method++) {
        if ((allow & 1U << method) != 0) {
            if (!first) {
                buffer_add(out, SLICE(", "));
            }
            buffer_add(out, http_method_name((enum http_method)method));
            first = false;
        }
    }
}

void http_respond_methods(struct http_exchange *x, const char *name, unsigned allow)
{
    struct buffer methods;
    buffer_init(&methods, 256);
    http_methods_add(&methods, allow);
    http_respond_field(x, name, buffer_slice(&methods));
    buffer_finish(&methods);
}

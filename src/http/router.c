// SPDX-License-Identifier: MIT
#include "http/route.h"

#include <assert.h>
#include <stdlib.h>

#include "base/uuid.h"

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
    struct node *nodes;
    size_t count;
};

static bool is_parameter(struct slice segment)
{
    return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

/* Whether `segment` of a path may stand for the parameter `name`, braces included. */
static bool fits(struct slice name, struct slice segment)
{
    struct uuid id;

    return slice_eq(name, SLICE("{id}")) ? uuid_parse_any_case(segment, &id) : segment.len > 0;
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

/* At most as many nodes as there are slashes, and the root. */
static size_t nodes_needed(const struct http_route *routes, size_t count)
{
    size_t needed = 1;

    for (size_t i = 0; i < count; i++) {
        for (const char *c = routes[i].path; *c != '\0'; c++) {
            needed += *c == '/' ? 1 : 0;
        }
    }
    return needed;
}

struct http_router *http_router_create(const struct http_route *routes, size_t count)
{
    struct http_router *router = malloc(sizeof *router);
    const size_t needed = nodes_needed(routes, count);

    assert(needed <= UINT16_MAX);
    if (!router) {
        return NULL;
    }
    router->nodes = calloc(needed, sizeof *router->nodes);
    if (!router->nodes) {
        free(router);
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
    if (*router) {
        free((*router)->nodes);
        free(*router);
        *router = NULL;
    }
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
        const bool fitting = fits(nodes[node->parameter].segment, segment);
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

void http_allow_add(struct buffer *out, unsigned allow)
{
    bool first = true;

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

// SPDX-License-Identifier: MIT
#include "store/wait_graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool wait_graph_next(struct slice *waits, struct uuid *id)
{
    assert(waits && id);
    while (waits->len > UUID_TEXT_LEN) {
        const bool begins = waits->ptr[0] == '"';
        *waits = slice_from(*waits, 1);
        if (begins && uuid_parse((struct slice){waits->ptr, UUID_TEXT_LEN}, id)) {
            *waits = slice_from(*waits, UUID_TEXT_LEN + 1); /* its closing quote */
            return true;
        }
    }
    return false;
}

static int compare_nodes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

const struct wait_node *wait_graph_find(const struct wait_node *nodes, size_t count,
                                        const struct uuid *id)
{
    assert((nodes || count == 0) && id);
    return count == 0 ? NULL : bsearch(id, nodes, count, sizeof *nodes, compare_nodes);
}

/* ---- circles ---- */

/* The edges of one direction: those of node n are targets[begins[n]] to targets[begins[n + 1]]. */
struct edges {
    size_t *begins;
    size_t *targets;
};

struct graph {
    struct wait_node *nodes;
    size_t count;
    struct edges forth; /* what each waits for */
    struct edges back;  /* what waits for each */
    size_t *degrees;
    size_t *stack;
};

static size_t place_of(const struct graph *graph, const struct uuid *id)
{
    const struct wait_node *node = wait_graph_find(graph->nodes, graph->count, id);
    return node ? (size_t)(node - graph->nodes) : graph->count;
}

/* Counts the edges of each node into begins[n + 1], or (`fill`) puts them in. */
static size_t each_edge(struct graph *graph, bool fill, size_t *forth_at, size_t *back_at)
{
    size_t edges = 0;
    for (size_t from = 0; from < graph->count; from++) {
        struct slice rest = graph->nodes[from].waits;
        struct uuid id;
        while (rest.ptr && wait_graph_next(&rest, &id)) {
            const size_t to = place_of(graph, &id);
            if (to == graph->count)
                continue;
            edges++;
            if (fill) {
                graph->forth.targets[forth_at[from]++] = to;
                graph->back.targets[back_at[to]++] = from;
            } else {
                graph->forth.begins[from + 1]++;
                graph->back.begins[to + 1]++;
            }
        }
    }
    return edges;
}

static bool make_edges(struct graph *graph, struct arena *arena)
{
    const size_t size = (graph->count + 1) * sizeof(size_t);
    size_t *forth_at = arena_alloc(arena, size);
    size_t *back_at = arena_alloc(arena, size);
    graph->forth.begins = arena_alloc(arena, size);
    graph->back.begins = arena_alloc(arena, size);
    graph->degrees = arena_alloc(arena, size);
    graph->stack = arena_alloc(arena, size);
    if (!forth_at || !back_at || !graph->forth.begins || !graph->back.begins || !graph->degrees ||
        !graph->stack)
        return false;
    memset(graph->forth.begins, 0, size);
    memset(graph->back.begins, 0, size);
    const size_t edges = each_edge(graph, false, NULL, NULL);
    for (size_t i = 0; i < graph->count; i++) {
        graph->forth.begins[i + 1] += graph->forth.begins[i];
        graph->back.begins[i + 1] += graph->back.begins[i];
    }
    graph->forth.targets = arena_alloc(arena, (edges + 1) * sizeof(size_t));
    graph->back.targets = arena_alloc(arena, (edges + 1) * sizeof(size_t));
    if (!graph->forth.targets || !graph->back.targets)
        return false;
    memcpy(forth_at, graph->forth.begins, size);
    memcpy(back_at, graph->back.begins, size);
    (void)each_edge(graph, true, forth_at, back_at);
    return true;
}

/* Unties, one after the other, the nodes from which no edge `away` leads to a tied one. */
static void trim(struct graph *graph, const struct edges *away, const struct edges *against)
{
    size_t depth = 0;
    for (size_t n = 0; n < graph->count; n++) {
        graph->degrees[n] = 0;
        for (size_t e = away->begins[n]; e < away->begins[n + 1]; e++)
            graph->degrees[n] += graph->nodes[away->targets[e]].tied;
        if (graph->nodes[n].tied && graph->degrees[n] == 0)
            graph->stack[depth++] = n;
    }
    while (depth > 0) {
        const size_t n = graph->stack[--depth];
        graph->nodes[n].tied = false;
        for (size_t e = against->begins[n]; e < against->begins[n + 1]; e++) {
            const size_t other = against->targets[e];
            if (graph->nodes[other].tied && --graph->degrees[other] == 0)
                graph->stack[depth++] = other;
        }
    }
}

bool wait_graph_tie(struct wait_node *nodes, size_t count, struct arena *arena)
{
    struct graph graph = {.nodes = nodes, .count = count};
    assert((nodes || count == 0) && arena);
    if (count == 0)
        return true;
    qsort(nodes, count, sizeof *nodes, compare_nodes);
    if (!make_edges(&graph, arena))
        return false;
    for (size_t i = 0; i < count; i++)
        nodes[i].tied = true;
    trim(&graph, &graph.forth, &graph.back);
    trim(&graph, &graph.back, &graph.forth);
    return true;
}

// SPDX-License-Identifier: MIT
#include "store/postgres/conninfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

/* Lists with a part for each host. */
static const char *const per_host[] = {"host", "hostaddr", "port"};
#define LISTS (sizeof per_host / sizeof per_host[0])
#define NAMES 2 /* the first of them say how many hosts there are; one port may do for all */

/* Under what the URL says, but for `always`. The keepalives find a silent network when we only
 * listen, the user timeout when something was sent. GSSAPI would be tried before every connection
 * where a ticket lies about. */
static const struct wish {
    const char *keyword;
    const char *value; /* NULL: the timeout of an operation */
    bool always;
} wishes[] = {
    {"client_encoding", "UTF8", true}, {"fallback_application_name", "taskhold", false},
    {"connect_timeout", "2", false},   {"keepalives", "1", true},
    {"keepalives_idle", "5", false},   {"keepalives_interval", "2", false},
    {"keepalives_count", "3", false},  {"tcp_user_timeout", NULL, false},
    {"gssencmode", "disable", false},  {"target_session_attrs", "any", true},
};

static unsigned count_parts(const char *list)
{
    unsigned count = 1;
    for (const char *c = list; *c; c++)
        count += *c == ',';
    return count;
}

static const char *part(const struct conninfo *info, const char *keyword)
{
    for (const PQconninfoOption *o = info->parts; o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            return o->val && *o->val ? o->val : NULL;
    }
    return NULL;
}

static const char *wished(const struct conninfo *info, const struct wish *wish)
{
    const char *said = part(info, wish->keyword);
    /* 0 is "for ever", or "as the system likes". */
    if (said && strcmp(said, "0") != 0 && !wish->always)
        return said;
    return wish->value ? wish->value : info->timeout;
}

/* Later keywords win. */
static void set(struct conninfo *info, const char *keyword, const char *value)
{
    unsigned i = 0;
    while (info->keywords[i] && strcmp(info->keywords[i], keyword) != 0)
        i++;
    if (i < CONNINFO_MOST) {
        info->keywords[i] = keyword;
        info->values[i] = value;
    }
}

/* libpq takes a character of the password that is not encoded for the end of it, and tells the rest
 * in its messages as the name of a host. */
static bool is_sound(const struct conninfo *info)
{
    const char *host = part(info, "host");
    const char *name = part(info, "dbname");
    const char *port = part(info, "port");
    return !(host && strchr(host, '@')) && !(name && strchr(name, '@')) &&
           !(port && port[strspn(port, "0123456789,")] != '\0');
}

/* What people bring along from other libraries, and what does the same here. */
static const struct {
    const char *name;
    const char *instead;
} foreign[] = {
    {"pgbouncer", "set DATABASE_PREPARED=off instead"},
    {"schema", "use options=-csearch_path%3DNAME instead"},
    {"currentSchema", "use options=-csearch_path%3DNAME instead"},
    {"search_path", "use options=-csearch_path%3DNAME instead"},
    {"connection_limit", "set DATABASE_POOL instead"},
    {"pool_timeout", "set DATABASE_TIMEOUT_MS instead"},
    {"statement_timeout", "set DATABASE_TIMEOUT_MS instead"},
    {"sslaccept", "use sslmode instead"},
};

static const char *foreign_hint(struct slice name)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (slice_eq(name, slice_of(foreign[i].name)))
            return foreign[i].instead;
    }
    return "take it away";
}

/* Why libpq cannot read a URL; without the values, which may be the password. */
static void explain(const char *url, char *why, size_t why_size)
{
    PQconninfoOption *known = PQconndefaults();
    struct slice query = slice_of(url);
    (void)slice_next(&query, '?');
    if (query.ptr && memchr(query.ptr, '@', query.len))
        query = (struct slice){0}; /* the ? is one of a password, and all of this its rest */
    while (known && query.ptr) {
        struct slice pair = slice_next(&query, '&');
        const struct slice name = slice_next(&pair, '=');
        bool good =
            slice_eq(name, SLICE("ssl")); /* ssl=true, as JDBC writes it, is read in a URI */
        for (const PQconninfoOption *o = known; o->keyword && !good; o++)
            good = slice_eq(name, slice_of(o->keyword));
        if (name.len > 0 && pair.ptr && !good) {
            (void)snprintf(why, why_size, "DATABASE_URL: libpq knows no parameter %.*s; %s",
                           (int)name.len, name.ptr, foreign_hint(name));
            utf8_tame(why, strlen(why), false);
            PQconninfoFree(known);
            return;
        }
    }
    PQconninfoFree(known);
    (void)snprintf(why, why_size,
                   "DATABASE_URL is no URL that libpq reads: check the names after `?`, and "
                   "write special characters of the password as %%XX (@ is %%40, / is %%2F)");
}

static bool turn_lists(struct conninfo *info, unsigned first)
{
    for (size_t i = 0; i < NAMES; i++) {
        const char *list = part(info, per_host[i]);
        if (list && count_parts(list) > info->hosts)
            info->hosts = count_parts(list);
    }
    for (size_t i = 0; i < LISTS; i++) {
        const char *list = part(info, per_host[i]);
        if (!list || info->hosts == 1 || count_parts(list) != info->hosts)
            continue; /* one for all; or wrong, as libpq will say */
        /* `a,b,c` begun at its second is `b,c,a`. */
        const char *at = list;
        for (unsigned by = first < info->hosts ? first : 0; by > 0; by--)
            at = strchr(at, ',') + 1;
        const size_t size = strlen(list) + 2;
        info->lists[i] = malloc(size);
        if (!info->lists[i])
            return false;
        (void)snprintf(info->lists[i], size, "%s%s%.*s", at, at == list ? "" : ",",
                       at == list ? 0 : (int)(at - list - 1), list);
        set(info, per_host[i], info->lists[i]);
    }
    return true;
}

bool conninfo_init(struct conninfo *info, const char *url, unsigned timeout_ms, unsigned first,
                   char *why, size_t why_size)
{
    *info = (struct conninfo){.hosts = 1};
    (void)snprintf(info->timeout, sizeof info->timeout, "%u", timeout_ms);
    info->parts = PQconninfoParse(url, NULL); /* its message may repeat the password */
    if (!info->parts || !is_sound(info)) {
        explain(url, why, why_size);
        conninfo_finish(info);
        return false;
    }
    for (const PQconninfoOption *o = info->parts; o->keyword; o++) {
        if (o->val && *o->val)
            set(info, o->keyword, o->val);
    }
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
        set(info, wishes[i].keyword, wished(info, &wishes[i]));
    if (!turn_lists(info, first)) {
        (void)snprintf(why, why_size, "no memory");
        conninfo_finish(info);
        return false;
    }
    return true;
}

void conninfo_finish(struct conninfo *info)
{
    for (size_t i = 0; i < LISTS; i++)
        free(info->lists[i]);
    PQconninfoFree(info->parts);
    *info = (struct conninfo){0};
}

const char *conninfo_value(const struct conninfo *info, const char *keyword)
{
    for (unsigned i = 0; info->keywords[i]; i++) {
        if (strcmp(info->keywords[i], keyword) == 0)
            return info->values[i];
    }
    return NULL;
}

/* ---- what can never be right ---- */

/* libpq looks at most values only when it connects: so it is had to, to sockets that cannot be
 * there. */
static bool try_values(struct conninfo *info, char *why, size_t why_size)
{
    static const char nowhere[] = "/dev/null/none,";
    char hosts[64 * sizeof nowhere] = "";
    const size_t len = sizeof nowhere - 1;
    if (info->hosts >= 64)
        return true;
    for (unsigned i = 0; i < info->hosts; i++)
        memcpy(hosts + i * len, nowhere, len);
    hosts[info->hosts * len - 1] = '\0';
    set(info, "host", hosts);
    set(info, "hostaddr", "");
    const bool good = PQpingParams(info->keywords, info->values, 0) != PQPING_NO_ATTEMPT;
    if (!good) {
        PGconn *connection = PQconnectdbParams(info->keywords, info->values, 0);
        const char *text = PQerrorMessage(connection);
        (void)snprintf(why, why_size, "DATABASE_URL: %.*s", (int)strcspn(text, "\n"), text);
        utf8_tame(why, strlen(why), false);
        PQfinish(connection);
    }
    return good;
}

bool conninfo_judge(const char *url, char *why, size_t why_size)
{
    struct conninfo info;
    if (!conninfo_init(&info, url, 1000, 0, why, why_size))
        return false;
    struct slice rest = slice_of(conninfo_value(&info, "port"));
    bool good = true;
    while (rest.ptr && good) {
        const struct slice port = slice_next(&rest, ',');
        uint64_t number = 0;
        good = port.len == 0 || (slice_to_u64(port, 65535, &number) && number > 0);
    }
    if (good)
        good = try_values(&info, why, why_size);
    else
        (void)snprintf(why, why_size, "DATABASE_URL: the port must be a number from 1 to 65535");
    conninfo_finish(&info);
    return good;
}

/* Whether part `number` of a list (NULL: there is none, so it says nothing) is `text`. */
static bool part_is(const char *list, unsigned number, const char *text)
{
    if (!list)
        return true;
    struct slice rest = slice_of(list);
    struct slice found = slice_next(&rest, ',');
    if (!rest.ptr)
        return slice_eq(found, slice_of(text)); /* one for all */
    for (; number > 0; number--)
        found = slice_next(&rest, ',');
    return slice_eq(found, slice_of(text));
}

unsigned conninfo_host_of(const struct conninfo *info, unsigned first, const PGconn *connection)
{
    const char *host = conninfo_value(info, "host");
    if (!host)
        host = conninfo_value(info, "hostaddr");
    const char *port = conninfo_value(info, "port");
    for (unsigned i = 0; i < info->hosts; i++) {
        if (part_is(host, i, PQhost(connection)) && part_is(port, i, PQport(connection)))
            return (first + i) % info->hosts;
    }
    return first;
}

const char *conninfo_replace(struct conninfo *info, const char *keyword, const char *value)
{
    const char *before = conninfo_value(info, keyword);
    set(info, keyword, value);
    return before;
}

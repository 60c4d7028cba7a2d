// SPDX-License-Identifier: MIT
#include "store/postgres/needs.h"

#include <assert.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"

#define PATH_LEN 4096

/* What a list of options says; NULL or empty: nothing. */
static const char *said_in(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            return o->val && *o->val ? o->val : NULL;
    }
    return NULL;
}

/* The files that options and variables name, and those that libpq looks for where none is named. */
static void tell_files(const PQconninfoOption *url, const PQconninfoOption *defaults,
                       const struct postgres_needs *needs)
{
    static const char *const named[] = {"passfile", "sslcert",   "sslkey",
                                        "sslcrl",   "sslcrldir", "sslrootcert"};
    static const char *const variables[] = {"PGSERVICEFILE", "SSL_CERT_FILE", "SSL_CERT_DIR",
                                            "OPENSSL_CONF", "KRB5_CONFIG"};
    static const char *const beside[] = {".pgpass", ".pg_service.conf", ".postgresql/root.crt"};
    const struct passwd *user = getpwuid(geteuid());
    const char *homes[] = {getenv("HOME"), user ? user->pw_dir : NULL};
    char path[PATH_LEN];

    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        const char *file = said_in(url, named[i]);
        file = file ? file : said_in(defaults, named[i]);
        if (file && strcmp(file, "system") != 0)
            needs->file(needs->context, file);
    }
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *file = getenv(variables[i]);
        if (file && *file)
            needs->file(needs->context, file);
    }
    for (size_t h = 0; h < sizeof homes / sizeof *homes; h++) {
        for (size_t i = 0; homes[h] && *homes[h] && i < sizeof beside / sizeof *beside; i++) {
            (void)snprintf(path, sizeof path, "%s/%s", homes[h], beside[i]);
            needs->file(needs->context, path);
        }
    }
}

static void tell_ports(const PQconninfoOption *url, const PQconninfoOption *defaults,
                       struct postgres_needs *needs)
{
    const char *text = said_in(url, "port");
    struct slice rest = slice_of(text ? text : said_in(defaults, "port"));

    needs->ports_known = rest.ptr != NULL;
    while (rest.ptr) {
        const struct slice part = slice_next(&rest, ',');
        uint64_t port = 5432; /* an empty part of a list */
        if (part.len > 0 && !slice_to_u64(part, UINT16_MAX, &port))
            needs->ports_known = false;
        else
            needs->port(needs->context, (uint16_t)port);
    }
    /* It may say more than we see. */
    if (said_in(url, "service") || said_in(defaults, "service"))
        needs->ports_known = false;
}

void postgres_needs_tell(const char *url, struct postgres_needs *needs)
{
    assert(url && needs->file && needs->port);
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    PQconninfoOption *defaults = PQconndefaults();
    const char *host = said_in(options, "host");

    host = host ? host : said_in(defaults, "host");
    needs->abstract = host && strchr(host, '@');
    needs->ports_known = false;
    if (options && defaults) {
        tell_files(options, defaults, needs);
        tell_ports(options, defaults, needs);
    }
    PQconninfoFree(options);
    PQconninfoFree(defaults);
}

// SPDX-License-Identifier: MIT
/* What an operator writes: URLs, origins, networks, the URL of PostgreSQL; and base64url. The first
 * byte is left out of the text: it says how much room there is. */
#include <stdio.h>
#include <stdlib.h>

#include "auth/base64url.h"
#include "base/client_key.h"
#include "base/weburl.h"
#include "http/proxies.h"
#include "store/postgres/conninfo.h"

#define BYTES_MOST 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_public(const char *text)
{
    if (!weburl_is_public(slice_of(text))) {
        return;
    }
    const struct slice base = weburl_base(text);
    const struct slice path = weburl_path(text);
    must(base.len <= strlen(text) && path.len <= base.len);
    must(path.len == 0 || (path.ptr[0] == '/' && path.ptr[path.len - 1] != '/'));
    must(memcmp(base.ptr + base.len - path.len, path.len > 0 ? path.ptr : "", path.len) == 0);
    for (const char *at = text; *at; at++) {
        must(!strchr("<>\"'&?#\\ \t\r\n", *at));
    }
}

static void check_networks(const char *text)
{
    const char *why = NULL;
    struct in6_addr network;
    struct in6_addr address;
    unsigned bits = 0;
    unsigned width = 0;
    if (client_network_parse(slice_of(text), &network, &bits)) {
        must(bits <= 128);
    }
    if (client_address_parse(slice_of(text), &address, &width)) {
        char key[CLIENT_KEY_TEXT_MOST];
        must(width == 32 || width == 128);
        must(client_network_parse(slice_of(text), &network, &bits) && bits == 128);
        must(client_key_text(slice_of(text), key).len <= CLIENT_KEY_TEXT_MOST);
    }
    struct proxies *proxies = proxies_create(text, NULL, &why);
    must(proxies || (why && *why));
    proxies_destroy(&proxies);
}

static void check_line(const char *why, bool good)
{
    must(good || why[0] != '\0');
    for (const char *at = why; *at; at++) {
        must((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
}

/* What is wrong is one line. */
static void check_conninfo(const char *text)
{
    char why[512] = "";
    struct conninfo info;
    const bool good = conninfo_judge(text, why, sizeof why);
    check_line(why, good);
    if (conninfo_init(&info, text, 5000, 0, why, sizeof why)) {
        must(info.hosts >= 1);
        conninfo_finish(&info);
    }
}

/* And never shows the password. */
static void check_password(const char *text)
{
    static const char secret[] = "s3cr3tw0rd";
    char url[5000];
    char why[512] = "";
    (void)snprintf(url, sizeof url, "postgres://a:%s@%s", secret, text);
    const bool good = conninfo_judge(url, why, sizeof why);
    check_line(why, good);
    must(!strstr(why, secret) || strstr(text, secret));
}

static void check_base64url(struct slice text, size_t most)
{
    uint8_t bytes[BYTES_MOST];
    size_t len = 0;
    struct buffer again;
    if (!base64url_decode(text, bytes, most, &len)) {
        return;
    }
    must(len <= most);
    buffer_init(&again, 1024);
    base64url_add(&again, (struct slice){(const char *)bytes, len});
    must(!again.failed && slice_eq(buffer_slice(&again), text));
    buffer_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096) {
        return 0;
    }
    char *text = malloc(size);
    must(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    check_base64url((struct slice){text, size - 1}, data[0]);
    (void)weburl_is_origin((struct slice){text, size - 1});
    if (strlen(text) == size - 1) { /* settings are texts */
        check_public(text);
        check_networks(text);
        check_conninfo(text);
        check_password(text);
    }
    free(text);
    return 0;
}

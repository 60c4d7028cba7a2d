// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "base/client_key.h"
#include "base/settings_table.h"
#include "base/slice.h"
#include "base/weburl.h"

/* Bytes of a secret below which HMAC-SHA-256 loses strength (RFC 7518 section 3.2). */
#define SECRET_LEAST 32

static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') {
            return false;
        }
    }
    return text.len > 0;
}

/* Whether the value is one of the words of a choice, such as `json, text or auto`. */
static bool is_chosen(const char *value, const char *choice)
{
    struct slice rest = slice_of(choice);

    while (rest.ptr) {
        struct slice word = slice_next(&rest, ' ');
        word.len -= slice_ends(word, SLICE(",")) ? 1 : 0;
        if (slice_eq(word, slice_of(value)) && !slice_eq(word, SLICE("or"))) {
            return true;
        }
    }
    return false;
}

/* An IPv6 address in brackets, as it stands in a URL. */
static bool is_bracketed(struct slice text)
{
    struct in6_addr address;
    unsigned width = 0;

    return text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']' &&
           client_address_parse((struct slice){text.ptr + 1, text.len - 2}, &address, &width) &&
           width == 128;
}

static bool good_host(struct slice text)
{
    return is_visible(text) && (!strpbrk(text.ptr, "[]") || is_bracketed(text));
}

static bool good_database(struct slice text)
{
    static const struct slice schemes[] = {
        {"sqlite:", 7}, {"postgres://", 11}, {"postgresql://", 13}};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (slice_starts(text, schemes[i])) {
            return text.len > schemes[i].len && utf8_valid(text);
        }
    }
    return false;
}

bool (*settings_judge_database)(const char *url, char *why, size_t why_size);

/* It stands in every token, inside a JSON string. */
static bool good_issuer(struct slice text)
{
    return is_visible(text) && !strpbrk(text.ptr, "\"\\") && text.len <= 255;
}

static bool good_metrics(struct slice text)
{
    const char *value = text.ptr;
    const char *colon = strrchr(value, ':');
    const size_t host = colon ? (size_t)(colon - value) : 0;
    const bool v6 = host > 2 && value[0] == '[' && value[host - 1] == ']';
    uint64_t port = 0;

    return host > 0 && is_visible(text) && slice_to_u64(slice_of(colon + 1), 65535, &port) &&
           (v6 || (!memchr(value, ':', host) && !memchr(value, '[', host)));
}

/* Whether every part between commas is good; blanks around them are allowed. */
static bool all_parts(struct slice text, bool (*good)(struct slice))
{
    while (text.ptr) {
        if (!good(slice_trim(slice_next(&text, ',')))) {
            return false;
        }
    }
    return true;
}

/* An address, with or without the length of a prefix. */
static bool good_cidr(struct slice part)
{
    struct in6_addr network;
    unsigned bits = 0;

    return client_network_parse(part, &network, &bits);
}

static bool good_proxies(struct slice text)
{
    return all_parts(text, good_cidr);
}

/* The name of a header field (RFC 9110 section 5.1). */
static bool good_client_field(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_alnum(text.ptr[i]) && !ascii_is_in(text.ptr[i], "!#$%&'*+-.^_`|~")) {
            return false;
        }
    }
    /* A list of hops; read as one address, it would be wrong where there are two proxies. */
    return text.len > 0 && text.len <= 100 && !slice_eq_nocase(text, SLICE("X-Forwarded-For"));
}

/* `*` stands alone. It is safe, because no answer ever allows credentials. */
static bool good_origins(struct slice text)
{
    return slice_eq(text, SLICE("*")) || all_parts(text, weburl_is_origin);
}

/* Whether letters and digits of the text, the rest and case aside, hold a phrase that stands in
 * examples and nowhere else. */
static bool is_sample(struct slice text)
{
    static const char *const phrases[] = {"changeme",
                                          "changethis",
                                          "replaceme",
                                          "replacethis",
                                          "yoursecret",
                                          "yourjwtsecret",
                                          "your256bitsecret",
                                          "yoursupersecret",
                                          "mysecretkey",
                                          "astringsecretatleast",
                                          "supersecretjwt",
                                          "examplesecret",
                                          "exampleonly",
                                          "insecuresecret",
                                          "notasecret",
                                          "thisisasecret",
                                          "donotuse",
                                          "placeholder",
                                          "abcdefghijklmnopqrstuvwxyz"};
    char letters[256];
    size_t len = 0;

    for (size_t i = 0; i < text.len && len < sizeof letters - 1; i++) {
        if (ascii_is_alnum(text.ptr[i])) {
            letters[len++] = ascii_lower(text.ptr[i]);
        }
    }
    letters[len] = '\0';
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        if (strstr(letters, phrases[i])) {
            return true;
        }
    }
    return false;
}

static bool good_secret(struct slice text)
{
    /* A shorter text written again and again: all bytes the same, `secretsecret…`. */
    for (size_t period = 1; period <= text.len / 2; period++) {
        if (memcmp(text.ptr, text.ptr + period, text.len - period) == 0) {
            return false;
        }
    }
    return text.len >= SECRET_LEAST && !is_sample(text);
}

#define SECRET_MUST                                                                                \
    "must be at least 32 bytes, random and not a sample; make one with: openssl rand -base64 48"

static const struct {
    enum setting_id id;
    bool (*good)(struct slice text); /* which ends in NUL */
    const char *must;
} checks[] = {
    {SETTING_host, good_host, "must be an address or a name to listen on"},
    {SETTING_database_url, good_database,
     "must be sqlite:PATH, postgres://... or postgresql://..."},
    {SETTING_jwt_secret, good_secret, SECRET_MUST},
    {SETTING_jwt_secret_previous, good_secret, SECRET_MUST},
    {SETTING_trusted_proxies, good_proxies,
     "must be addresses or CIDRs such as 10.0.0.0/8, comma separated"},
    {SETTING_client_address_header, good_client_field,
     "must be the name of a header field such as Fly-Client-IP, or Forwarded; X-Forwarded-For is "
     "read when it is left out"},
    {SETTING_public_url, weburl_is_public,
     "must be http:// or https://, a host, and maybe a path; without a query or a fragment"},
    {SETTING_cors_origins, good_origins,
     "must be origins such as https://app.example.com (no path, no port 80 or 443, lower case), "
     "comma separated"},
    {SETTING_jwt_issuer, good_issuer,
     "must be 1 to 255 visible ASCII characters without quotes and backslashes"},
    {SETTING_metrics_addr, good_metrics, "must be HOST:PORT such as 127.0.0.1:9100 or [::1]:9100"},
};

/* Says what is wrong; never repeats a secret. */
static void refuse_setting(struct settings *settings, enum setting_id id, const char *must,
                           const char *choice)
{
    char label[4200];

    settings_label(settings, id, label, sizeof label);
    if (setting_rows[id].secret) {
        settings_blame(settings, id, "%s %s%s", label, must, choice);
    } else {
        settings_blame(settings, id, "%s is \"%s\"; it %s%s", label, *setting_text(settings, id),
                       must, choice);
    }
}

void settings_check(struct settings *settings)
{
    char why[4400];

    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const enum setting_id id = (enum setting_id)i;
        const char *choice = setting_rows[id].choice;
        if (choice && !is_chosen(*setting_text(settings, id), choice)) {
            refuse_setting(settings, id, "must be ", choice);
        }
    }
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        const enum setting_id id = checks[i].id;
        const char *value = *setting_text(settings, id);
        if (value && !checks[i].good(slice_of(value))) {
            refuse_setting(settings, id, checks[i].must, "");
        }
    }
    if (settings->host && is_bracketed(slice_of(settings->host))) {
        const size_t len = strlen(settings->host);
        memmove(settings->host, settings->host + 1, len - 2);
        settings->host[len - 2] = '\0';
    }
    if (settings->client_address_header && !settings->trusted_proxies) {
        settings_blame(settings, SETTING_client_address_header,
                       "CLIENT_ADDRESS_HEADER is believed from trusted proxies only: set "
                       "TRUSTED_PROXIES to their addresses, or leave both out");
    }
    if (!settings->faults[SETTING_database_url] && settings_judge_database &&
        !settings_judge_database(settings->database_url, why, sizeof why)) {
        settings_blame(settings, SETTING_database_url, "%s", why);
    }
}

void settings_need_secret(struct settings *settings)
{
    assert(settings);
    const bool file =
        strncmp(settings->database_url ? settings->database_url : "", "sqlite:", 7) == 0;

    if (!settings->jwt_secret && !file && !settings->faults[SETTING_database_url]) {
        settings_blame(settings, SETTING_jwt_secret,
                       "JWT_SECRET must be set when DATABASE_URL is not a file: all nodes share "
                       "it; make one with: openssl rand -base64 48");
    }
}

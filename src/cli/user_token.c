// SPDX-License-Identifier: MIT
#include "cli/user_token.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json_reader.h"
#include "cli/cli.h"
#include "cli/control.h"

#define ORDER_MOST 8192
#define DATE_LEN   10 /* 2026-12-31 */

static int complain_usage(const char *what)
{
    return complain(CLI_USAGE, "%s; see taskhold help user", what);
}

bool user_token_take_scopes(int *argc, char **argv, struct user_token_order *order)
{
    static const char flag[] = "--scope";
    const size_t len = sizeof flag - 1;
    int kept = 0;
    bool good = true;
    for (int i = 0; i < *argc; i++) {
        const char *value = NULL;
        if (strncmp(argv[i], flag, len) == 0 && argv[i][len] == '=') {
            value = argv[i] + len + 1;
        } else if (strcmp(argv[i], flag) != 0) {
            argv[kept++] = argv[i];
            continue;
        } else if (i + 1 < *argc) {
            value = argv[++i];
        }
        if (!value || order->scope_count == USER_TOKEN_SCOPES_MOST) {
            good = false;
        } else {
            order->scopes[order->scope_count++] = value;
        }
    }
    *argc = kept;
    return good || complain(CLI_USAGE, "--scope needs a value, and there are three") == CLI_OK;
}

/* ---- what is answered ---- */

struct shown {
    struct slice id;
    struct slice name;
    struct slice used;
    struct slice expires;
    struct slice token;
    struct slice detail;
    char scopes[128];
};

static void add_scopes(const struct json_member *member, struct shown *shown)
{
    struct json_parts parts = {0};
    struct json_member part;
    size_t len = 0;
    while (json_member_next(member, &parts, &part) && len < sizeof shown->scopes) {
        len += (size_t)snprintf(shown->scopes + len, sizeof shown->scopes - len, "%s%.*s",
                                len > 0 ? " " : "", (int)part.text.len, part.text.ptr);
    }
}

/* The texts live until the reader is finished, which is due either way. False: it is no object. */
static bool read_shown(struct json_reader *reader, struct slice object, struct shown *shown)
{
    const struct {
        struct slice name;
        struct slice *value;
    } columns[] = {{SLICE("id"), &shown->id},
                   {SLICE("name"), &shown->name},
                   {SLICE("last_used_at"), &shown->used},
                   {SLICE("expires_at"), &shown->expires},
                   {SLICE("token"), &shown->token},
                   {SLICE("detail"), &shown->detail}};
    char why[JSON_READER_WHY];
    struct json_member member;
    if (json_reader_init(reader, object, JSON_TOKENS, why) != JSON_READ_OK) {
        return false;
    }
    while (json_reader_next(reader, &member)) {
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            if (slice_eq(member.name, columns[i].name) && member.kind == JSON_KIND_TEXT) {
                *columns[i].value = member.text;
            }
        }
        if (slice_eq(member.name, SLICE("scopes")) && member.kind == JSON_KIND_ARRAY) {
            add_scopes(&member, shown);
        }
    }
    return true;
}

/* A line of the list: columns with tabs between them, for people and programs. */
static bool print_line(struct slice line)
{
    struct json_reader reader;
    struct shown shown = {.used = SLICE("never"), .expires = SLICE("never")};
    const bool good = read_shown(&reader, line, &shown);
    if (good) {
        printf("%.*s\t%s\t%.*s\t%.*s\t%.*s\n", (int)shown.id.len, shown.id.ptr, shown.scopes,
               (int)shown.used.len, shown.used.ptr, (int)shown.expires.len, shown.expires.ptr,
               (int)shown.name.len, shown.name.ptr);
    }
    json_reader_finish(&reader);
    return good;
}

static bool print_lines(struct slice body, bool json)
{
    unsigned count = 0;
    bool good = true;
    while (good && body.len > 0) {
        const struct slice line = slice_next(&body, '\n');
        if (json) {
            printf("%s%.*s", count++ > 0 ? ",\n" : "[\n", (int)line.len, line.ptr);
        } else {
            good = print_line(line);
        }
    }
    if (json) {
        printf(count > 0 ? "\n]\n" : "[]\n");
    }
    return good;
}

static bool print_token(struct slice body)
{
    struct json_reader reader;
    struct shown shown = {0};
    const bool good = read_shown(&reader, body, &shown) && shown.token.ptr;
    if (good) {
        printf("%.*s\n", (int)shown.token.len, shown.token.ptr);
    }
    json_reader_finish(&reader);
    return good;
}

static int complain_refused(struct slice body)
{
    struct json_reader reader;
    struct shown shown = {.detail = SLICE("the server refused it")};
    (void)read_shown(&reader, body, &shown);
    (void)complain(CLI_FAILED, "%.*s", (int)shown.detail.len, shown.detail.ptr);
    json_reader_finish(&reader);
    return CLI_FAILED;
}

/* ---- the orders ---- */

/* {email, id?}, and of a new one name, scopes and expires_at?. */
static void write_order(struct buffer *body, const struct user_token_order *order,
                        const char *email, const char *id, bool adds)
{
    struct json_writer w;
    json_writer_init(&w, body);
    jw_open_object(&w);
    cli_json_text(&w, "email", email);
    if (id) {
        cli_json_text(&w, "id", id);
    }
    if (adds) {
        char text[64];
        const bool date = order->expires && strlen(order->expires) == DATE_LEN;
        cli_json_text(&w, "name", order->name ? order->name : "taskhold user token add");
        if (order->expires) {
            (void)snprintf(text, sizeof text, "%s%s", order->expires, date ? "T00:00:00Z" : "");
            cli_json_text(&w, "expires_at", text);
        }
        jw_name(&w, SLICE("scopes"));
        jw_open_array(&w);
        for (unsigned i = 0; i < order->scope_count; i++) {
            jw_text(&w, slice_of(order->scopes[i]));
        }
        jw_close_array(&w);
    }
    jw_close_object(&w);
}

static int send_order(const char *path, struct slice body, const struct user_token_order *order,
                      const char *email, const char *id)
{
    struct control_desk *desk = NULL;
    struct client_answer answer = {0};
    int status = control_open(&desk, order->settings, false);
    if (status != CLI_OK) {
        return status;
    }
    status = control_ask(desk, path, body, &answer);
    bool good = true;
    if (status == CLI_OK && answer.status >= 300) {
        status = complain_refused(answer.body);
    } else if (status == CLI_OK && id) {
        printf("ended the token %s of %s\n", id, email);
    } else if (status == CLI_OK && answer.status == 200) {
        good = print_lines(answer.body, order->json);
    } else if (status == CLI_OK && order->json) {
        printf("%.*s\n", (int)answer.body.len, answer.body.ptr);
    } else if (status == CLI_OK) {
        good = print_token(answer.body);
    }
    if (!good) {
        status = complain(CLI_FAILED, "the server's answer cannot be read");
    }
    client_answer_finish(&answer);
    control_close(&desk);
    return status;
}

int user_token_run(int argc, char **argv, const struct user_token_order *order)
{
    const char *verb = argc > 0 ? argv[0] : "";
    const bool adds = strcmp(verb, "add") == 0;
    const bool ends = strcmp(verb, "rm") == 0;
    struct buffer body;
    int status = CLI_FAILED;
    if (!adds && !ends && strcmp(verb, "list") != 0) {
        return complain_usage("say what to do with tokens: add, list or rm");
    }
    if (argc != (ends ? 3 : 2)) {
        return complain_usage(ends ? "give one e-mail address and the id of a token"
                                   : "give one e-mail address");
    }
    if (adds != (order->scope_count > 0) || (!adds && (order->expires || order->name))) {
        return complain_usage(adds ? "say what it is good for with --scope"
                                   : "--scope, --name and --expires go with user token add");
    }
    for (int i = 1; i < argc; i++) {
        if (!utf8_valid(slice_of(argv[i]))) {
            return complain_usage("arguments must be UTF-8");
        }
    }
    buffer_init(&body, ORDER_MOST);
    write_order(&body, order, argv[1], ends ? argv[2] : NULL, adds);
    if (body.failed) {
        status = complain(CLI_FAILED, "out of memory, or an argument is too long");
    } else {
        status = send_order(adds   ? "/users/tokens"
                            : ends ? "/users/tokens/end"
                                   : "/users/tokens/list",
                            buffer_slice(&body), order, argv[1], ends ? argv[2] : NULL);
    }
    buffer_finish(&body);
    return status;
}

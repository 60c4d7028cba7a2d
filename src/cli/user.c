// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/complain.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/user_list.h"
#include "cli/user_password.h"

/* `taskhold user`: accounts, without their passwords, and invitations. */

/* More than any order takes, so that the buffer with a password in it never moves. */
#define ORDER_MOST (8 * USER_PASSWORD_SIZE)

struct user_order {
    const struct settings *settings;
    const char *email;
    const char *name;
    const char *days;
    bool json;
    bool yes;
};

struct verb {
    const char *name;
    int (*run)(const struct verb *verb, const struct user_order *order);
    const char *path; /* of the call */
    const char *done; /* what to say, around the e-mail */
    const char *after;
    int emails_least;
    int emails_most;
};

/* ---- one order ---- */

static void write_member(struct json_writer *w, struct slice name, const char *value)
{
    if (value) {
        jw_name(w, name);
        jw_text(w, slice_of(value));
    }
}

/* Writes {email?, name?, days?, password?}. */
static void write_order(struct buffer *out, const struct user_order *order, const char *password)
{
    struct json_writer w;

    json_writer_init(&w, out);
    jw_open_object(&w);
    write_member(&w, SLICE("email"), order->email);
    write_member(&w, SLICE("name"), order->name);
    write_member(&w, SLICE("days"), order->days);
    write_member(&w, SLICE("password"), password);
    jw_close_object(&w);
}

static int report(const struct verb *verb, const struct user_order *order,
                  const struct control_answer *answer)
{
    if (answer->status != 200 && answer->status != 201) {
        return user_list_complain(answer);
    }
    if (order->json) {
        printf("%.*s\n", (int)answer->body.len, answer->body.ptr);
    } else if (strcmp(verb->name, "invite") == 0) {
        return user_list_invitation(answer);
    } else {
        printf("%s %s%s\n", verb->done, order->email, verb->after);
    }
    return CLI_OK;
}

static int send_order(const struct verb *verb, const struct user_order *order, const char *password)
{
    const bool make = strcmp(verb->name, "add") == 0 || strcmp(verb->name, "invite") == 0;
    struct control_desk *desk = NULL;
    struct control_answer answer = {0};
    struct buffer body;
    int status = control_open(&desk, order->settings, make);

    buffer_init(&body, ORDER_MOST);
    if (status != CLI_OK) {
        return status;
    }
    if (buffer_reserve(&body, ORDER_MOST)) {
        write_order(&body, order, password);
    }
    if (body.failed) {
        fprintf(stderr, "taskhold: out of memory, or the e-mail or name is too long\n");
        status = CLI_FAILED;
    } else {
        status = control_ask(desk, verb->path, buffer_slice(&body), &answer);
        status = status == CLI_OK ? report(verb, order, &answer) : status;
    }
    control_answer_finish(&answer);
    control_close(&desk);
    if (body.data) {
        sodium_memzero(body.data, body.len);
    }
    buffer_finish(&body);
    return status;
}

static int run_order(const struct verb *verb, const struct user_order *order)
{
    return send_order(verb, order, NULL);
}

/* The password is read before the database is taken: somebody may type it slowly. */
static int run_with_password(const struct verb *verb, const struct user_order *order)
{
    char password[USER_PASSWORD_SIZE] = "";
    const int status =
        user_password_read(password) ? send_order(verb, order, password) : CLI_FAILED;

    sodium_memzero(password, sizeof password);
    return status;
}

static int run_delete(const struct verb *verb, const struct user_order *order)
{
    char question[512];

    if (order->yes) {
        return send_order(verb, order, NULL);
    }
    if (!isatty(STDIN_FILENO)) {
        fprintf(stderr, "taskhold: nobody can be asked here; say --yes to delete the account\n");
        return CLI_USAGE;
    }
    (void)snprintf(question, sizeof question, "Delete %s and all its tasks? [y/N] ", order->email);
    if (!user_password_confirm(question)) {
        fprintf(stderr, "taskhold: nothing was deleted\n");
        return CLI_FAILED;
    }
    return send_order(verb, order, NULL);
}

static int run_list(const struct verb *verb, const struct user_order *order)
{
    struct control_desk *desk = NULL;
    int status = control_open(&desk, order->settings, false);

    (void)verb;
    if (status == CLI_OK) {
        status = user_list_print(desk, order->json);
        control_close(&desk);
    }
    return status;
}

/* ---- the table and the arguments ---- */

static const struct verb verbs[] = {
    {"add", run_with_password, "/users", "added", "", 1, 1},
    {"invite", run_order, "/invitations", NULL, NULL, 0, 1},
    {"list", run_list, NULL, NULL, NULL, 0, 0},
    {"passwd", run_with_password, "/users/password", "changed the password of",
     "; every session has ended", 1, 1},
    {"disable", run_order, "/users/disable", "disabled", "; every session has ended", 1, 1},
    {"enable", run_order, "/users/enable", "enabled", "", 1, 1},
    {"delete", run_delete, "/users/delete", "deleted", " and all its tasks", 1, 1},
};

static const struct verb *find_verb(const char *name)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
        suggest_offer(&suggest, verbs[i].name);
    }
    if (suggest.nearest) {
        fprintf(stderr, "taskhold: unknown command user %s; did you mean user %s?\n", name,
                suggest.nearest);
    } else {
        fprintf(stderr, "taskhold: unknown command user %s; see taskhold help user\n", name);
    }
    return NULL;
}

static int usage(const char *what)
{
    fprintf(stderr, "taskhold: %s; see taskhold help user\n", what);
    return CLI_USAGE;
}

/* Whether a flag that was given goes with the verb; else says with which it goes. */
static bool goes_with(const struct verb *verb, const char *flag, bool given, const char *name)
{
    const bool good = !given || strcmp(verb->name, name) == 0;

    if (!good) {
        fprintf(stderr, "taskhold: %s goes with user %s; see taskhold help user\n", flag, name);
    }
    return good;
}

/* What stands after the settings' flags: a verb and, but for some, an e-mail. */
static int run(int argc, char **argv, struct user_order *order)
{
    const struct verb *verb = NULL;

    if (argc == 0) {
        return usage("say what to do: add, invite, list, passwd, disable, enable or delete");
    }
    verb = find_verb(argv[0]);
    if (!verb) {
        return CLI_USAGE;
    }
    if (argc - 1 < verb->emails_least) {
        return usage("give one e-mail");
    }
    if (argc - 1 > verb->emails_most) {
        return usage(verb->emails_most == 0 ? "user list takes no argument" : "give one e-mail");
    }
    if (!goes_with(verb, "--yes", order->yes, "delete") ||
        !goes_with(verb, "--name", order->name, "add") ||
        !goes_with(verb, "--days", order->days, "invite")) {
        return CLI_USAGE;
    }
    order->email = argc > 1 ? argv[1] : NULL;
    if (!utf8_valid(slice_of(order->email)) || !utf8_valid(slice_of(order->name)) ||
        !utf8_valid(slice_of(order->days))) {
        return usage("arguments must be UTF-8");
    }
    return verb->run(verb, order);
}

int cli_user(int argc, char **argv)
{
    struct settings settings = {0};
    struct user_order order = {.settings = &settings};
    char **rest = NULL;
    int rest_count = 0;
    int status = CLI_OK;

    order.json = cli_take_flag(&argc, argv, "--json");
    order.yes = cli_take_flag(&argc, argv, "--yes");
    if (!cli_take_value(&argc, argv, "--name", &order.name) ||
        !cli_take_value(&argc, argv, "--days", &order.days)) {
        return CLI_USAGE;
    }
    status = settings_load(&settings, argc, argv, &rest, &rest_count);
    if (status != CLI_OK) {
        return status;
    }
    status = run(rest_count, rest, &order);
    settings_finish(&settings);
    return status;
}

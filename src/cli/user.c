// SPDX-License-Identifier: MIT
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "api/routes.h"
#include "base/json_reader.h"
#include "base/uuid.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/user_token.h"

/* `taskhold user`: accounts, without their passwords, and invitations. */

#define PASSWORD_SIZE 4096

/* More than any order takes, so that the buffer with a password in it never moves. */
#define ORDER_MOST (8 * PASSWORD_SIZE)

struct user_order {
    const struct settings *settings;
    const char *email;
    const char *name;
    const char *days;
    bool json;
    bool yes;
};

static const struct verb {
    const char *name;
    const char *path; /* of the call; NULL: the list */
    const char *done; /* what to say, around the e-mail; NULL: the invitation */
    const char *after;
    int emails_least;
    int emails_most;
    bool has_password;
    bool makes_database; /* that is not there yet */
} verbs[] = {
    {"add", "/users", "added", "", 1, 1, true, true},
    {"invite", "/invitations", NULL, NULL, 0, 1, false, true},
    {"list", NULL, NULL, NULL, 0, 0, false, false},
    {"passwd", "/users/password", "changed the password of", "; every session has ended", 1, 1,
     true, false},
    {"disable", "/users/disable", "disabled", "; every session has ended", 1, 1, false, false},
    {"enable", "/users/enable", "enabled", "", 1, 1, false, false},
    {"delete", "/users/delete", "deleted", " and all its tasks", 1, 1, false, false},
};

/* ---- what is answered ---- */

struct column {
    struct slice name;
    struct slice *value; /* stays as it is where the member is missing or no text */
};

/* Reads members that are texts. The values live until the reader is finished, which is due either
 * way. False: it is no object. */
static bool read_texts(struct json_reader *reader, struct slice object,
                       const struct column *columns, size_t count)
{
    char why[JSON_READER_WHY];
    struct json_member member;

    if (json_reader_init(reader, object, JSON_TOKENS, why) != JSON_READ_OK) {
        return false;
    }
    while (json_reader_next(reader, &member)) {
        for (size_t i = 0; i < count; i++) {
            if (slice_eq(member.name, columns[i].name) && member.kind == JSON_KIND_TEXT) {
                *columns[i].value = member.text;
            }
        }
    }
    return true;
}

static int complain_unreadable(void)
{
    return complain(CLI_FAILED, "the server's answer cannot be read");
}

/* Says why it was refused. */
static int complain_refused(const struct client_answer *answer)
{
    struct json_reader reader;
    struct slice detail = SLICE("the server refused it");
    const struct column column = {SLICE("detail"), &detail};

    (void)read_texts(&reader, answer->body, &column, 1);
    (void)complain(CLI_FAILED, "%.*s", (int)detail.len, detail.ptr);
    json_reader_finish(&reader);
    return CLI_FAILED;
}

/* ---- the list ---- */

struct listing {
    bool json;
    bool terminal;
    unsigned count;
    char last[UUID_TEXT_LEN + 1]; /* id of the last row */
};

/* Prints an account: a line of JSON as it is; or a row of a table, with a heading on a terminal and
 * else with tabs between the columns for other programs. */
static bool print_user_row(struct listing *listing, struct slice line)
{
    struct json_reader reader;
    struct slice id = {0};
    struct slice email = {0};
    struct slice name = SLICE("");
    struct slice created_at = {0};
    struct slice disabled_at = {0};
    const struct column columns[] = {
        {SLICE("id"), &id},
        {SLICE("email"), &email},
        {SLICE("name"), &name},
        {SLICE("created_at"), &created_at},
        {SLICE("disabled_at"), &disabled_at},
    };
    const bool good = read_texts(&reader, line, columns, sizeof columns / sizeof *columns) &&
                      id.len == UUID_TEXT_LEN;

    if (good && listing->json) {
        printf("%s%.*s", listing->count > 0 ? ",\n" : "[\n", (int)line.len, line.ptr);
    } else if (good) {
        if (listing->terminal && listing->count == 0) {
            printf("%-32s %-8s %-24s %s\n", "E-MAIL", "STATE", "MADE", "NAME");
        }
        printf(listing->terminal ? "%-32.*s %-8s %-24.*s %.*s\n" : "%.*s\t%s\t%.*s\t%.*s\n",
               (int)email.len, email.ptr, disabled_at.ptr ? "disabled" : "active",
               (int)created_at.len, created_at.ptr, (int)name.len, name.ptr);
    }
    if (good) {
        memcpy(listing->last, id.ptr, UUID_TEXT_LEN);
        listing->count++;
    }
    json_reader_finish(&reader);
    return good;
}

static int print_users(struct control_desk *desk, bool json)
{
    struct listing listing = {.json = json, .terminal = isatty(STDOUT_FILENO) == 1};
    unsigned before = 0;
    int status = CLI_OK;

    do {
        char path[64] = "/users";
        struct client_answer answer = {0};
        if (listing.count > 0) {
            (void)snprintf(path, sizeof path, "/users/after/%s", listing.last);
        }
        before = listing.count;
        status = control_ask(desk, path, (struct slice){0}, &answer);
        if (status == CLI_OK && answer.status != 200) {
            status = complain_refused(&answer);
        }
        struct slice rest = answer.body;
        while (status == CLI_OK && rest.len > 0) {
            const bool good = print_user_row(&listing, slice_next(&rest, '\n'));
            status = good ? CLI_OK : complain_unreadable();
        }
        client_answer_finish(&answer);
    } while (status == CLI_OK && listing.count - before == API_CONTROL_USERS_MOST);
    if (json && status == CLI_OK) {
        printf(listing.count > 0 ? "\n]\n" : "[]\n");
    }
    return status;
}

/* ---- a password ---- */

static volatile sig_atomic_t interrupted;

static void on_password_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static bool refuse_password(const char *why)
{
    return complain(CLI_FAILED, "%s", why) == CLI_OK;
}

/* Up to the end of the line or of the input. A byte at a time: what stands after is not ours. */
static bool read_password_line(char line[static PASSWORD_SIZE])
{
    size_t len = 0;

    for (;;) {
        const ssize_t n = read(STDIN_FILENO, line + len, 1);
        if (n < 0) {
            return refuse_password(interrupted ? "interrupted" : "the password cannot be read");
        }
        if (n == 0 || line[len] == '\n') {
            line[len] = '\0';
            break;
        }
        if (line[len] == '\0') {
            return refuse_password("a password cannot contain a NUL");
        }
        if (++len == PASSWORD_SIZE) {
            return refuse_password("the password is too long");
        }
    }
    if (len == 0) {
        return refuse_password("there is no password on standard input");
    }
    return utf8_valid((struct slice){line, len}) || refuse_password("the password is not UTF-8");
}

static bool ask_password(const char *prompt, char line[static PASSWORD_SIZE])
{
    fputs(prompt, stderr);
    const bool good = read_password_line(line);
    fputc('\n', stderr);
    return good;
}

/* Reads a new password, without its line end, as text ended by NUL: from a terminal twice and
 * without echo, else the first line of standard input. Never from an argument, which every user of
 * the machine could read. False after one line on standard error. The caller wipes `password`. */
static bool read_password(char password[static PASSWORD_SIZE])
{
    char again[PASSWORD_SIZE] = "";
    struct termios normal;
    /* An interrupt must not leave the terminal without its echo, so it only breaks off the read. */
    const struct sigaction catch = {.sa_handler = on_password_interrupt};
    struct sigaction before[2];
    bool good = false;

    if (tcgetattr(STDIN_FILENO, &normal) != 0) {
        return read_password_line(password);
    }
    struct termios silent = normal;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    interrupted = 0;
    sigaction(SIGINT, &catch, &before[0]);
    sigaction(SIGTERM, &catch, &before[1]);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0) {
        refuse_password("the terminal's echo cannot be turned off");
    } else {
        good = ask_password("Password: ", password) && ask_password("Once more: ", again);
        if (good && strcmp(password, again) != 0) {
            good = refuse_password("the two passwords differ");
        }
        good = good && !interrupted;
        sodium_memzero(again, sizeof again);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &normal);
    }
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    return good;
}

/* ---- one order ---- */

/* The token on a line of its own, what it is good for, and its link if there is one. */
static int print_invitation(const struct client_answer *answer)
{
    struct json_reader reader;
    struct slice token = {0};
    struct slice email = SLICE("anyone");
    struct slice until = {0};
    struct slice link = {0};
    const struct column columns[] = {
        {SLICE("invitation"), &token},
        {SLICE("email"), &email},
        {SLICE("expires_at"), &until},
        {SLICE("link"), &link},
    };
    const bool good = read_texts(&reader, answer->body, columns, sizeof columns / sizeof *columns);

    if (good) {
        printf("%.*s\nfor one registration of %.*s until %.*s, as `invitation` in POST "
               "/v1/auth/register\n",
               (int)token.len, token.ptr, (int)email.len, email.ptr, (int)until.len, until.ptr);
    }
    if (link.ptr) {
        printf("%.*s\n", (int)link.len, link.ptr);
    }
    json_reader_finish(&reader);
    return good ? CLI_OK : complain_unreadable();
}

/* Sends {email?, name?, days?, password?}. */
static int send_order(struct control_desk *desk, const struct verb *verb,
                      const struct user_order *order, const char *password)
{
    const struct {
        const char *name;
        const char *value;
    } members[] = {{"email", order->email},
                   {"name", order->name},
                   {"days", order->days},
                   {"password", password}};
    struct client_answer answer = {0};
    struct buffer body;
    struct json_writer w;
    int status = CLI_FAILED;

    buffer_init(&body, ORDER_MOST);
    if (buffer_reserve(&body, ORDER_MOST)) {
        json_writer_init(&w, &body);
        jw_open_object(&w);
        for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
            if (members[i].value) {
                cli_json_text(&w, members[i].name, members[i].value);
            }
        }
        jw_close_object(&w);
    }
    if (body.failed) {
        status = complain(CLI_FAILED, "out of memory, or the e-mail or name is too long");
    } else {
        status = control_ask(desk, verb->path, buffer_slice(&body), &answer);
    }
    if (body.data) {
        sodium_memzero(body.data, body.len);
    }
    buffer_finish(&body);
    if (status == CLI_OK && answer.status != 200 && answer.status != 201) {
        status = complain_refused(&answer);
    } else if (status == CLI_OK && order->json) {
        printf("%.*s\n", (int)answer.body.len, answer.body.ptr);
    } else if (status == CLI_OK && !verb->done) {
        status = print_invitation(&answer);
    } else if (status == CLI_OK) {
        printf("%s %s%s\n", verb->done, order->email, verb->after);
    }
    client_answer_finish(&answer);
    return status;
}

/* Whether an account may be deleted; CLI_OK: yes. */
static int ask_consent(const struct user_order *order)
{
    char answer[16] = "";

    if (order->yes) {
        return CLI_OK;
    }
    if (!isatty(STDIN_FILENO)) {
        return complain(CLI_USAGE,
                        "there is no terminal to ask on; add --yes to delete the account");
    }
    fprintf(stderr, "Delete %s and all its tasks? [y/N] ", order->email);
    const bool yes = fgets(answer, sizeof answer, stdin) &&
                     (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
    return yes ? CLI_OK : complain(CLI_FAILED, "nothing was deleted");
}

/* What somebody has to type is read before the database is taken: that may take long. */
static int carry_out_order(const struct verb *verb, const struct user_order *order)
{
    char password[PASSWORD_SIZE] = "";
    struct control_desk *desk = NULL;
    int status = CLI_OK;

    if (strcmp(verb->name, "delete") == 0) {
        status = ask_consent(order);
    } else if (verb->has_password) {
        status = read_password(password) ? CLI_OK : CLI_FAILED;
    }
    if (status == CLI_OK) {
        status = control_open(&desk, order->settings, verb->makes_database);
    }
    if (status == CLI_OK) {
        status = verb->path ? send_order(desk, verb, order, verb->has_password ? password : NULL)
                            : print_users(desk, order->json);
        control_close(&desk);
    }
    sodium_memzero(password, sizeof password);
    return status;
}

/* ---- the arguments ---- */

static const struct verb *find_verb(const char *name)
{
    struct suggest suggest = {.word = name};

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
        suggest_offer(&suggest, verbs[i].name);
    }
    (void)complain_unknown(&suggest, "command", "user ", "taskhold help user");
    return NULL;
}

static int complain_usage(const char *what)
{
    return complain(CLI_USAGE, "%s; see taskhold help user", what);
}

/* What stands after the settings' flags: a verb and, but for some, an e-mail. */
static int run_verb(int argc, char **argv, struct user_order *order)
{
    const struct {
        const char *flag;
        bool given;
        const char *verb;
    } goes[] = {{"--yes", order->yes, "delete"},
                {"--name", order->name, "add"},
                {"--days", order->days, "invite"}};

    if (argc == 0) {
        return complain_usage(
            "say what to do: add, invite, list, passwd, disable, enable, delete or token");
    }
    const struct verb *verb = find_verb(argv[0]);
    if (!verb) {
        return CLI_USAGE;
    }
    if (argc - 1 < verb->emails_least || argc - 1 > verb->emails_most) {
        return complain_usage(verb->emails_most == 0 ? "user list takes no argument"
                                                     : "give one e-mail address");
    }
    for (size_t i = 0; i < sizeof goes / sizeof *goes; i++) {
        if (goes[i].given && strcmp(verb->name, goes[i].verb) != 0) {
            return complain(CLI_USAGE, "%s goes with user %s; see taskhold help user", goes[i].flag,
                            goes[i].verb);
        }
    }
    order->email = argc > 1 ? argv[1] : NULL;
    if (!utf8_valid(slice_of(order->email)) || !utf8_valid(slice_of(order->name)) ||
        !utf8_valid(slice_of(order->days))) {
        return complain_usage("arguments must be UTF-8");
    }
    return carry_out_order(verb, order);
}

int cli_user(int argc, char **argv)
{
    struct settings settings = {0};
    struct user_order order = {.settings = &settings};
    char **rest = NULL;
    int rest_count = 0;
    int status = CLI_OK;

    struct user_token_order token = {.settings = &settings};
    order.json = token.json = cli_take_flag(&argc, argv, "--json");
    order.yes = cli_take_flag(&argc, argv, "--yes");
    if (!cli_take_value(&argc, argv, "--name", &order.name) ||
        !cli_take_value(&argc, argv, "--days", &order.days) ||
        !cli_take_value(&argc, argv, "--expires", &token.expires) ||
        !user_token_take_scopes(&argc, argv, &token)) {
        return CLI_USAGE;
    }
    status = settings_load(&settings, argc, argv, &rest, &rest_count);
    token.name = order.name;
    if (status == CLI_OK && rest_count > 0 && strcmp(rest[0], "token") == 0) {
        status = order.days || order.yes ? complain_usage("--days and --yes go with other commands")
                                         : user_token_run(rest_count - 1, rest + 1, &token);
        settings_finish(&settings);
    } else if (status == CLI_OK && (token.expires || token.scope_count > 0)) {
        status = complain_usage("--scope and --expires go with user token add");
        settings_finish(&settings);
    } else if (status == CLI_OK) {
        status = run_verb(rest_count, rest, &order);
        settings_finish(&settings);
    }
    return status;
}

// SPDX-License-Identifier: MIT
#include "cli/user_list.h"

#include <stdio.h>
#include <unistd.h>

#include "api/routes.h"
#include "base/json_reader.h"
#include "base/uuid.h"
#include "cli/cli.h"

/* One line of the answer. Texts live as long as the reader. */
struct row {
    struct slice id;
    struct slice email;
    struct slice name;
    struct slice created_at;
    struct slice disabled_at; /* ptr NULL: not disabled */
};

struct listing {
    bool json;
    bool terminal;
    unsigned count;
    char last[UUID_TEXT_LEN + 1]; /* id of the last row */
};

struct column {
    struct slice name;
    struct slice *value;
};

static void read_texts(struct json_reader *reader, const struct column *columns, size_t count)
{
    struct json_member member;

    while (json_reader_next(reader, &member)) {
        for (size_t i = 0; i < count; i++) {
            if (slice_eq(member.name, columns[i].name) && member.kind == JSON_KIND_TEXT) {
                *columns[i].value = member.text;
            }
        }
    }
}

static void read_row(struct json_reader *reader, struct row *row)
{
    const struct column columns[] = {
        {SLICE("id"), &row->id},
        {SLICE("email"), &row->email},
        {SLICE("name"), &row->name},
        {SLICE("created_at"), &row->created_at},
        {SLICE("disabled_at"), &row->disabled_at},
    };

    read_texts(reader, columns, sizeof columns / sizeof *columns);
}

static void print_row(const struct listing *listing, struct slice line, const struct row *row)
{
    const char *state = row->disabled_at.ptr ? "disabled" : "active";

    if (listing->json) {
        printf("%s%.*s", listing->count > 0 ? ",\n" : "[\n", (int)line.len, line.ptr);
        return;
    }
    if (listing->terminal && listing->count == 0) {
        printf("%-32s %-8s %-24s %s\n", "E-MAIL", "STATE", "MADE", "NAME");
    }
    printf(listing->terminal ? "%-32.*s %-8s %-24.*s %.*s\n" : "%.*s\t%s\t%.*s\t%.*s\n",
           (int)row->email.len, row->email.ptr, state, (int)row->created_at.len,
           row->created_at.ptr, (int)row->name.len, row->name.ptr ? row->name.ptr : "");
}

static bool print_line(struct listing *listing, struct slice line)
{
    char why[JSON_READER_WHY];
    struct json_reader reader;
    struct row row = {0};
    bool good = json_reader_init(&reader, line, why) == JSON_READ_OK;

    if (good) {
        read_row(&reader, &row);
        good = row.id.len == UUID_TEXT_LEN;
    }
    if (good) {
        print_row(listing, line, &row);
        memcpy(listing->last, row.id.ptr, UUID_TEXT_LEN);
        listing->count++;
    }
    json_reader_finish(&reader);
    return good;
}

static int complain_unreadable(void)
{
    fprintf(stderr, "taskhold: the server's answer cannot be read\n");
    return CLI_FAILED;
}

/* Prints one page. `*rows`: how many it had. */
static int print_page(struct control_desk *desk, struct listing *listing, unsigned *rows)
{
    char path[64] = "/users";
    struct control_answer answer = {0};
    int status = CLI_OK;
    const unsigned before = listing->count;

    if (before > 0) {
        (void)snprintf(path, sizeof path, "/users/after/%s", listing->last);
    }
    status = control_ask(desk, path, (struct slice){0}, &answer);
    if (status == CLI_OK && answer.status != 200) {
        status = user_list_complain(&answer);
    }
    struct slice rest = answer.body;
    while (status == CLI_OK && rest.len > 0) {
        if (!print_line(listing, slice_next(&rest, '\n'))) {
            status = complain_unreadable();
        }
    }
    control_answer_finish(&answer);
    *rows = listing->count - before;
    return status;
}

int user_list_print(struct control_desk *desk, bool json)
{
    struct listing listing = {.json = json, .terminal = isatty(STDOUT_FILENO) == 1};
    unsigned rows = API_CONTROL_USERS_MOST;
    int status = CLI_OK;

    while (status == CLI_OK && rows == API_CONTROL_USERS_MOST) {
        status = print_page(desk, &listing, &rows);
    }
    if (json && status == CLI_OK) {
        printf(listing.count > 0 ? "\n]\n" : "[]\n");
    }
    return status;
}

int user_list_invitation(const struct control_answer *answer)
{
    char why[JSON_READER_WHY];
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
    const bool good = json_reader_init(&reader, answer->body, why) == JSON_READ_OK;

    if (good) {
        read_texts(&reader, columns, sizeof columns / sizeof *columns);
        printf("%.*s\n", (int)token.len, token.ptr);
        printf(
            "for one registration of %.*s until %.*s, as `invitation` in POST /v1/auth/register\n",
            (int)email.len, email.ptr, (int)until.len, until.ptr);
        if (link.ptr) {
            printf("%.*s\n", (int)link.len, link.ptr);
        }
    }
    json_reader_finish(&reader);
    return good ? CLI_OK : complain_unreadable();
}

int user_list_complain(const struct control_answer *answer)
{
    char why[JSON_READER_WHY];
    struct json_reader reader;
    struct json_member member;
    struct slice detail = SLICE("the server refused it");

    if (json_reader_init(&reader, answer->body, why) == JSON_READ_OK) {
        while (json_reader_next(&reader, &member)) {
            if (slice_eq(member.name, SLICE("detail"))) {
                detail = member.text;
            }
        }
    }
    fprintf(stderr, "taskhold: %.*s\n", (int)detail.len, detail.ptr);
    json_reader_finish(&reader);
    return CLI_FAILED;
}

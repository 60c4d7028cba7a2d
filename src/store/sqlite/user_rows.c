// SPDX-License-Identifier: MIT
#include "store/sqlite/user_rows.h"

#include "base/clock.h"
#include "store/decision.h"
#include "store/retention.h"
#include "store/sqlite/session.h"

static const struct uuid nothing;

/* ---- reads ---- */

static struct slice take_text(struct query *q, struct arena *arena)
{
    return arena ? query_copy_text(q, arena) : query_take_text(q);
}

/* The columns of a user; texts are copied into `arena`, with NULL they live until the next row. */
static struct user take_user(struct query *q, struct arena *arena)
{
    struct user user = {.id = query_take_uuid(q)};
    user.email = take_text(q, arena);
    user.name = take_text(q, arena);
    user.password_hash = take_text(q, arena);
    user.created_at = query_take_i64(q);
    user.updated_at = query_take_i64(q);
    user.disabled_at = query_take_i64(q);
    user.time_zone = user_time_zone(take_text(q, arena));
    return user;
}

/* Ends `q`, which selects a user, and looks up the address when there is one. */
static void finish_user(struct store_op *op, struct query q, struct user *user, struct slice client,
                        bool *known)
{
    const bool found = query_row(&q);
    *known = false;
    if (found)
        *user = take_user(&q, op->arena);
    int rc = query_end(&q);
    if (rc == SQLITE_OK && found && client.ptr) {
        q = QUERY(&op->session->statements, SQL_ADDRESS_KNOWN, SQL_UUID(&user->id),
                  SQL_TEXT(client));
        *known = query_row(&q);
        rc = query_end(&q);
    }
    session_read_done(op->session, op, rc, found);
}

void user_rows_by_email(struct store_user_by_email *op)
{
    finish_user(&op->op, SESSION_QUERY(op->op.session, SQL_USER_BY_EMAIL, SQL_TEXT(op->email)),
                &op->user, op->client, &op->known_address);
}

void user_rows_get(struct store_user_get *op)
{
    finish_user(&op->op, SESSION_QUERY(op->op.session, SQL_USER_GET, SQL_UUID(&op->id)), &op->user,
                op->client, &op->known_address);
}

void user_rows_list(struct store_user_list *op)
{
    unsigned given = 0;
    assert(op->limit > 0 && op->each);
    struct query q = SESSION_QUERY(op->op.session, SQL_USER_LIST, SQL_UUID(&op->after),
                                   SQL_I64((int64_t)op->limit + 1));
    op->more = false;
    while (query_row(&q) && !op->more) {
        struct user row = take_user(&q, NULL);
        op->more = given == op->limit;
        if (q.rc == SQLITE_OK && !op->more) {
            op->each(op, &row);
            given++;
        }
    }
    session_read_done(op->op.session, &op->op, query_end(&q), true);
}

/* ---- changes ---- */

int user_rows_read(struct transaction *t, const struct uuid *id, struct arena *arena,
                   struct user *user, bool *found)
{
    struct query q = QUERY(&t->statements, SQL_USER_GET, SQL_UUID(id));
    *found = query_row(&q);
    if (*found)
        *user = take_user(&q, arena);
    return query_end(&q);
}

int user_rows_put_hash(struct transaction *t, const struct uuid *id, struct slice hash, int64_t now)
{
    return QUERY_RUN(&t->statements, SQL_USER_SET_HASH, SQL_UUID(id), SQL_TEXT(hash),
                     SQL_TIME(now));
}

/* Where the sessions end too, which tells the loops of both. */
static int end_script_tokens(struct transaction *t, const struct uuid *id)
{
    return QUERY_RUN(&t->statements, SQL_SCRIPT_TOKEN_DELETE_ALL, SQL_UUID(id));
}

int user_rows_end_sessions(struct transaction *t, const struct uuid *id, const struct uuid *keep)
{
    writer_note_ended(t, id);
    return QUERY_RUN(&t->statements, SQL_SESSION_DELETE_OTHERS, SQL_UUID(id), SQL_UUID(keep));
}

/* Reads the user whom a change is about; sets the result when it must not go on. `verified`: the
 * hash that its password was checked with; NULL: it needs none. */
static int read_user(struct transaction *t, struct store_op *op, const struct uuid *id,
                     const struct slice *verified, struct user *user)
{
    bool found = false;
    int rc = user_rows_read(t, id, op->arena, user, &found);
    if (rc == SQLITE_OK && verified)
        op->result = user_decide_change(found ? user : NULL, *verified);
    else if (rc == SQLITE_OK && !found)
        op->result = ERROR_NOT_FOUND;
    return rc;
}

/* Sets the result when another account than `id` has that e-mail. */
static int check_email(struct transaction *t, struct store_op *op, struct slice email,
                       const struct uuid *id)
{
    struct query q = QUERY(&t->statements, SQL_EMAIL_OWNER, SQL_TEXT(email));
    if (query_row(&q) && !uuid_eq(query_take_uuid(&q), *id))
        op->result = ERROR_EMAIL_TAKEN;
    return query_end(&q);
}

/* ---- invitations and registrations ---- */

static int run_invite(struct transaction *t, struct store_invitation_create *op)
{
    struct query q = query_begin(&t->statements, SQL_INVITATION_COUNT);
    const bool room = query_row(&q) && query_take_i64(&q) < RETENTION_INVITATIONS;
    const int rc = query_end(&q);
    if (rc != SQLITE_OK || !room) {
        op->op.result = ERROR_QUOTA_EXCEEDED;
        return rc;
    }
    return QUERY_RUN(&t->statements, SQL_INVITATION_INSERT, SQL_BLOB(op->hash, sizeof op->hash),
                     SQL_TEXT(op->email), SQL_I64(op->now), SQL_I64(op->expires_at));
}

/* The invitation first: whoever has none must not learn who has an account. */
static int run_create(struct transaction *t, struct store_user_create *op)
{
    const struct user *user = &op->user;
    int rc = SQLITE_OK;
    if (op->invitation) {
        struct query q = QUERY(&t->statements, SQL_INVITATION_GOOD,
                               SQL_BLOB(op->invitation, STORE_INVITATION_LEN),
                               SQL_I64(user->created_at), SQL_TEXT(user->email));
        if (!query_row(&q))
            op->op.result = ERROR_INVALID_INVITATION;
        rc = query_end(&q);
    }
    if (rc == SQLITE_OK && op->op.result == ERROR_NONE)
        rc = check_email(t, &op->op, user->email, &user->id);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    if (op->invitation)
        rc = QUERY_RUN(&t->statements, SQL_INVITATION_DELETE,
                       SQL_BLOB(op->invitation, STORE_INVITATION_LEN));
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_USER_INSERT, SQL_UUID(&user->id), SQL_TEXT(user->email),
                       SQL_TEXT(user->name), SQL_TEXT(user->password_hash),
                       SQL_I64(user->created_at), SQL_I64(user->updated_at),
                       SQL_TIME(user->disabled_at));
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_SPACE_INSERT, SQL_UUID(&user->id), SQL_UUID(&user->id));
    return rc;
}

/* ---- what its owner changes ---- */

static int run_set_profile(struct transaction *t, struct store_user_set_profile *op)
{
    struct user user;
    int rc = read_user(t, &op->op, &op->id, NULL, &user);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE || !user_decide_profile(op, &user))
        return rc;
    return QUERY_RUN(&t->statements, SQL_USER_SET_PROFILE, SQL_UUID(&op->id),
                     SQL_TEXT(op->user.name), SQL_ZONE(op->user.time_zone),
                     SQL_I64(op->user.updated_at));
}

static int run_set_password(struct transaction *t, struct store_user_set_password *op)
{
    struct user user;
    int rc = read_user(t, &op->op, &op->id, &op->verified_hash, &user);
    if (rc == SQLITE_OK && op->op.result == ERROR_NONE)
        rc = user_rows_put_hash(t, &op->id, op->hash, op->now);
    if (rc == SQLITE_OK && op->op.result == ERROR_NONE)
        rc = user_rows_end_sessions(t, &op->id, &op->keep);
    if (rc == SQLITE_OK && op->op.result == ERROR_NONE)
        rc = end_script_tokens(t, &op->id);
    return rc;
}

static int run_set_email(struct transaction *t, struct store_user_set_email *op)
{
    int rc = read_user(t, &op->op, &op->id, &op->verified_hash, &op->user);
    if (rc == SQLITE_OK && op->op.result == ERROR_NONE)
        rc = check_email(t, &op->op, op->email, &op->id);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    op->user.email = op->email;
    user_touch(&op->user, op->now);
    return QUERY_RUN(&t->statements, SQL_USER_SET_EMAIL, SQL_UUID(&op->id), SQL_TEXT(op->email),
                     SQL_I64(op->now));
}

/* What stays of a deleted account is removed later (maintenance.h). */
static int erase(struct transaction *t, const struct uuid *id, int64_t now)
{
    int rc = item_rows_settle_spaces(t);
    t->deleted = true;
    if (rc == SQLITE_OK)
        rc = user_rows_end_sessions(t, id, &nothing);
    if (rc == SQLITE_OK)
        rc = end_script_tokens(t, id);
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_ACTOR_DELETE_ALL, SQL_UUID(id));
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_ADDRESS_DELETE_ALL, SQL_UUID(id));
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_SPACE_DELETE, SQL_UUID(id));
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_USER_MARK_DELETED, SQL_UUID(id), SQL_I64(now));
    return rc;
}

static int run_delete(struct transaction *t, struct store_user_delete *op)
{
    struct user user;
    int rc = read_user(t, &op->op, &op->id, &op->verified_hash, &user);
    return rc == SQLITE_OK && op->op.result == ERROR_NONE ? erase(t, &op->id, clock_wall_ms()) : rc;
}

/* ---- what needs no password ---- */

static int run_govern(struct transaction *t, struct store_user_govern *op)
{
    int rc = read_user(t, &op->op, &op->id, NULL, &op->user);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    const bool ends = user_decide_govern(op);
    switch (op->verb) {
    case STORE_USER_DISABLE:
    case STORE_USER_ENABLE:
        rc = QUERY_RUN(&t->statements, SQL_USER_SET_DISABLED, SQL_UUID(&op->id),
                       SQL_TIME(op->user.disabled_at));
        break;
    case STORE_USER_SET_PASSWORD:
        rc = user_rows_put_hash(t, &op->id, op->hash, op->now);
        if (rc == SQLITE_OK)
            rc = end_script_tokens(t, &op->id);
        break;
    case STORE_USER_ERASE: return erase(t, &op->id, op->now);
    }
    return rc == SQLITE_OK && ends ? user_rows_end_sessions(t, &op->id, &nothing) : rc;
}

SESSION_WRITE(user_rows_create, store_user_create, run_create)
SESSION_WRITE(user_rows_invite, store_invitation_create, run_invite)
SESSION_WRITE(user_rows_set_profile, store_user_set_profile, run_set_profile)
SESSION_WRITE(user_rows_set_password, store_user_set_password, run_set_password)
SESSION_WRITE(user_rows_set_email, store_user_set_email, run_set_email)
SESSION_WRITE(user_rows_delete, store_user_delete, run_delete)
SESSION_WRITE(user_rows_govern, store_user_govern, run_govern)

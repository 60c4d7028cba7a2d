// SPDX-License-Identifier: MIT
#include "store/sqlite/write_user.h"

#include "store/keeping.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"
#include "store/user_decision.h"

int write_user_read(struct transaction *t, const struct uuid *id, struct arena *arena,
                    struct user *user, bool *found)
{
    struct query q = query_begin(&t->statements, SQL_USER_GET);
    query_bind_uuid(&q, id);
    *found = query_row(&q);
    if (*found)
        *user = reader_take_user(&q, arena);
    return query_end(&q);
}

int write_user_put_hash(struct transaction *t, const struct uuid *id, struct slice hash,
                        int64_t now)
{
    struct query q = query_begin(&t->statements, SQL_USER_SET_HASH);
    query_bind_uuid(&q, id);
    query_bind_text(&q, hash);
    query_bind_time(&q, now);
    return query_run(&q);
}

/* Reads the user whom a change with the password is about; sets the result when it must not go on.
 */
static int may_change(struct transaction *t, struct store_op *op, const struct uuid *id,
                      struct slice verified, struct user *user)
{
    bool found = false;
    int rc = write_user_read(t, id, op->arena, user, &found);
    if (rc == SQLITE_OK)
        op->result = user_decide_change(found ? user : NULL, verified);
    return rc;
}

static int read_user(struct transaction *t, struct store_op *op, const struct uuid *id,
                     struct user *user)
{
    bool found = false;
    int rc = write_user_read(t, id, op->arena, user, &found);
    if (rc == SQLITE_OK && !found)
        op->result = ERROR_NOT_FOUND;
    return rc;
}

/* Does another account than `id` have that e-mail? */
static int is_taken(struct transaction *t, struct slice email, const struct uuid *id, bool *taken)
{
    struct query q = query_begin(&t->statements, SQL_EMAIL_OWNER);
    query_bind_text(&q, email);
    *taken = query_row(&q) && !uuid_eq(query_take_uuid(&q), *id);
    return query_end(&q);
}

/* ---- invitations ---- */

static int run_invite(struct transaction *t, struct store_op *base)
{
    struct store_invitation_create *op = (struct store_invitation_create *)base;
    struct query count = query_begin(&t->statements, SQL_INVITATION_COUNT);
    bool room = query_row(&count) && query_take_i64(&count) < KEEPING_INVITATIONS;
    int rc = query_end(&count);
    if (rc != SQLITE_OK || !room) {
        op->op.result = ERROR_QUOTA_EXCEEDED;
        return rc;
    }
    struct query q = query_begin(&t->statements, SQL_INVITATION_INSERT);
    query_bind_blob(&q, op->hash, sizeof op->hash);
    query_bind_text(&q, op->email);
    query_bind_i64(&q, op->now);
    query_bind_i64(&q, op->expires_at);
    return query_run(&q);
}

/* Sets the result when the invitation, if one is needed, is not good for this registration. */
static int check_invitation(struct transaction *t, struct store_user_create *op)
{
    if (!op->invitation)
        return SQLITE_OK;
    struct query q = query_begin(&t->statements, SQL_INVITATION_GOOD);
    query_bind_blob(&q, op->invitation, STORE_INVITATION_LEN);
    query_bind_i64(&q, op->user.created_at);
    query_bind_text(&q, op->user.email);
    if (!query_row(&q))
        op->op.result = ERROR_INVALID_INVITATION;
    return query_end(&q);
}

static int use_invitation(struct transaction *t, const struct store_user_create *op)
{
    if (!op->invitation)
        return SQLITE_OK;
    struct query q = query_begin(&t->statements, SQL_INVITATION_DELETE);
    query_bind_blob(&q, op->invitation, STORE_INVITATION_LEN);
    return query_run(&q);
}

/* The invitation first: whoever has none must not learn who has an account. */
static int run_create(struct transaction *t, struct store_op *base)
{
    struct store_user_create *op = (struct store_user_create *)base;
    bool taken = false;
    int rc = check_invitation(t, op);
    if (rc == SQLITE_OK && op->op.result == ERROR_NONE)
        rc = is_taken(t, op->user.email, &op->user.id, &taken);
    if (taken)
        op->op.result = ERROR_EMAIL_TAKEN;
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    rc = use_invitation(t, op);
    if (rc != SQLITE_OK)
        return rc;
    struct query q = query_begin(&t->statements, SQL_USER_INSERT);
    query_bind_uuid(&q, &op->user.id);
    query_bind_text(&q, op->user.email);
    query_bind_text(&q, op->user.name);
    query_bind_text(&q, op->user.password_hash);
    query_bind_i64(&q, op->user.created_at);
    query_bind_i64(&q, op->user.updated_at);
    query_bind_time(&q, op->user.disabled_at);
    return query_run(&q);
}

static int run_rename(struct transaction *t, struct store_op *base)
{
    struct store_user_rename *op = (struct store_user_rename *)base;
    struct user user;
    int rc = read_user(t, &op->op, &op->id, &user);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE || !user_decide_rename(op, &user))
        return rc;
    struct query q = query_begin(&t->statements, SQL_USER_RENAME);
    query_bind_uuid(&q, &op->id);
    query_bind_text(&q, op->user.name);
    query_bind_i64(&q, op->user.updated_at);
    return query_run(&q);
}

static int run_set_password(struct transaction *t, struct store_op *base)
{
    struct store_user_set_password *op = (struct store_user_set_password *)base;
    struct user user;
    int rc = may_change(t, &op->op, &op->id, op->verified_hash, &user);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    rc = write_user_put_hash(t, &op->id, op->hash, op->now);
    if (rc != SQLITE_OK)
        return rc;
    struct query q = query_begin(&t->statements, SQL_SESSION_DELETE_OTHERS);
    query_bind_uuid(&q, &op->id);
    query_bind_uuid(&q, &op->keep);
    transaction_end_sessions(t, &op->id);
    return query_run(&q);
}

static int run_set_email(struct transaction *t, struct store_op *base)
{
    struct store_user_set_email *op = (struct store_user_set_email *)base;
    bool taken = false;
    int rc = may_change(t, &op->op, &op->id, op->verified_hash, &op->user);
    if (rc == SQLITE_OK && op->op.result == ERROR_NONE)
        rc = is_taken(t, op->email, &op->id, &taken);
    if (taken)
        op->op.result = ERROR_EMAIL_TAKEN;
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    op->user.email = op->email;
    user_touch(&op->user, op->now);
    struct query q = query_begin(&t->statements, SQL_USER_SET_EMAIL);
    query_bind_uuid(&q, &op->id);
    query_bind_text(&q, op->email);
    query_bind_i64(&q, op->now);
    return query_run(&q);
}

static int erase(struct transaction *t, const struct uuid *id)
{
    struct query q = query_begin(&t->statements, SQL_USER_DELETE);
    query_bind_uuid(&q, id);
    transaction_end_sessions(t, id);
    return query_run(&q);
}

static int run_delete(struct transaction *t, struct store_op *base)
{
    struct store_user_delete *op = (struct store_user_delete *)base;
    struct user user;
    int rc = may_change(t, &op->op, &op->id, op->verified_hash, &user);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    return erase(t, &op->id);
}

/* ---- what needs no password ---- */

static int set_disabled(struct transaction *t, const struct user *user)
{
    struct query q = query_begin(&t->statements, SQL_USER_SET_DISABLED);
    query_bind_uuid(&q, &user->id);
    query_bind_time(&q, user->disabled_at);
    return query_run(&q);
}

static int end_all_sessions(struct transaction *t, const struct uuid *id)
{
    const struct uuid none = {0};
    struct query q = query_begin(&t->statements, SQL_SESSION_DELETE_OTHERS);
    query_bind_uuid(&q, id);
    query_bind_uuid(&q, &none);
    transaction_end_sessions(t, id);
    return query_run(&q);
}

static int run_govern(struct transaction *t, struct store_op *base)
{
    struct store_user_govern *op = (struct store_user_govern *)base;
    int rc = read_user(t, &op->op, &op->id, &op->user);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    const bool ends = user_decide_govern(op);
    switch (op->verb) {
    case STORE_USER_DISABLE:
    case STORE_USER_ENABLE: rc = set_disabled(t, &op->user); break;
    case STORE_USER_SET_PASSWORD: rc = write_user_put_hash(t, &op->id, op->hash, op->now); break;
    case STORE_USER_ERASE: return erase(t, &op->id);
    }
    return rc == SQLITE_OK && ends ? end_all_sessions(t, &op->id) : rc;
}

void write_user_create(struct store_user_create *op)
{
    static const struct writer_work work = {run_create};
    session_write(&op->op, &work);
}

void write_invitation_create(struct store_invitation_create *op)
{
    static const struct writer_work work = {run_invite};
    session_write(&op->op, &work);
}

void write_user_rename(struct store_user_rename *op)
{
    static const struct writer_work work = {run_rename};
    session_write(&op->op, &work);
}

void write_user_set_password(struct store_user_set_password *op)
{
    static const struct writer_work work = {run_set_password};
    session_write(&op->op, &work);
}

void write_user_set_email(struct store_user_set_email *op)
{
    static const struct writer_work work = {run_set_email};
    session_write(&op->op, &work);
}

void write_user_delete(struct store_user_delete *op)
{
    static const struct writer_work work = {run_delete};
    session_write(&op->op, &work);
}

void write_user_govern(struct store_user_govern *op)
{
    static const struct writer_work work = {run_govern};
    session_write(&op->op, &work);
}

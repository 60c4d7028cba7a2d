// SPDX-License-Identifier: MIT
#include "store/postgres/write_user.h"

#include "store/keeping.h"
#include "store/postgres/locked_user.h"
#include "store/user_decision.h"

struct user_job {
    struct locked_user locked;
    bool has_owner; /* of the e-mail that was asked for */
    struct uuid owner;
    bool invited; /* the invitation is good, or was put there */
};

/* ---- statements ---- */

static void take_owner(struct job *job, const PGresult *result)
{
    struct user_job *u = (struct user_job *)job;
    u->has_owner = PQntuples(result) > 0;
    if (!u->has_owner)
        return;
    struct row r = row_of(result, 0, NULL);
    u->owner = row_uuid(&r);
}

static void ask_owner(struct job *job, struct slice email)
{
    struct params p = {0};
    params_text(&p, email);
    job_send(job, SQL_EMAIL_OWNER, &p, take_owner);
}

/* SQL_EMAIL_INSERT or SQL_EMAIL_DELETE. */
static void send_email(struct job *job, enum sql sql, const struct uuid *id, struct slice email)
{
    struct params p = {0};
    params_uuid(&p, id);
    params_text(&p, email);
    job_send(job, sql, &p, NULL);
}

static void insert_user(struct job *job, const struct user *user)
{
    struct params p = {0};
    params_uuid(&p, &user->id);
    params_text(&p, user->email);
    params_text(&p, user->name);
    params_text(&p, user->password_hash);
    params_i64(&p, user->created_at);
    params_i64(&p, user->updated_at);
    params_time(&p, user->disabled_at);
    job_send(job, SQL_USER_INSERT, &p, NULL);
}

/* SQL_USER_RENAME or SQL_USER_SET_EMAIL. */
static void set_text(struct job *job, enum sql sql, const struct uuid *id, struct slice text,
                     int64_t now)
{
    struct params p = {0};
    params_uuid(&p, id);
    params_text(&p, text);
    params_i64(&p, now);
    job_send(job, sql, &p, NULL);
}

static void end_other_sessions(struct job *job, const struct uuid *id, const struct uuid *keep)
{
    struct params p = {0};
    params_uuid(&p, id);
    params_uuid(&p, keep);
    job_send(job, SQL_SESSION_DELETE_OTHERS, &p, NULL);
    job_end_sessions(job, id);
}

static void erase(struct job *job, const struct user *user)
{
    struct params p = {0};
    send_email(job, SQL_EMAIL_DELETE, &user->id, user->email);
    params_uuid(&p, &user->id);
    job_send(job, SQL_USER_DELETE, &p, NULL);
    job_end_sessions(job, &user->id);
}

/* Sets the result when the change that was asked for must not go on. */
static bool may_change(struct locked_user *locked, struct slice verified)
{
    struct store_op *op = locked->job.op;
    op->result = user_decide_change(locked->found ? &locked->user : NULL, verified);
    return op->result == ERROR_NONE;
}

/* An account that an earlier run of the job erased. */
static bool is_erased(const struct locked_user *locked)
{
    return locked->job.uncertain && !locked->found;
}

/* ---- steps: round 0 reads, round 1 decides and writes ---- */

static void take_invitation(struct job *job, const PGresult *result)
{
    ((struct user_job *)job)->invited = PQntuples(result) > 0;
}

static void lock_invitation(struct job *job, const struct store_user_create *op)
{
    struct params p = {0};
    params_blob(&p, op->invitation, STORE_INVITATION_LEN);
    params_i64(&p, op->user.created_at);
    params_text(&p, op->user.email);
    job_send(job, SQL_INVITATION_LOCK, &p, take_invitation);
}

static void use_invitation(struct job *job, const struct store_user_create *op)
{
    struct params p = {0};
    params_blob(&p, op->invitation, STORE_INVITATION_LEN);
    job_send(job, SQL_INVITATION_DELETE, &p, NULL);
}

/* The invitation first: whoever has none must not learn who has an account. */
static enum error decide_create(const struct user_job *u, const struct store_user_create *op)
{
    if (op->invitation && !u->invited)
        return ERROR_INVALID_INVITATION;
    return u->has_owner ? ERROR_EMAIL_TAKEN : ERROR_NONE;
}

static bool step_create(struct job *job, unsigned round)
{
    struct user_job *u = (struct user_job *)job;
    const struct store_user_create *op = (struct store_user_create *)job->op;
    if (round == 0) {
        ask_owner(job, op->user.email);
        if (op->invitation)
            lock_invitation(job, op);
        return true;
    }
    /* That it is there already, an earlier run of the job did. */
    if (u->has_owner && uuid_eq(u->owner, op->user.id))
        return false;
    job->op->result = decide_create(u, op);
    if (job->op->result != ERROR_NONE)
        return false;
    if (op->invitation)
        use_invitation(job, op);
    send_email(job, SQL_EMAIL_INSERT, &op->user.id, op->user.email);
    insert_user(job, &op->user);
    return false;
}

static bool step_invite(struct job *job, unsigned round)
{
    struct store_invitation_create *op = (struct store_invitation_create *)job->op;
    if (round == 0) {
        struct params p = {0};
        params_blob(&p, op->hash, sizeof op->hash);
        params_text(&p, op->email);
        params_i64(&p, op->now);
        params_i64(&p, op->expires_at);
        params_i64(&p, KEEPING_INVITATIONS);
        job_send(job, SQL_INVITATION_PUT, &p, take_invitation);
        return true;
    }
    if (!((struct user_job *)job)->invited)
        op->op.result = ERROR_QUOTA_EXCEEDED;
    return false;
}

/* Did an earlier run of the job do it? Then the version that it was asked of is gone. */
static bool is_renamed(const struct locked_user *locked, const struct store_user_rename *op)
{
    const struct user *user = &locked->user;
    return locked->job.uncertain && user->updated_at >= op->now && slice_eq(user->name, op->name);
}

static bool step_rename(struct job *job, unsigned round)
{
    struct locked_user *locked = (struct locked_user *)job;
    struct store_user_rename *op = (struct store_user_rename *)job->op;
    if (round == 0) {
        locked_user_ask(locked, &op->id);
        return true;
    }
    if (!locked->found) {
        op->op.result = ERROR_NOT_FOUND;
        return false;
    }
    if (is_renamed(locked, op))
        op->user = locked->user;
    else if (user_decide_rename(op, &locked->user))
        set_text(job, SQL_USER_RENAME, &op->id, op->user.name, op->user.updated_at);
    return false;
}

static bool step_set_password(struct job *job, unsigned round)
{
    struct locked_user *locked = (struct locked_user *)job;
    struct store_user_set_password *op = (struct store_user_set_password *)job->op;
    if (round == 0) {
        locked_user_ask(locked, &op->id);
        return true;
    }
    if (!may_change(locked, locked_user_expected(locked, op->verified_hash, op->hash)))
        return false;
    locked_user_put_hash(locked, op->hash, op->now);
    end_other_sessions(job, &op->id, &op->keep);
    return false;
}

static bool step_set_email(struct job *job, unsigned round)
{
    struct user_job *u = (struct user_job *)job;
    struct store_user_set_email *op = (struct store_user_set_email *)job->op;
    if (round == 0) {
        locked_user_ask(&u->locked, &op->id);
        ask_owner(job, op->email);
        return true;
    }
    if (!may_change(&u->locked, op->verified_hash))
        return false;
    if (u->has_owner && !uuid_eq(u->owner, op->id)) {
        op->op.result = ERROR_EMAIL_TAKEN;
        return false;
    }
    /* The same address in other letters keeps its row. */
    if (!u->has_owner) {
        send_email(job, SQL_EMAIL_INSERT, &op->id, op->email);
        send_email(job, SQL_EMAIL_DELETE, &op->id, u->locked.user.email);
    }
    op->user = u->locked.user;
    op->user.email = op->email;
    user_touch(&op->user, op->now);
    set_text(job, SQL_USER_SET_EMAIL, &op->id, op->email, op->now);
    return false;
}

static bool step_delete(struct job *job, unsigned round)
{
    struct locked_user *locked = (struct locked_user *)job;
    struct store_user_delete *op = (struct store_user_delete *)job->op;
    if (round == 0) {
        locked_user_ask(locked, &op->id);
        return true;
    }
    if (is_erased(locked))
        job_end_sessions(job, &op->id);
    else if (may_change(locked, op->verified_hash))
        erase(job, &locked->user);
    return false;
}

/* ---- what needs no password ---- */

static void set_disabled(struct job *job, const struct user *user)
{
    struct params p = {0};
    params_uuid(&p, &user->id);
    params_time(&p, user->disabled_at);
    job_send(job, SQL_USER_SET_DISABLED, &p, NULL);
}

static void govern(struct locked_user *locked, struct store_user_govern *op)
{
    const struct uuid none = {0};
    struct job *job = &locked->job;
    op->user = locked->user;
    const bool sessions_end = user_decide_govern(op);
    switch (op->verb) {
    case STORE_USER_DISABLE:
    case STORE_USER_ENABLE: set_disabled(job, &op->user); break;
    case STORE_USER_SET_PASSWORD: locked_user_put_hash(locked, op->hash, op->now); break;
    case STORE_USER_ERASE: erase(job, &op->user); return;
    }
    if (sessions_end)
        end_other_sessions(job, &op->id, &none);
}

static bool step_govern(struct job *job, unsigned round)
{
    struct locked_user *locked = (struct locked_user *)job;
    struct store_user_govern *op = (struct store_user_govern *)job->op;
    if (round == 0) {
        locked_user_ask(locked, &op->id);
        return true;
    }
    /* op->user is what an earlier run found, if it found any. */
    if (is_erased(locked) && op->verb == STORE_USER_ERASE && uuid_eq(op->user.id, op->id))
        job_end_sessions(job, &op->id);
    else if (!locked->found)
        op->op.result = ERROR_NOT_FOUND;
    else
        govern(locked, op);
    return false;
}

#define USER_WORK(name)                                                                            \
    {                                                                                              \
        .lane = LANE_ALONE, .size = sizeof(struct user_job), .step = step_##name                   \
    }

void pg_user_create(struct store_user_create *op)
{
    static const struct work work = USER_WORK(create);
    job_start(&op->op, &work, NULL);
}

void pg_invitation_create(struct store_invitation_create *op)
{
    static const struct work work = USER_WORK(invite);
    job_start(&op->op, &work, NULL);
}

void pg_user_rename(struct store_user_rename *op)
{
    static const struct work work = USER_WORK(rename);
    job_start(&op->op, &work, NULL);
}

void pg_user_set_password(struct store_user_set_password *op)
{
    static const struct work work = USER_WORK(set_password);
    job_start(&op->op, &work, NULL);
}

void pg_user_set_email(struct store_user_set_email *op)
{
    static const struct work work = USER_WORK(set_email);
    job_start(&op->op, &work, NULL);
}

void pg_user_delete(struct store_user_delete *op)
{
    static const struct work work = USER_WORK(delete);
    job_start(&op->op, &work, NULL);
}

void pg_user_govern(struct store_user_govern *op)
{
    static const struct work work = USER_WORK(govern);
    op->user = (struct user){0};
    job_start(&op->op, &work, NULL);
}

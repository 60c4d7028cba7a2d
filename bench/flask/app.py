# SPDX-License-Identifier: MIT
"""A typical Flask to-do service: PyJWT, sqlite3, one connection a request as Flask's tutorial has it.

Every commit is on stable storage before it is answered (synchronous=FULL), as Taskhold's are.
Use: DATABASE=FILE SECRET_KEY=SECRET gunicorn app:app
"""
import os
import sqlite3
import time
import uuid
from datetime import datetime, timezone
from functools import wraps

import jwt
from flask import Flask, g, jsonify, request
from werkzeug.security import check_password_hash, generate_password_hash

DATABASE = os.environ["DATABASE"]
SECRET_KEY = os.environ["SECRET_KEY"]
STATUSES = ("pending", "in-progress", "completed")
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id), title TEXT NOT NULL,
    description TEXT, status TEXT NOT NULL DEFAULT 'pending', created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, completed_at TEXT);
CREATE INDEX IF NOT EXISTS tasks_of_user ON tasks (user_id, created_at DESC, id DESC);
"""

app = Flask(__name__)


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(DATABASE, timeout=30)
        g.db.row_factory = sqlite3.Row
        g.db.execute("PRAGMA synchronous = FULL")
    return g.db


@app.teardown_appcontext
def close_db(_error):
    db = g.pop("db", None)
    if db is not None:
        db.close()


def init_db():
    db = sqlite3.connect(DATABASE, timeout=30)
    db.executescript(SCHEMA)
    db.close()


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def problem(status, text):
    return jsonify(error=text), status


def login_required(view):
    @wraps(view)
    def wrapped(*args, **kwargs):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return problem(401, "token missing")
        try:
            g.user_id = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])["sub"]
        except jwt.InvalidTokenError:
            return problem(401, "token invalid")
        return view(*args, **kwargs)
    return wrapped


def find_task(task_id):
    return get_db().execute(
        "SELECT * FROM tasks WHERE id = ? AND user_id = ?", (task_id, g.user_id)).fetchone()


def as_json(row):
    return {key: row[key] for key in row.keys() if key != "user_id"}


def invalid_fields(data):
    """The first thing wrong with the members of a task, or None."""
    title = data.get("title")
    description = data.get("description")
    if not isinstance(title, str) or not 1 <= len(title) <= 1024:
        return "title must have 1 to 1024 characters"
    if description is not None and not isinstance(description, str):
        return "description must be text or null"
    if data.get("status", "pending") not in STATUSES:
        return "status must be one of " + ", ".join(STATUSES)
    return None


@app.post("/v1/auth/register")
def register():
    data = request.get_json()
    user_id = str(uuid.uuid4())
    db = get_db()
    try:
        db.execute("INSERT INTO users VALUES (?, ?, ?)",
                   (user_id, data["email"], generate_password_hash(data["password"])))
        db.commit()
    except sqlite3.IntegrityError:
        return problem(409, "email taken")
    return jsonify(id=user_id, email=data["email"]), 201


@app.post("/v1/auth/login")
def login():
    data = request.get_json()
    user = get_db().execute("SELECT * FROM users WHERE email = ?", (data["email"],)).fetchone()
    if user is None or not check_password_hash(user["password_hash"], data["password"]):
        return problem(401, "invalid credentials")
    claims = {"sub": user["id"], "exp": int(time.time()) + 900}
    return jsonify(access_token=jwt.encode(claims, SECRET_KEY, algorithm="HS256"),
                   token_type="Bearer", expires_in=900)


@app.get("/v1/tasks")
@login_required
def list_tasks():
    limit = min(request.args.get("limit", 50, type=int), 100)
    offset = request.args.get("offset", 0, type=int)
    rows = get_db().execute(
        "SELECT * FROM tasks WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
        (g.user_id, limit + 1, offset)).fetchall()
    following = str(offset + limit) if len(rows) > limit else None
    return jsonify(items=[as_json(row) for row in rows[:limit]], next=following)


@app.post("/v1/tasks")
@login_required
def create_task():
    data = request.get_json()
    error = invalid_fields(data)
    if error:
        return problem(422, error)
    task_id, moment = str(uuid.uuid4()), now()
    db = get_db()
    db.execute("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
               (task_id, g.user_id, data["title"], data.get("description"),
                data.get("status", "pending"), moment, moment))
    db.commit()
    return jsonify(as_json(find_task(task_id))), 201, {"Location": f"/v1/tasks/{task_id}"}


@app.get("/v1/tasks/<task_id>")
@login_required
def get_task(task_id):
    row = find_task(task_id)
    return jsonify(as_json(row)) if row else problem(404, "not found")


@app.patch("/v1/tasks/<task_id>")
@login_required
def change_task(task_id):
    row = find_task(task_id)
    if row is None:
        return problem(404, "not found")
    task = {**as_json(row), **request.get_json()}
    error = invalid_fields(task)
    if error:
        return problem(422, error)
    completed_at = (row["completed_at"] or now()) if task["status"] == "completed" else None
    db = get_db()
    db.execute("UPDATE tasks SET title = ?, description = ?, status = ?, updated_at = ?, completed_at = ?"
               " WHERE id = ? AND user_id = ?",
               (task["title"], task["description"], task["status"], now(), completed_at,
                task_id, g.user_id))
    db.commit()
    return jsonify(as_json(find_task(task_id)))


@app.delete("/v1/tasks/<task_id>")
@login_required
def delete_task(task_id):
    db = get_db()
    gone = db.execute("DELETE FROM tasks WHERE id = ? AND user_id = ?", (task_id, g.user_id)).rowcount
    db.commit()
    return ("", 204) if gone else problem(404, "not found")


init_db()

// SPDX-License-Identifier: MIT
// A typical Fastify to-do service: @fastify/jwt, better-sqlite3, schemas for the answers.
// Every commit is on stable storage before it is answered (synchronous=FULL), as Taskhold's are.
// Use: node server.js PORT DATABASE
import { randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import Fastify from 'fastify';
import jwt from '@fastify/jwt';

const [port, file] = process.argv.slice(2);
const derive = promisify(scrypt);

const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, salt BLOB NOT NULL, hash BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id), title TEXT NOT NULL,
    description TEXT, status TEXT NOT NULL DEFAULT 'pending', created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, completed_at TEXT);
  CREATE INDEX IF NOT EXISTS tasks_of_user ON tasks (user_id, created_at DESC, id DESC);
`);

const COLUMNS = 'id, title, description, status, created_at, updated_at, completed_at';
const sql = {
  addUser: db.prepare('INSERT INTO users (id, email, salt, hash) VALUES (?, ?, ?, ?)'),
  userByEmail: db.prepare('SELECT id, salt, hash FROM users WHERE email = ?'),
  addTask: db.prepare(`INSERT INTO tasks (id, user_id, title, description, status, created_at, updated_at)
    VALUES (@id, @user_id, @title, @description, @status, @now, @now) RETURNING ${COLUMNS}`),
  task: db.prepare(`SELECT ${COLUMNS} FROM tasks WHERE id = ? AND user_id = ?`),
  tasks: db.prepare(`SELECT ${COLUMNS} FROM tasks WHERE user_id = ?
    ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`),
  change: db.prepare(`UPDATE tasks SET title = @title, description = @description, status = @status,
    updated_at = @now, completed_at = @completed_at WHERE id = @id AND user_id = @user_id
    RETURNING ${COLUMNS}`),
  remove: db.prepare('DELETE FROM tasks WHERE id = ? AND user_id = ?'),
};

const text = { type: 'string' };
const orNull = { type: ['string', 'null'] };
const status = { type: 'string', enum: ['pending', 'in-progress', 'completed'] };
const task = {
  type: 'object',
  properties: {
    id: text, title: text, description: orNull, status, created_at: text, updated_at: text, completed_at: orNull,
  },
};
const list = { type: 'object', properties: { items: { type: 'array', items: task }, next: orNull } };
const page = {
  type: 'object',
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
    offset: { type: 'integer', minimum: 0, default: 0 },
  },
};
const fields = {
  title: { type: 'string', minLength: 1, maxLength: 1024 },
  description: { type: ['string', 'null'], maxLength: 16384 },
  status,
};
const newTask = { type: 'object', required: ['title'], additionalProperties: false, properties: fields };
const changes = { type: 'object', additionalProperties: false, properties: fields };
const credentials = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email: { type: 'string', maxLength: 254 }, password: { type: 'string', minLength: 8 } },
};

const app = Fastify({ logger: false });
app.register(jwt, { secret: randomBytes(32).toString('hex'), sign: { expiresIn: '15m' } });

app.post('/v1/auth/register', { schema: { body: credentials } }, async (request, reply) => {
  const { email, password } = request.body;
  if (sql.userByEmail.get(email)) {
    return reply.code(409).send({ error: 'email taken' });
  }
  const user = { id: randomUUID(), email };
  const salt = randomBytes(16);
  sql.addUser.run(user.id, email, salt, await derive(password, salt, 64));
  return reply.code(201).send(user);
});

app.post('/v1/auth/login', { schema: { body: credentials } }, async (request, reply) => {
  const { email, password } = request.body;
  const user = sql.userByEmail.get(email);
  const hash = await derive(password, user?.salt ?? randomBytes(16), 64);
  if (!user || !timingSafeEqual(hash, user.hash)) {
    return reply.code(401).send({ error: 'invalid credentials' });
  }
  return { access_token: app.jwt.sign({ sub: user.id }), token_type: 'Bearer', expires_in: 900 };
});

app.register(async (tasks) => {
  tasks.addHook('onRequest', (request) => request.jwtVerify());

  tasks.get('/', { schema: { querystring: page, response: { 200: list } } }, async (request) => {
    const { limit, offset } = request.query;
    const rows = sql.tasks.all(request.user.sub, limit + 1, offset);
    const more = rows.length > limit;
    return { items: more ? rows.slice(0, limit) : rows, next: more ? String(offset + limit) : null };
  });

  tasks.post('/', { schema: { body: newTask, response: { 201: task } } }, async (request, reply) => {
    const { title, description = null, status: state = 'pending' } = request.body;
    const row = sql.addTask.get({
      id: randomUUID(), user_id: request.user.sub, title, description, status: state, now: new Date().toISOString(),
    });
    return reply.code(201).header('location', `/v1/tasks/${row.id}`).send(row);
  });

  tasks.get('/:id', { schema: { response: { 200: task } } }, async (request, reply) => {
    const row = sql.task.get(request.params.id, request.user.sub);
    return row ?? reply.code(404).send({ error: 'not found' });
  });

  tasks.patch('/:id', { schema: { body: changes, response: { 200: task } } }, async (request, reply) => {
    const { id } = request.params;
    const old = sql.task.get(id, request.user.sub);
    if (!old) {
      return reply.code(404).send({ error: 'not found' });
    }
    const now = new Date().toISOString();
    const next = { ...old, ...request.body, id, user_id: request.user.sub, now };
    next.completed_at = next.status === 'completed' ? (old.completed_at ?? now) : null;
    return sql.change.get(next);
  });

  tasks.delete('/:id', async (request, reply) => {
    const { changes: gone } = sql.remove.run(request.params.id, request.user.sub);
    return gone ? reply.code(204).send() : reply.code(404).send({ error: 'not found' });
  });
}, { prefix: '/v1/tasks' });

await app.listen({ host: '127.0.0.1', port: Number(port) });

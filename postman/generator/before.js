// SPDX-License-Identifier: MIT
// Runs before each request and makes what the request names in {{…}}, so that every request works alone:
// an account and a login, a list, a task, a session. What it makes stands in the variables of the collection and is
// used again as long as it is good. Its own calls stand in the console.
const get = (name) => pm.variables.get(name) || "";
const set = (name, value) => pm.collectionVariables.set(name, value);
const forget = (...names) => names.forEach((name) => set(name, ""));
const setAddress = "Start a server there, or set base_url to the address of yours, in the environment or in the "
	+ "variables of the collection, without a slash at its end.";
const closed = "This server takes no new accounts (REGISTRATION=closed). Put the e-mail address and the password of an "
	+ "account of yours into the variables email and password of the collection. Its operator makes one with: "
	+ "taskhold user add";
const unknown = "This server does not know the e-mail address and the password in the variables of the collection. Mend "
	+ "them, or empty email: then an account is made.";
const stop = (sentence) => { throw new Error(sentence); };
const base = get("base_url");
const text = JSON.stringify(pm.request);
const names = (name) => text.includes(`{{${name}}}`);
const call = `${pm.request.method} ${pm.request.url.toString().replace("{{base_url}}", "")}`;
const randomEmail = () => pm.variables.replaceIn("postman-{{$guid}}@example.com");
const madeHere = () => /^postman-[0-9a-f-]{36}@example\.com$/.test(get("email"));
const named = (what) => pm.variables.replaceIn(`${what}-{{$guid}}`).slice(0, what.length + 9);
const account = () => ({ email: get("email"), password: get("password") });

// One call. `token`: the access token to send.
const send = (method, path, body, token, more) => new Promise((done, failed) => {
	const header = { ...more };
	if (body) header["Content-Type"] = "application/json";
	if (token) header.Authorization = `Bearer ${token}`;
	const sent = { url: base + path, method, header, body: body && { mode: "raw", raw: JSON.stringify(body) } };
	pm.sendRequest(sent, (error, answer) => {
		if (!error) return done(answer);
		failed(new Error(`Nothing answers at ${base} (${error.message || error.code}). ${setAddress}`));
	});
});

// A call that must answer `status`; its answer.
async function need(status, method, path, body, token = get("access_token"), more) {
	const answer = await send(method, path, body, token, more);
	if (answer.code === status) return answer;
	let problem = {};
	try { problem = answer.json(); } catch (_) { /* not from Taskhold */ }
	if (problem.code === "registration_closed") stop(closed);
	stop(`${method} ${path} answers ${answer.code}: ${problem.detail || "this is no answer of Taskhold."}`);
}

// Another server than before has neither our account nor our tasks.
async function useServer() {
	if (get("server") === base) return;
	const answer = await send("GET", "/livez");
	const alive = answer.code === 200 && answer.text().includes('"ok"');
	if (!alive) stop(`${base} is no Taskhold server: GET /livez answers ${answer.code}. ${setAddress}`);
	if (madeHere()) forget("email");
	forget("logged_in_as");
	set("server", base);
}

async function register() {
	const email = randomEmail();
	await need(201, "POST", "/v1/auth/register", { email, password: get("password") }, "");
	set("email", email);
}

// Makes sure that {{email}} has an account and {{access_token}} is good.
async function logIn() {
	const token = get("logged_in_as") === get("email") && get("access_token");
	if (token && (await send("GET", "/v1/me", null, token)).code === 200) return;
	forget("access_token", "refresh_token", "task_id", "list_id", "used_key", "next_cursor", "day_list_id");
	forget("other_token", "shared_id", "trashed_id");
	const old = get("email") ? await send("POST", "/v1/auth/login", account()) : null;
	if (old && old.code === 401 && !madeHere()) stop(unknown);
	if (!old || old.code === 401) await register();
	const tokens = (old && old.code === 200 ? old : await need(200, "POST", "/v1/auth/login", account(), "")).json();
	set("access_token", tokens.access_token);
	set("refresh_token", tokens.refresh_token);
	set("logged_in_as", get("email"));
}

// The four dates, by the clock of this machine.
function setDates() {
	const days = { yesterday: -1, today: 0, tomorrow: 1, next_week: 7 };
	const date = (count) => new Date(Date.now() + count * 864e5).toISOString().slice(0, 10);
	for (const [name, count] of Object.entries(days)) set(name, date(count));
}

// What *A day with tasks* is about: variable, path, body. Made at once where its list is not there, or is of
// another day.
const day = "MADE";
async function makeDay() {
	const path = `/v1/lists/${get("day_list_id")}`;
	const list = get("day_list_id") ? await send("GET", path, null, get("access_token")) : null;
	if (list && list.code === 200) {
		if (list.json().metadata.day === get("today")) return;
		await need(204, "DELETE", `${path}?tasks=delete`);
	}
	make.day_label();
	for (const [name, where, body] of day) {
		const filled = JSON.parse(pm.variables.replaceIn(JSON.stringify(body)));
		set(name, (await need(201, "POST", where, filled)).json().id);
	}
}

// The other of *Two devices* changes the title of the task that both see; the answer.
async function changeShared() {
	set("changed_title", named("Call the plumber"));
	const path = `/v1/tasks/${get("shared_id")}`;
	const task = (await need(200, "PATCH", path, { title: get("changed_title") }, get("other_token"))).json();
	set("changed_revision", task.revision);
}

// Reads all changes; the place after the last.
async function lastCursor() {
	for (let page = { more: true, next_cursor: "" }; ; ) {
		const cursor = page.next_cursor && `&cursor=${page.next_cursor}`;
		page = (await need(200, "GET", `/v1/changes?limit=500${cursor}`)).json();
		if (!page.more) return page.next_cursor;
	}
}

async function otherDevice() {
	const old = get("other_token") && (await send("GET", "/v1/me", null, get("other_token"))).code === 200;
	if (!old) set("other_token", (await need(200, "POST", "/v1/auth/login", account(), "")).json().access_token);
}

async function makeShared() {
	await otherDevice();
	const path = `/v1/tasks/${get("shared_id")}`;
	const old = get("shared_id") ? await send("GET", path, null, get("access_token")) : null;
	if (old && old.code === 200) return;
	const task = { title: "Call the plumber" };
	set("shared_id", (await need(201, "POST", "/v1/tasks", task, get("other_token"))).json().id);
}

// How each variable is made that a request can name.
const make = {
	day_label: () => get("day_label") || set("day_label", named("shop")),
	async next_plants_id() { // the plants are watered, so the next one comes
		const path = `/v1/tasks/${get("next_plants_id")}`;
		const old = get("next_plants_id") ? await send("GET", path, null, get("access_token")) : null;
		if (old && old.code === 200 && old.json().series_id === get("plants_id")) return;
		const watered = await need(200, "PATCH", `/v1/tasks/${get("plants_id")}`, { status: "completed" });
		set("next_plants_id", watered.json().next_id);
	},
	new_label: () => set("new_label", named("errand")),
	async list_id() {
		const path = `/v1/lists/${get("list_id")}`;
		const old = get("list_id") ? await send("GET", path, null, get("access_token")) : null;
		const list = old && old.code === 200 ? old : await need(201, "POST", "/v1/lists", { name: "Household" });
		set("list_id", list.json().id);
	},
	async weekly_id() {
		const path = `/v1/tasks/${get("weekly_id")}`;
		const old = get("weekly_id") ? await send("GET", path, null, get("access_token")) : null;
		const weekly = { title: "Water the plants", due: get("today"), recurrence: "FREQ=WEEKLY" };
		const task = old && old.code === 200 ? old : await need(201, "POST", "/v1/tasks", weekly);
		set("weekly_id", task.json().id);
	},
	async label() {
		await make.task_id();
		if (!get("label")) set("label", named("shop"));
		await need(200, "PATCH", `/v1/tasks/${get("task_id")}`, { labels: [get("label")] });
	},
	new_email: () => set("new_email", randomEmail()),
	new_password: () => set("new_password", pm.variables.replaceIn("staple {{$guid}}")),
	async task_id() {
		const path = `/v1/tasks/${get("task_id")}`;
		const old = get("task_id") ? await send("GET", path, null, get("access_token")) : null;
		const task = old && old.code === 200 ? old : await need(201, "POST", "/v1/tasks", { title: "Buy milk" });
		set("task_id", task.json().id);
		set("etag", task.headers.get("ETag"));
	},
	async task_revision() { // a change that can be taken back
		await make.task_id();
		const title = pm.variables.replaceIn("Changed: {{$guid}}");
		const task = await need(200, "PATCH", `/v1/tasks/${get("task_id")}`, { title });
		set("task_revision", task.json().revision);
		set("etag", task.headers.get("ETag"));
	},
	async old_etag() { // another client changes the task
		set("old_etag", get("etag"));
		const description = pm.variables.replaceIn("Changed by another client: {{$guid}}");
		const task = await need(200, "PATCH", `/v1/tasks/${get("task_id")}`, { description });
		set("etag", task.headers.get("ETag"));
	},
	async list_etag() {
		set("list_etag", (await need(200, "GET", "/v1/tasks")).headers.get("ETag"));
	},
	async next_cursor() {
		if (get("next_cursor")) return;
		for (const title of ["Buy bread", "Buy butter"]) await need(201, "POST", "/v1/tasks", { title });
		set("next_cursor", (await need(200, "GET", "/v1/tasks?limit=1")).json().next_cursor);
	},
	async used_key() {
		if (get("used_key")) return;
		const key = pm.variables.replaceIn("{{$guid}}");
		const header = { "Idempotency-Key": key };
		const task = await need(201, "POST", "/v1/tasks", { title: "Buy bread" }, get("access_token"), header);
		set("used_key", key);
		set("used_id", task.json().id);
	},
	async session_id() { // a login on a second device
		const token = (await need(200, "POST", "/v1/auth/login", account(), "")).json().access_token;
		const sessions = (await need(200, "GET", "/v1/me/sessions", null, token)).json();
		set("session_id", sessions.items.find((one) => one.current).id);
	},
	other_token: otherDevice,
	shared_id: makeShared,
	async changes_cursor() {
		await makeShared();
		set("changes_cursor", await lastCursor());
		await changeShared();
	},
	async last_cursor() {
		set("last_cursor", await lastCursor());
	},
	changed_revision: changeShared,
	async old_revision() {
		await changeShared();
		set("old_revision", get("changed_revision"));
		await changeShared();
	},
	async trashed_id() {
		const path = `/v1/tasks/${get("trashed_id")}`;
		const old = get("trashed_id") ? await send("GET", `${path}/history`, null, get("access_token")) : null;
		if (old && old.code === 200 && (await send("GET", path, null, get("access_token"))).code === 404) return;
		await makeShared();
		await need(204, "DELETE", `/v1/tasks/${get("shared_id")}`, null, get("other_token"));
		set("trashed_id", get("shared_id"));
		forget("shared_id");
	},
	async script_token_id() { // a token for a script that only reads
		const tokens = (await need(200, "GET", "/v1/me/tokens")).json().items;
		if (tokens.some((one) => one.id === get("script_token_id"))) return;
		const wanted = { name: "Nightly backup", scopes: ["tasks:read"], password: get("password") };
		const made = (await need(201, "POST", "/v1/me/tokens", wanted)).json();
		set("script_token", made.token);
		set("script_token_id", made.id);
	},
	script_token: () => make.script_token_id(),
	async ended_token() {
		if (get("ended_token")) return;
		const token = (await need(200, "POST", "/v1/auth/login", account(), "")).json().access_token;
		await need(204, "POST", "/v1/auth/logout", null, token);
		set("ended_token", token);
	},
};

// These change, log out or delete the account itself, or empty its trash: never yours, only one that this collection
// made.
const harmful = [
	"PATCH /v1/me", "PUT /v1/me/password", "PUT /v1/me/email", "POST /v1/me/deletion", "DELETE /v1/me/sessions",
	"DELETE /v1/trash",
];

async function prepare() {
	setDates();
	await useServer();
	const token = !pm.request.auth || pm.request.auth.type !== "noauth";
	if (token || ["email", "access_token", "refresh_token"].some(names)) await logIn();
	if (harmful.includes(call) && !madeHere()) {
		console.warn(`${call} is not sent: ${get("email")} is your account. Empty the variable email: then one is made.`);
		pm.execution.skipRequest();
		return;
	}
	if (call === "POST /v1/auth/register" && names("new_email") && madeHere()) {
		await logIn(); // the new account takes the place of the old one
		await need(204, "POST", "/v1/me/deletion", { password: get("password") });
		forget("email");
	}
	if (["day_label", "next_plants_id", ...day.map(([name]) => name)].some(names)) await makeDay();
	for (const [name, one] of Object.entries(make)) if (names(name)) await one();
}

prepare().catch((error) => {
	console.error(error.message);
	pm.test("has what it needs", () => { throw error; });
	pm.execution.skipRequest();
});

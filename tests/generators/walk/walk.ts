// SPDX-License-Identifier: MIT
// Walks through the API with openapi-fetch and the types that openapi-typescript made: walk.js URL
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "../openapi-typescript/schema.js";

function expect(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

const baseUrl = process.argv[2]!;
const client = createClient<paths>({ baseUrl });
const account: components["schemas"]["Registration"] = { email: "typescript@example.com", password: "a long pass phrase" };

const registered = await client.POST("/v1/auth/register", { body: account });
expect(registered.data?.email === account.email, "register");
const login = await client.POST("/v1/auth/login", { body: account });
expect(login.data?.token_type === "Bearer", "login");
const token = login.data.access_token;
const bearer: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
};
client.use(bearer);

for (const title of ["One", "Two", "Three"]) {
  const created = await client.POST("/v1/tasks", { body: { title, status: "pending" } });
  expect(created.data?.description === null && created.response.status === 201, "create");
}
const first = await client.GET("/v1/tasks", { params: { query: { limit: 2, status: ["pending", "in-progress"] } } });
expect(first.data?.items.length === 2 && first.data.next_cursor !== null, "first page");
const second = await client.GET("/v1/tasks", {
  params: { query: { limit: 2, status: ["pending", "in-progress"], cursor: first.data.next_cursor } },
});
expect(second.data?.items.length === 1 && second.data.next_cursor === null, "second page");

const task: components["schemas"]["TaskItem"] = second.data.items[0]!;
const path = { id: task.id };
const read = await client.GET("/v1/tasks/{id}", { params: { path } });
const tag = read.response.headers.get("ETag")!;
const changed = await client.PATCH("/v1/tasks/{id}", {
  params: { path, header: { "If-Match": tag } },
  body: { status: "completed" },
});
expect(changed.data?.status === "completed" && changed.data.completed_at !== null, "patch");
const late = await client.PATCH("/v1/tasks/{id}", { params: { path, header: { "If-Match": tag } }, body: { title: "Late" } });
expect(late.response.status === 412 && late.error?.code === "precondition_failed", "412");
const blank = await client.POST("/v1/tasks", { body: { title: " " } });
expect(blank.response.status === 422 && blank.error?.errors?.[0]?.pointer === "/title", "422");
const removed = await client.DELETE("/v1/tasks/{id}", { params: { path } });
expect(removed.response.status === 204, "delete");
const absent = await client.GET("/v1/tasks/{id}", { params: { path } });
expect(absent.error?.code === "not_found", "404");

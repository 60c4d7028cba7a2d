// SPDX-License-Identifier: MIT
// Runs after each request: what holds for every answer.
const field = (name) => pm.response.headers.get(name) || "";
pm.test("has a request id", () => pm.expect(field("X-Request-Id")).to.match(/^[A-Za-z0-9._-]{1,64}$/));
pm.test("is not sniffed", () => pm.expect(field("X-Content-Type-Options")).to.eql("nosniff"));
pm.test("tells no version of the server", () => pm.expect(field("Server")).to.not.match(/[0-9]/));
if (pm.response.code >= 400 && field("Content-Type").startsWith("application/problem+json")) {
	const problem = pm.response.json();
	const members = ["type", "title", "status", "detail", "instance", "code", "request_id"];
	pm.test("has the members of a problem", () => pm.expect(problem).to.include.all.keys(members));
	pm.test("has the status of the answer", () => pm.expect(problem.status).to.eql(pm.response.code));
	pm.test("has the request id of the answer", () => pm.expect(problem.request_id).to.eql(field("X-Request-Id")));
	pm.test("leads to a page about itself", () => pm.expect(problem.type.endsWith(`/problems/${problem.code}`)).to.be.true);
	if (problem.code === "registration_closed") console.error("This server takes no new accounts (REGISTRATION=closed).");
}

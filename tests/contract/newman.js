#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Runs the collection in other ways than from top to bottom: newman.js alone|reversed|stale COLLECTION BASE_URL ...
//
// `alone` runs every request in a run of its own, with nothing in the variables. `reversed` runs the folders, and the
// requests in each, from the last to the first. `stale` keeps the variables of a run on the first server and runs every
// request with a task on a second one: as another server, as the same one whose database was made anew, and with a token
// that has expired. Prints one line for each failure, then how much was run.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const newman = require(path.resolve(__dirname, "../tools/node_modules/newman"));

const AT_ONCE = 4;

function reversed(items) {
  return [...items].reverse().map((one) => (one.item ? { ...one, item: reversed(one.item) } : one));
}

function run(collection, base) {
  return new Promise((done, failed) => {
    newman.run({ collection, envVar: [{ key: "base_url", value: base }], reporters: [] }, (error, summary) =>
      error ? failed(error) : done({ ...summary.run, variable: summary.collection.variables.toJSON() }));
  });
}

function single(collection) {
  return collection.item.flatMap((folder) =>
    folder.item.map((item) => ({ ...collection, item: [{ ...folder, item: [item] }] })));
}

async function main([how, file, base, second]) {
  const collection = JSON.parse(fs.readFileSync(file, "utf8"));
  const total = { runs: 0, requests: 0, tests: 0, failures: 0 };
  if (how === "stale") {
    const about = single(collection).filter((one) => JSON.stringify(one.item[0].item[0].request).includes("{{task_id}}"));
    const { variable } = await run(about[0], base);
    const kept = (changed) => about.map((one) => (
      { ...one, variable: variable.map((row) => (row.key in changed ? { ...row, value: changed[row.key] } : row)) }));
    await runAll([...kept({}), ...kept({ server: second })], second, total);
    await runAll(kept({ access_token: "not.a.token" }), base, total);
  } else {
    await runAll(how === "alone" ? single(collection) : [{ ...collection, item: reversed(collection.item) }], base, total);
  }
  console.log(JSON.stringify(total));
  return total.failures ? 1 : 0;
}

async function runAll(parts, base, total) {
  const next = async () => {
    for (let one = parts.shift(); one; one = parts.shift()) {
      const result = await run(one, base);
      total.runs += 1;
      total.requests += result.executions.filter((one) => one.response).length;
      total.tests += result.stats.assertions.total;
      total.failures += result.failures.length;
      for (const { source, error } of result.failures) console.log(`${source.name}: ${error.test || ""} ${error.message}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

main(process.argv.slice(2)).then((status) => process.exit(status));

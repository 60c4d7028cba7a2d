#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Runs the collection in other ways than from top to bottom: newman.js alone|reversed COLLECTION BASE_URL
//
// `alone` runs every request in a run of its own, with nothing in the variables. `reversed` runs the folders, and the
// requests in each, from the last to the first. Prints one line for each failure, then how much was run.
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
      error ? failed(error) : done(summary.run));
  });
}

async function main([how, file, base]) {
  const collection = JSON.parse(fs.readFileSync(file, "utf8"));
  const parts = how === "alone"
    ? collection.item.flatMap((folder) => folder.item.map((item) => [{ ...folder, item: [item] }]))
    : [reversed(collection.item)];
  const total = { runs: 0, requests: 0, tests: 0, failures: 0 };
  const next = async () => {
    for (let item = parts.shift(); item; item = parts.shift()) {
      const result = await run({ ...collection, item }, base);
      total.runs += 1;
      total.requests += result.executions.filter((one) => one.response).length;
      total.tests += result.stats.assertions.total;
      total.failures += result.failures.length;
      for (const { source, error } of result.failures) console.log(`${source.name}: ${error.test || ""} ${error.message}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  console.log(JSON.stringify(total));
  return total.failures ? 1 : 0;
}

main(process.argv.slice(2)).then((status) => process.exit(status));

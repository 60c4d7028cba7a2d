#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Checks every saved example of the collection against the description: examples.js DESCRIPTION COLLECTION.
//
// The answers in the examples were recorded from a running server, those too that prism as a proxy would answer by itself
// (a request without a token, a body that is no JSON). Prints one line for each violation and exits with 1 if there is one.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const tools = path.resolve(__dirname, "../tools/node_modules");
const { getHttpOperationsFromSpec } = require(path.join(tools, "@stoplight/prism-http"));
const { validateOutput } = require(path.join(tools, "@stoplight/prism-http/dist/validator"));

function* examples(items) {
  for (const item of items) {
    if (item.item) yield* examples(item.item);
    for (const response of item.response || []) yield { item: item.name, response };
  }
}

function pathOf(url) {
  const variables = new Map((url.variable || []).map((one) => [one.key, one.value]));
  return "/" + url.path.map((part) => (part.startsWith(":") ? variables.get(part.slice(1)) : part)).join("/");
}

function find(operations, method, target) {
  return operations.find((one) => {
    const pattern = one.path.split("/").map((part) => (part.startsWith("{") ? "[^/]+" : part)).join("/");
    return one.method === method.toLowerCase() && new RegExp(`^${pattern}$`).test(target);
  });
}

function element(response) {
  const headers = Object.fromEntries(response.header.map((one) => [one.key.toLowerCase(), one.value]));
  const json = /json$/.test((headers["content-type"] || "").split(";")[0]);
  return { statusCode: response.code, headers, body: json ? JSON.parse(response.body) : response.body || undefined };
}

// Prism lets a media type pass that the description does not have for this status.
function* strayMediaType(operation, { statusCode, headers }) {
  const described = operation.responses.find((one) => one.code === String(statusCode)) || operation.responses.find((one) => one.code === "default");
  const known = ((described && described.contents) || []).map((one) => one.mediaType);
  const sent = (headers["content-type"] || "").split(";")[0];
  if (sent ? !known.includes(sent) : known.length) yield { message: `is ${sent || "without a media type"}, described is ${known}` };
}

async function main([description, collection]) {
  const operations = await getHttpOperationsFromSpec(description);
  let checked = 0;
  let bad = 0;
  for (const { item, response } of examples(JSON.parse(fs.readFileSync(collection, "utf8")).item)) {
    const request = response.originalRequest;
    const operation = find(operations, request.method, pathOf(request.url));
    if (!operation) continue; // the folder of what the description has no call for
    checked += 1;
    const answer = element(response);
    const result = validateOutput({ resource: operation, element: answer });
    for (const violation of [...(result._tag === "Left" ? result.left : []), ...strayMediaType(operation, answer)]) {
      bad += 1;
      console.log(`${item} / ${response.name}: ${(violation.path || []).join(".")} ${violation.message}`);
    }
  }
  console.log(`${checked} examples`);
  return bad || !checked ? 1 : 0;
}

main(process.argv.slice(2)).then((status) => process.exit(status));

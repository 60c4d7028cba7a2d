// SPDX-License-Identifier: MIT
// Keeps a copy of an account's tasks and lists, in a browser or in Node 22. docs/clients.md explains it.
// As a program it keeps the copy in a file: TASKHOLD_TOKEN=… node --experimental-strip-types sync.ts BASE FILE
// It ends with status 3 when the token has ended: start it again with a new one.

type Thing = { id: string; revision: number; [member: string]: unknown };
type Change = { kind: string; op: string; id: string; [kind: string]: unknown };
type Kept = { cursor: string; things: Record<string, Thing> };

class Refused extends Error {
  response: Response;
  constructor(response: Response) {
    super(`HTTP ${response.status}`);
    this.response = response;
  }
}

export class Copy {
  things = new Map<string, Thing>(); // keyed by kind and id
  cursor = ""; // the place in the order of changes that they stand for
  base: string;
  token: string;
  save: (copy: Copy) => void;
  #whole = false;
  #unseen = new Set<string>(); // what a walk that began again did not bring yet
  #retry = 2000; // milliseconds

  constructor(base: string, token: string, save: (copy: Copy) => void, kept?: Kept) {
    this.base = base;
    this.token = token;
    this.save = save;
    if (!kept) return;
    this.things = new Map(Object.entries(kept.things));
    this.cursor = kept.cursor;
    this.#whole = true;
  }

  async #get(path: string, signal: AbortSignal, fields = {}) {
    const response = await fetch(this.base + path, { headers: { Authorization: `Bearer ${this.token}`, ...fields }, signal });
    if (!response.ok) throw new Refused(response);
    return response;
  }

  #apply(change: Change) {
    const key = `${change.kind}/${change.id}`;
    this.#unseen.delete(key);
    if (change.op === "put") this.things.set(key, change[change.kind] as Thing);
    else this.things.delete(key); // it may never have come
  }

  #beginAgain() {
    this.cursor = "";
    this.#whole = false;
    this.#unseen = new Set(this.things.keys());
  }

  async #walk() {
    while (!this.#whole) {
      const path = "/v1/changes?limit=500" + (this.cursor && `&cursor=${this.cursor}`);
      const page = await (await this.#get(path, AbortSignal.timeout(15_000))).json();
      page.changes.forEach((change: Change) => this.#apply(change));
      this.cursor = page.next_cursor;
      this.#whole = !page.more;
    }
    for (const key of this.#unseen) this.things.delete(key);
    this.#unseen.clear();
    this.save(this);
  }

  async #follow() {
    const silence = new AbortController(); // a stream says something every 15 s
    const heard = <T>(step: Promise<T>) => {
      const timer = setTimeout(() => silence.abort(), 40_000);
      return step.finally(() => clearTimeout(timer));
    };
    const fields = { Accept: "text/event-stream", "Last-Event-ID": this.cursor };
    const { body } = await heard(this.#get("/v1/events", silence.signal, fields));
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = "", read; !(read = await heard(reader.read())).done; ) {
      const events = (text + read.value).split("\n\n"); // an empty line ends an event
      text = events.pop()!;
      for (const event of events) {
        this.#take(new Map(event.split("\n").map((line) => line.split(/: ?(.*)/, 2) as [string, string])));
      }
    }
  }

  #take(event: Map<string, string>) {
    this.#retry = Number(event.get("retry") ?? this.#retry);
    this.cursor = event.get("id") ?? this.cursor;
    const kind = event.get("event");
    if (kind === "change") this.#apply(JSON.parse(event.get("data")!));
    else if (kind === "ready") this.save(this); // nothing newer is there
    else if (kind === "gone") this.#beginAgain();
  }

  // Resolves when the token has ended; it may be called again with another `token`.
  async run() {
    for (;;) {
      let wait = 0;
      try {
        await this.#walk();
        await this.#follow();
      } catch (error) {
        if (error instanceof Refused) {
          const { status, headers } = error.response;
          wait = Number(headers.get("Retry-After")) * 1000;
          if (status === 401) return;
          if (status === 410) this.#beginAgain();
          else if (status < 500 && !wait) throw error;
        } else if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
        // the other two: no network, or a server that starts again
      }
      await new Promise((done) => setTimeout(done, wait || this.#retry));
    }
  }
}

declare const process: any; // of Node

if (typeof process === "object" && process.argv[1]?.endsWith("sync.ts")) {
  const { existsSync, readFileSync, renameSync, writeFileSync } = await import("node:fs");
  const [base, path] = process.argv.slice(2);
  const save = (copy: Copy) => {
    writeFileSync(`${path}.part`, JSON.stringify({ cursor: copy.cursor, things: Object.fromEntries(copy.things) }));
    renameSync(`${path}.part`, path);
  };
  const kept = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  await new Copy(base, process.env.TASKHOLD_TOKEN, save, kept).run();
  console.error("the token has ended: start again with a new one");
  process.exitCode = 3;
}

# SPDX-License-Identifier: MIT
"""Which calls changed something, and between which revisions each call was answered: from the answers, the actors of the
journal, and the clock of the harness, which is one for all."""
import bisect
from collections import defaultdict

DELETE = 4  # the verb of the journal


def number_of(etag):
    """The revision in an entity tag, of one thing or (`l`) of a list; None: it has none."""
    text = (etag or "").strip('"').rpartition("-")[2].removeprefix("l")
    return int(text) if text.isdigit() else None


def is_list(path):
    """Is it a list whose entity tag is the revision of the whole account?"""
    base, _, query = path.partition("?")
    return base in ("/v1/tasks", "/v1/lists") and not any(word in query for word in ("overdue", "ready"))


def is_purge(call):
    """Does it change what no revision tells of?"""
    return call.method == "DELETE" and call.path.startswith("/v1/trash")


class Effects:
    """`changes`: by client, the calls that changed something, in their order. `complain` hears of what is wrong."""

    def __init__(self, history, complain):
        self.history, self.complain = history, complain
        self.changes, self.replayed = {}, 0
        self.calls = sorted(history.calls, key=lambda one: one.start)
        self.settle_keys()
        queues = defaultdict(list)
        for call in self.calls:
            queues[call.client].append(call)
        for client, calls in queues.items():
            self.find(client, calls)
        self.bound()

    def settle_keys(self):
        """Of the calls under one key one was made, and all good answers are the same."""
        keyed = defaultdict(list)
        for call in self.calls:
            if call.key and call.status < 300:
                keyed[call.key].append(call)
        for calls in keyed.values():
            made = [call for call in calls if not call.replayed]
            if len(made) > 1:
                self.complain("made twice under one key", made[1])
            if len({call.text for call in calls}) > 1:
                self.complain("two answers under one key", calls[1])
            if not made:  # its answer was lost
                calls[0].end = min(call.end for call in calls)
                calls[0].replayed = False
            self.replayed += len(calls) - 1
        self.calls.sort(key=lambda one: one.start)

    def find(self, client, calls):
        """Of one client: its own rows, in order, are those of its calls, in order."""
        own = [row for row in self.history.journal if self.history.sessions.get(row.actor) == client]
        mains = {(row.revision, row.id) for row in own if row.follows is None}
        gone = defaultdict(list)
        for row in own:
            if row.verb == DELETE and row.follows is None:
                gone[row.id].append(row.revision)
        claimed, self.changes[client] = 0, []
        for call in calls:
            done, upto = self.effect(call, claimed, mains, gone)
            claimed = max(claimed, upto)
            if call.status < 300 and is_list(call.path) and not call.writes:  # all that it had done is seen there
                claimed = max([claimed, *(row.revision for row in own if row.revision <= (number_of(call.etag) or 0))])
            for one in gone:
                gone[one] = [revision for revision in gone[one] if revision > claimed]
            call.last = upto if done else 0
            if done:
                self.changes[client].append(call)

    def effect(self, call, claimed, mains, gone):
        """Did it change something, and up to which revision of its own, as far as can be told?"""
        if not call.writes or call.status >= 300 or call.replayed or is_purge(call) or call.path.startswith(("/v1/me", "/v1/auth")):
            return False, 0
        answer = call.json or {}
        if call.path.startswith("/v1/labels/"):
            return call.method == "DELETE" or answer["name"] != call.path.rpartition("/")[2], number_of(call.etag) or 0
        if "matched" in answer:
            return answer["changed"] > 0, answer["revision"] if answer["changed"] else 0
        if "results" in answer:
            taken = [(one.get("task") or one) for one in answer["results"] if one["status"] < 300]
            upto = max((one.get("revision", 0) for one in taken if (one.get("revision"), one.get("id")) in mains), default=0)
            deleted = [operation["id"] for operation, one in zip(call.body["operations"], answer["results"]) if one["status"] == 204]
            upto = max([upto, *(revision for one in deleted for revision in gone[one][:1] if revision > claimed)])
            return upto > claimed or bool(deleted), upto
        if call.status == 204:
            later = gone[call.path.partition("?")[0].split("/")[3]]
            if not later:
                self.complain("acknowledged, and the journal knows nothing of it", call)
            return bool(later), later[0] if later else 0
        upto = answer["revision"]
        return upto > claimed and (upto, answer["id"]) in mains, upto

    # ---- bounds ----

    @staticmethod
    def seen(call):
        """The revision that was certain when the call had been answered."""
        if call.last or call.status >= 300:
            return call.last
        if not call.writes and is_list(call.path):
            return number_of(call.etag) or 0
        if call.path.startswith(("/v1/tasks/", "/v1/lists/")) and call.path.count("/") == 3 and not call.replayed:
            return number_of(call.etag) or 0
        return 0

    def bound(self):
        """`lo`: the newest revision that was certain before the call began. `hi`: it can have seen nothing of a call that
        began when it was over."""
        over = sorted([(call.end, self.seen(call)) for call in self.calls] +
                      [(one.end, one.revision) for one in self.history.snapshots])
        begun = sorted((call.start, call.last) for call in self.calls if call.last)
        ends, known, most = [], [], 0
        for end, revision in over:
            most = max(most, revision)
            ends.append(end)
            known.append(most)
        starts, least = [start for start, _ in begun], [len(self.history.journal) + 1] * (len(begun) + 1)
        for place in range(len(begun) - 1, -1, -1):
            least[place] = min(least[place + 1], begun[place][1])
        for one in [*self.calls, *self.history.snapshots]:
            before = bisect.bisect_left(ends, one.start)
            one.lo = known[before - 1] if before else 0
            one.hi = least[bisect.bisect_right(starts, one.end)] - 1

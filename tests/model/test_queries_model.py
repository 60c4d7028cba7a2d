# SPDX-License-Identifier: MIT
"""The model of the queries against cases made by hand, each out of a sentence of the contract, and what is made
by chance: that it holds together, and that its queries find something and leave something out."""
import dataclasses
import datetime
import random

import made_queries
import moments
import pytest
from queries import PRIORITIES, SORTS, STATUSES, Refused, Space, Task, TaskList, User, list_labels, list_tasks, summary

NOW = moments.read("2026-12-01T12:00:00Z")
DATE = datetime.date(2026, 12, 1)
BERLIN = "Europe/Berlin"

pytestmark = pytest.mark.skipif(BERLIN not in moments.zone_names(), reason="no tzdata on this machine")


def uid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def when(text):
    return text if text is None else moments.read(text)


def make(*members: dict, lists=(), zone="UTC", now=NOW) -> Space:
    """Tasks with the ids 1, 2, 3…; moments as texts."""
    tasks = []
    for number, each in enumerate(members, 1):
        timed = {name: when(each[name]) for name in ("start", "due", "created_at", "updated_at", "completed_at") if name in each}
        tasks.append(Task(**{"id": uid(number), "position": f"{number:04}"} | each | timed))
    return Space(now, User(zone), tuple(lists), tuple(tasks))


def found(space: Space, query: str) -> list:
    """The numbers of what is found, in its order."""
    return [int(each[-12:], 16) for each in list_tasks(space, query).ids]


def find(space: Space, query: str) -> set:
    return set(found(space, query))


# ---- filters ----


def test_several_values_mean_or_and_parameters_mean_and():
    space = make(*({"status": status, "priority": priority} for status in STATUSES for priority in PRIORITIES))
    assert find(space, "") == set(range(1, 16))
    assert find(space, "status=completed") == {11, 12, 13, 14, 15}
    for query in [
        "status=completed,pending",
        "status=completed%2Cpending",
        "status=completed&status=pending",
        "status[]=completed&status%5B%5D=pending",
        "status[]=completed,pending",
    ]:
        assert find(space, query) == {1, 2, 3, 4, 5, 11, 12, 13, 14, 15}, query
    assert find(space, "priority=urgent,none&status=in-progress") == {6, 10}


def test_lists_and_the_inbox():
    lists = [TaskList(uid(101), "b"), TaskList(uid(102), "a", archived=True)]
    space = make({}, {"list_id": uid(101)}, {"list_id": uid(102)}, lists=lists)
    assert find(space, "list=inbox") == {1}
    assert find(space, f"list={uid(101)}") == {2}
    assert find(space, f"list={uid(0xabc)}") == set()  # ids that are not there find nothing
    assert find(space, f"list={uid(101).upper()},inbox") == {1, 2}
    assert find(space, "archived=false") == {1, 2}
    assert find(space, "archived=true") == {3}


def test_parents():
    space = make({}, {"parent_id": uid(1)}, {"parent_id": uid(2)}, {})
    assert find(space, f"parent={uid(1)}") == {2}  # its children, not what is below them
    assert find(space, "parent=none") == {1, 4}
    assert find(space, f"parent=none,{uid(2)}") == {1, 3, 4}
    assert find(space, f"parent={uid(9)}") == set()


def test_labels():
    space = make({"labels": ("a,b",)}, {"labels": ("a", "b")}, {"labels": ("A",)}, {"labels": ("50%", "a+b", "x y")}, {})
    assert find(space, "label=a,b") == {2}
    assert find(space, "label=a%2Cb") == {1}  # belongs to the label
    assert find(space, "label=a%2Cb,b") == {1, 2}
    assert find(space, "label[]=A&label=b") == {2, 3}
    assert find(space, "label.all=a,b") == {2}
    assert find(space, "label.all=a%2Cb") == {1}
    assert find(space, "label.all=a,A") == set()
    assert find(space, "label=50%25&label.all=a%2Bb") == {4}
    assert find(space, "label=a+b") == set()  # a plus is a blank
    assert find(space, "label=x+y") == {4}
    assert find(space, "label=nothing") == set()


def test_labels_are_compared_code_point_for_code_point():
    space = make({"labels": ("\u00e9",)}, {"labels": ("e\u0301",)})
    assert find(space, "label=%C3%A9") == {1}
    assert find(space, "label=e%CC%81") == {2}


def test_from_includes_and_before_excludes():
    space = make({"due": "2026-12-01T10:00:00Z"}, {"due": "2026-12-01T10:00:00.001Z"}, {})
    assert find(space, "due.from=2026-12-01T10:00:00Z") == {1, 2}
    assert find(space, "due.before=2026-12-01T10:00:00Z") == set()
    assert find(space, "due.before=2026-12-01T10:00:00.001Z") == {1}
    assert find(space, "due.from=2026-12-01T10:00:00.001Z") == {2}
    assert find(space, "due=none") == {3}
    assert find(space, "due=any") == {1, 2}


def test_a_blank_before_an_offset_is_a_plus():
    space = make({"due": "2026-12-01T10:00:00Z"})
    for offset in ("+01:00", "%2B01:00", "%2b01%3A00", "%2001:00"):
        assert find(space, f"due.from=2026-12-01T11:00:00{offset}") == {1}
        assert find(space, f"due.from=2026-12-01T11:00:00.001{offset}") == set()
    assert find(space, "due.before=2026-12-01T09:00:00.0019-01:00") == {1}  # beyond milliseconds is cut


def test_before_a_date_finds_what_is_due_by_the_end_of_the_day_before():
    space = make({"due": "2026-11-30"}, {"due": "2026-12-01"}, {"due": "2026-11-30T22:59:59.999Z"}, {"due": "2026-11-30T23:00:00Z"},
                 zone=BERLIN)
    assert find(space, "due.before=2026-12-01") == {1, 3}
    assert find(space, "due.from=2026-12-01") == {2, 4}
    assert find(space, "due.before=2026-12-01&time_zone=UTC") == {1, 3, 4}
    assert find(space, "due.from=2026-12-01&due.before=2026-12-02") == {2, 4}


def test_all_day_beside_an_instant():
    """Due is before X when its day has ended by X, a start when its day has begun before X; the rest is from X."""
    space = make({"due": "2026-12-01", "start": "2026-12-01"})
    for instant, due_is_before, start_is_before in [
        ("2026-12-01T00:00:00Z", False, False),
        ("2026-12-01T00:00:00.001Z", False, True),
        ("2026-12-01T23:59:59.999Z", False, True),
        ("2026-12-02T00:00:00Z", True, True),
    ]:
        assert find(space, f"due.before={instant}") == ({1} if due_is_before else set())
        assert find(space, f"due.from={instant}") == (set() if due_is_before else {1})
        assert find(space, f"start.before={instant}") == ({1} if start_is_before else set())
        assert find(space, f"start.from={instant}") == (set() if start_is_before else {1})


def test_null_is_in_neither():
    space = make({}, {"due": "2026-12-01", "start": "2026-12-01", "status": "completed", "completed_at": "2026-12-01T00:00:00Z"})
    for name in ("due", "start", "completed"):
        assert find(space, f"{name}.from=1970-01-01") == {2}
        assert find(space, f"{name}.before=2999-12-31") == {2}


def test_a_tasks_own_zone_never_moves_a_date():
    space = make({"due": "2026-12-01", "time_zone": "Pacific/Kiritimati"}, {"due": "2026-12-01", "time_zone": "Etc/GMT+12"})
    assert find(space, "due.before=2026-12-02T00:00:00Z") == {1, 2}
    assert find(space, "due.before=2026-12-01T23:59:59Z") == set()


def test_a_day_begins_at_its_first_instant():
    """On 4 November 2018 clocks in São Paulo went from 00:00 to 01:00."""
    space = make({"start": "2018-11-04", "due": "2018-11-03"}, {"due": "2018-11-04T02:59:59.999Z"}, {"due": "2018-11-04T03:00:00Z"},
                 zone="America/Sao_Paulo")
    assert find(space, "due.before=2018-11-04") == {1, 2}
    assert find(space, "due.before=2018-11-04T03:00:00Z") == {1, 2}
    assert find(space, "due.before=2018-11-04T02:59:59.999Z") == set()
    assert find(space, "start.before=2018-11-04T03:00:00Z") == set()
    assert find(space, "start.before=2018-11-04T03:00:00.001Z") == {1}


def test_a_day_that_a_zone_skips_is_empty():
    space = make({"due": "2011-12-29"}, {"due": "2011-12-30"}, {"due": "2011-12-31"}, zone="Pacific/Apia")
    assert find(space, "due.before=2011-12-30") == {1, 2}
    assert find(space, "due.before=2011-12-31") == {1, 2}
    assert find(space, "due.before=2011-12-30T09:59:59.999Z") == set()


def test_created_updated_completed():
    space = make({"created_at": "2026-11-30T23:00:00Z", "updated_at": "2026-12-01T01:00:00Z"},
                 {"created_at": "2026-11-30T22:59:59.999Z", "updated_at": "2026-11-30T22:59:59.999Z", "status": "completed",
                  "completed_at": "2026-12-01T00:00:00Z"}, zone=BERLIN)
    assert find(space, "created.from=2026-12-01") == {1}
    assert find(space, "created.before=2026-12-01") == {2}
    assert find(space, "updated.from=2026-12-01T01:00:00Z") == {1}
    assert find(space, "completed.before=2026-12-02") == {2}


def test_overdue():
    space = make({"due": "2026-12-01T11:59:59.999Z"}, {"due": "2026-12-01T12:00:00Z"}, {"due": "2026-11-30"}, {"due": "2026-12-01"}, {},
                 {"due": "2026-11-01", "status": "completed"}, {"due": "2026-11-30", "status": "in-progress"})
    assert find(space, "overdue=true") == {1, 3, 7}
    assert find(space, "overdue=false") == {2, 4, 5, 6}
    assert find(space, "overdue=true&time_zone=Etc/GMT%2B12") == {1, 7, 3}
    midnight = dataclasses.replace(space, now=moments.read("2026-12-01T00:00:00Z"))
    assert find(midnight, "overdue=true") == {3, 7}  # from the first instant of the next day
    assert find(dataclasses.replace(midnight, now=midnight.now - 1), "overdue=true") == set()
    assert find(midnight, f"overdue=true&time_zone={BERLIN}") == {3, 7}
    assert find(midnight, "overdue=true&time_zone=America/New_York") == set()


def test_ready():
    space = make(
        {},  # 1
        {"status": "in-progress"},
        {"status": "completed"},
        {"start": "2026-12-01"},
        {"start": "2026-12-02"},  # 5: ahead
        {"start": "2026-12-01T12:00:00Z"},
        {"start": "2026-12-01T12:00:00.001Z"},
        {"blocked_by": (uid(1),)},
        {"blocked_by": (uid(3), uid(99))},  # completed, and not there
        {},  # 10: has an open one two levels down
        {"parent_id": uid(10), "status": "completed"},
        {"parent_id": uid(11)},
        {},
        {"parent_id": uid(13), "status": "completed"},
    )
    assert find(space, "ready=true") == {1, 2, 4, 6, 9, 12, 13}
    assert find(space, "ready=false") == {3, 5, 7, 8, 10, 11, 14}
    assert find(space, "ready=true&start.from=2026-12-02&time_zone=Pacific/Kiritimati") == {5, 6}


def test_blocked():
    space = make({"blocked_by": (uid(2),)}, {}, {"status": "completed"}, {"blocked_by": (uid(3),)}, {"blocked_by": (uid(9), uid(2))},
                 {"blocked_by": (uid(2),), "status": "completed"}, {"blocked_by": (uid(9),)})
    assert find(space, "blocked=true") == {1, 5, 6}
    assert find(space, "blocked=false") == {2, 3, 4, 7}


def test_recurring():
    space = make({"recurrence": "FREQ=DAILY", "due": "2026-12-01"}, {"due": "2026-12-01"})
    assert find(space, "recurring=true") == {1}
    assert find(space, "recurring=false") == {2}


def test_search():
    space = make(
        {"title": "Straße", "description": "mit  ΟΔΟΣ\nund Café"},
        {"title": "STRASSEN", "labels": ("İstanbul", "が")},
        {"title": "milk and", "description": "bread"},
        {"title": "milk, and bread"},
    )
    for query, numbers in [
        ("q=strasse", {1, 2}),
        ("q=stra%C3%9Fe+cafe", {1}),
        ("q=%CF%83tra", set()),
        ("q=%CE%BF%CE%B4%CE%BF%CF%83", {1}),  # οδοσ
        ("q=istanbul", {2}),
        ("q=%E3%81%8B", {2}),  # か
        ("q=asse", {1, 2}),  # inside longer words too
        ("q=bread+milk", {3, 4}),  # in different members
        ("q=%22milk+and%22", {3}),
        ("q=%22milk,+and%22", {4}),
        ("q=%22and+bread%22", {4}),  # a phrase in one
        ("q=%22odo%CF%83%22", set()),
        ("q=%22%CE%9F%CE%94%CE%9F%CE%A3+UND%22", {1}),  # runs of white space are one blank
        ("q=%22mit+%CE%BF%CE%B4%CE%BF%CF%82+und+caf", {1}),  # an open quote reaches the end
        ("q=%22%22+bread", {3, 4}),
        ("q=milk,", {4}),  # a comma is looked for
        ("q=milk%25", set()),
    ]:
        assert find(space, query) == numbers, query


# ---- orders ----


def test_newest_first():
    space = make({"created_at": "2026-12-01T00:00:00Z"}, {"created_at": "2026-12-02T00:00:00Z"}, {"created_at": "2026-12-01T00:00:00Z"})
    assert found(space, "") == [2, 3, 1]  # the id in the direction of the last key
    assert found(space, "sort=created_at") == [1, 3, 2]


def test_the_id_ends_every_order_in_the_direction_of_the_last_key():
    space = make({"priority": "low"}, {"priority": "high"}, {"priority": "low"}, {"priority": "high"})
    assert found(space, "sort=priority") == [1, 3, 2, 4]
    assert found(space, "sort=-priority") == [4, 2, 3, 1]
    assert found(space, "sort=-priority,status") == [2, 4, 1, 3]
    assert found(space, "sort=priority&sort=-status") == [3, 1, 4, 2]


def test_null_comes_last_both_ways():
    space = make({"due": "2026-12-01"}, {}, {"due": "2026-12-02"}, {})
    assert found(space, "sort=due") == [1, 3, 2, 4]
    assert found(space, "sort=-due") == [3, 1, 4, 2]
    assert found(space, "sort=completed_at,-due") == [3, 1, 4, 2]


def test_statuses_and_priorities_have_their_own_order():
    space = make({"status": "completed", "priority": "urgent"}, {"status": "in-progress", "priority": "none"}, {"priority": "medium"},
                 {"priority": "high"}, {"priority": "low"})
    assert found(space, "sort=status,priority") == [5, 3, 4, 2, 1]
    assert found(space, "sort=priority") == [2, 5, 3, 4, 1]


def test_titles_by_folded_text_and_then_by_code_point():
    space = make({"title": "b"}, {"title": "É"}, {"title": "e"}, {"title": "E"}, {"title": "f"}, {"title": "Zebra"}, {"title": "ä"})
    assert found(space, "sort=title") == [7, 1, 4, 3, 2, 5, 6]
    assert found(space, "sort=-title") == [6, 5, 2, 3, 4, 1, 7]


def test_a_date_stands_at_the_end_or_the_beginning_of_its_day():
    moments_there = ["2026-12-01T22:59:59.999Z", "2026-12-01", "2026-12-01T23:00:00Z", "2026-12-02", "2026-11-30T23:00:00.001Z", "2026-11-30"]
    by_due = make(*({"due": moment} for moment in moments_there), zone=BERLIN)
    assert found(by_due, "sort=due") == [6, 5, 1, 2, 3, 4]
    assert found(by_due, "sort=-due") == [4, 3, 2, 1, 5, 6]
    assert found(by_due, "sort=due&time_zone=UTC") == [5, 6, 1, 3, 2, 4]
    by_start = make(*({"start": moment} for moment in moments_there), zone=BERLIN)
    assert found(by_start, "sort=start") == [6, 2, 5, 1, 3, 4]
    assert found(by_start, "sort=start&time_zone=UTC") == [6, 5, 2, 1, 3, 4]


def test_what_is_before_a_moment_comes_first_in_its_order():
    """So that a page of what is overdue is the beginning of the list by due."""
    made = made_queries.make_space(random.Random(7), NOW)
    for name in ("due", "start"):
        order = list_tasks(made.space, f"sort={name}&{name}.from=1970-01-01").ids
        for task in made.space.tasks:
            if isinstance(getattr(task, name), int):
                before = set(list_tasks(made.space, f"{name}.before={moments.write(getattr(task, name))}").ids)
                assert set(order[: len(before)]) == before


def test_lists_by_their_position_and_the_inbox_last():
    lists = [TaskList(uid(101), "b"), TaskList(uid(102), "a"), TaskList(uid(103), "a")]
    space = make({}, {"list_id": uid(101)}, {"list_id": uid(103)}, {"list_id": uid(102)}, lists=lists)
    assert found(space, "sort=list") == [4, 3, 2, 1]
    assert found(space, "sort=-list") == [2, 3, 4, 1]


def test_positions_by_their_bytes():
    space = make({"position": "b"}, {"position": "B"}, {"position": "a0"}, {"position": "a"}, {"position": "_"})
    assert found(space, "sort=position") == [2, 5, 4, 3, 1]


def test_total_counts_all():
    space = make({}, {"priority": "low"})
    assert list_tasks(space, "priority=low&include=total&limit=1").total == 1
    assert list_tasks(space, "priority=low").total is None


@pytest.mark.parametrize("query, names", made_queries.WRONG, ids=[query[:40] for query, _ in made_queries.WRONG])
def test_what_is_wrong_is_refused_and_named(query, names):
    with pytest.raises(Refused) as refused:
        list_tasks(make({}), query)
    assert refused.value.names == names


def test_what_is_just_right_is_taken():
    for query in ["q=" + "a" * 200, "sort=due,-start,title", "label=" + ",".join("a" * 100), "limit=100&cursor=abc",
                  "due.from=2999-12-31T23:59:59.999Z", "due.before=1970-01-01", "time_zone=America/Argentina/Ushuaia"]:
        list_tasks(make({}), query)


# ---- labels and summary ----


def test_the_labels_that_there_are():
    space = make({"labels": ("b", "ä")}, {"labels": ("b",), "status": "completed"}, {"labels": ("B",)}, {})
    assert list_labels(space) == [
        {"name": "B", "tasks": 1, "open": 1},
        {"name": "b", "tasks": 2, "open": 1},
        {"name": "ä", "tasks": 1, "open": 1},
    ]


def test_summary():
    lists = [TaskList(uid(101), "b"), TaskList(uid(102), "a", archived=True)]
    space = make(
        {"due": "2026-12-01"},
        {"due": "2026-12-01T11:00:00Z", "parent_id": uid(1)},  # overdue already
        {"due": "2026-12-01T23:30:00Z", "list_id": uid(101), "status": "in-progress"},
        {"due": "2026-12-01", "status": "completed"},
        {"due": "2026-11-30", "list_id": uid(102), "blocked_by": (uid(1),)},
        {"status": "completed", "blocked_by": (uid(1),)},
        {"blocked_by": (uid(4), uid(9))},
        lists=lists,
    )
    assert summary(space) == {
        "tasks": {"pending": 4, "in-progress": 1, "completed": 2},
        "overdue": 2,
        "due_today": 3,
        "blocked": 1,
        "lists": [
            {"id": None, "open": 3, "overdue": 1},
            {"id": uid(102), "open": 1, "overdue": 1},
            {"id": uid(101), "open": 1, "overdue": 0},
        ],
    }
    assert summary(space, BERLIN)["due_today"] == 2  # 23:30 is tomorrow there
    with pytest.raises(Refused):
        summary(space, "Nowhere")


def test_today_does_not_go_back_over_midnight():
    """At 00:01 of 29 October 2006 clocks in St. John's went back to 23:01."""
    space = make({"due": "2006-10-28"}, {"due": "2006-10-29"}, zone="America/St_Johns", now=moments.read("2006-10-29T03:00:00Z"))
    assert find(space, "overdue=true") == {1}
    assert summary(space)["due_today"] == 1


def test_today_begins_with_its_first_instant():
    """On 18 February 2018 clocks in São Paulo went from 00:00 back to 23:00, so that the day began an hour later."""
    space = make({"due": "2018-02-17"}, {"due": "2018-02-18"}, {"due": "2018-02-18T02:30:00Z"}, zone="America/Sao_Paulo",
                 now=moments.read("2018-02-18T03:00:00Z"))
    assert find(space, "due.before=2018-02-18") == {1, 3}
    assert find(space, "overdue=true") == {1, 3}
    assert summary(space)["due_today"] == 1
    before = dataclasses.replace(space, now=space.now - 1)
    assert find(before, "overdue=true") == {3}
    assert summary(before)["due_today"] == 2


# ---- what is made by chance ----


@pytest.fixture(scope="module", name="made", params=range(4))
def made_fixture(request):
    return made_queries.make_space(random.Random(request.param), NOW)


def test_a_server_takes_what_is_made(made):
    space, seen, depth = made.space, set(), {None: 0}
    gone = {task.id for task in made.gone}
    for task in space.tasks:
        depth[task.id] = depth[task.parent_id] + 1
        assert depth[task.id] <= made_queries.LEVELS_MOST
        assert task.parent_id is None or space.by_id[task.parent_id].list_id == task.list_id
        assert set(task.blocked_by) <= seen | gone and len(set(task.blocked_by)) == len(task.blocked_by)
        assert list(task.labels) == sorted(set(task.labels))
        assert (task.completed_at is not None) == (task.status == "completed")
        assert task.recurrence is None or task.due is not None
        seen.add(task.id)
    assert len(seen) == len(space.tasks)
    assert {task.list_id for task in space.tasks} == {None, *space.lists_by_id}


def test_a_task_is_read_as_it_was_written(made):
    for task in made.space.tasks:
        answer = {"completed_at": None} | task.to_json() | {
            "id": task.id,
            "position": task.position,
            "created_at": moments.write(task.created_at),
            "updated_at": moments.write(task.updated_at),
        }
        assert Task.from_json(answer) == task


def test_each_query_is_taken_and_most_tell_tasks_apart(made):
    counts = [len(list_tasks(made.space, query).ids) for query in made_queries.make_queries(random.Random(1), made.space, 1500)]
    assert len(counts) == 1500
    assert sum(0 < count < len(made.space.tasks) for count in counts) > 900


def test_each_filter_finds_some_and_leaves_some(made):
    chance = random.Random(2)
    for name in made_queries.FILTERS:
        queries = [made_queries.write_parameter(chance, name, made_queries.values_for(chance, made.space, name)) for _ in range(40)]
        counts = [len(list_tasks(made.space, query).ids) for query in queries]
        assert any(0 < count < len(made.space.tasks) for count in counts), name


def test_the_plan_has_every_filter_alone_in_pairs_and_with_every_sort():
    plans = [(tuple(filters), tuple(sorts)) for filters, sorts in made_queries.plans()]
    filters, sorts = len(made_queries.FILTERS), 2 * len(SORTS)
    assert len(set(plans)) == len(plans) == 1 + filters + sorts + filters * sorts + filters * (filters - 1) // 2


def test_a_seed_makes_the_same_again():
    first, second = (made_queries.make_space(random.Random(3), NOW) for _ in range(2))
    assert first == second
    queries = [list(made_queries.make_queries(random.Random(4), first.space, 1200)) for _ in range(2)]
    assert queries[0] == queries[1]

# SPDX-License-Identifier: MIT
"""F18, F19: the connection is lost around the COMMIT, or the server says that it did not wait for its standby."""
import threading
import uuid

import pytest

from ground import Ground, has_task, paused_replication
from proxy import BEFORE, FLIGHT, PLACES, Proxy
from support import tokens
from support.accounts import PASSWORD, User
from support.waiting import wait_until

SEVERAL = 3


class Scene:
    """A node behind the proxy, and one user."""

    def __init__(self, ground, proxy, **settings):
        self.ground, self.proxy = ground, proxy
        self.node = ground.node(proxy, **settings)
        self.user = User(self.node)
        self.client = self.user.client

    def titled(self, title):
        """How many tasks have the title, as the database says."""
        return self.ground.rows(f"SELECT count(*) FROM tasks WHERE title = '{title}'")[0]["count"]

    def cut(self, place, request, lateness=0.2):
        """What the client is told when the COMMIT of the request is cut; each must be cut."""
        self.settle()
        before = self.proxy.cuts
        self.proxy.cut(place, lateness=lateness)
        answer = request()
        assert self.proxy.cuts == before + 1, "nothing was cut"
        assert self.proxy.strays == 0, "a COMMIT on a new session"
        if answer.status == 503:
            assert answer.code == "outcome_unknown" or place == BEFORE and answer.code == "unavailable", answer.body
            assert int(answer.headers["Retry-After"]) > 0
        return answer

    def settle(self):
        """Waits for what is delivered late."""
        wait_until(lambda: self.proxy.count(lambda session: session.cut is not None) == 0, 10, "what is late")

    def tasks(self):
        """How many tasks there are."""
        return self.ground.rows("SELECT count(*) FROM tasks")[0]["count"]

    def changes(self):
        """How many changes the user has made, which is the last revision."""
        return self.ground.rows(f"SELECT revision FROM spaces WHERE space_id = '{self.user.id}'")[0]["revision"]


@pytest.fixture(scope="module", name="scene")
def fixture_scene(cluster, seed):
    """One for all tests of this file: after each cut it must be as good as new."""
    proxy, ground = Proxy(("127.0.0.1", cluster.port), seed), Ground(cluster)
    try:
        yield Scene(ground, proxy)
        ground.expect_no_leak()
    finally:
        ground.close()
        proxy.close()


def decided(request):
    """Repeats until the answer is none of 503."""
    answers = []

    def ask():
        answers.append(request())
        return answers[-1].status != 503

    wait_until(ask, 10, "an answer")
    return answers[-1]


@pytest.mark.parametrize("place", PLACES)
def test_with_a_key_there_is_one_effect_and_its_answer(scene, place):
    for number in range(SEVERAL):
        title, key = f"{place} {number}", str(uuid.uuid4())

        def create(title=title, key=key):
            return scene.client.post("/v1/tasks", {"title": title}, headers={"Idempotency-Key": key})

        answer = scene.cut(place, create)
        first = answer if answer.status == 201 else decided(create)
        first.expect(201)
        again = create().expect(201)
        assert again.headers["Idempotency-Replayed"] == "true" and again.body == first.body
        assert scene.titled(title) == 1
        assert first.json["revision"] == scene.changes(), "a change that nobody asked for"


@pytest.mark.parametrize("place", PLACES)
def test_without_a_key_nothing_is_doubled(scene, place):
    scene.settle()
    before = scene.changes(), scene.tasks()
    for number in range(SEVERAL):
        title = f"{place} {number} without"
        answer = scene.cut(place, lambda title=title: scene.client.post("/v1/tasks", {"title": title}))
        if answer.status == 201 or place != BEFORE:
            wait_until(lambda title=title: scene.titled(title) == 1, 5, "the effect")
        assert answer.status in (201, 503)
        if answer.status == 201:
            assert scene.client.get(answer.headers["Location"]).expect(200).json == answer.json
    scene.settle()
    assert scene.changes() - before[0] == scene.tasks() - before[1] <= SEVERAL


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("keyed", [True, False], ids=["key", "no key"])
def test_a_change_under_a_condition_is_never_refused_by_its_own_effect(scene, place, keyed):
    task, title = scene.user.task("first"), str(uuid.uuid4())
    headers = {"If-Match": scene.user.client.tag(task)}
    if keyed:
        headers["Idempotency-Key"] = str(uuid.uuid4())

    def patch():
        return scene.client.patch(f"/v1/tasks/{task['id']}", {"title": title}, headers=headers)

    answer = scene.cut(place, patch)
    assert answer.status in (200, 503), answer.body
    if keyed:
        decided(patch).expect(200)
    elif answer.status == 200 or place != BEFORE:
        wait_until(lambda: scene.titled(title) == 1, 5, "the effect")
    assert scene.changes() <= task["revision"] + 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("keyed", [True, False], ids=["key", "no key"])
def test_a_deletion_is_not_told_that_there_was_nothing(scene, place, keyed):
    task = scene.user.task("first")
    headers = {"Idempotency-Key": str(uuid.uuid4())} if keyed else {}

    def delete():
        return scene.client.delete(f"/v1/tasks/{task['id']}", headers=headers)

    answer = scene.cut(place, delete)
    assert answer.status in (204, 503), answer.body
    if keyed:
        decided(delete).expect(204)
    assert scene.changes() <= task["revision"] + 1


def test_a_flight_that_arrives_late_brings_nothing_back(scene):
    """The node has run the create again long since, and the client has deleted the task."""
    answers = (scene.cut(FLIGHT, lambda: scene.client.post("/v1/tasks", {"title": "late"}), lateness=0.7)
               for _ in range(5))
    answer = next(one for one in answers if one.status == 201)
    scene.client.delete(answer.headers["Location"]).expect(204)
    scene.settle()
    scene.client.get(answer.headers["Location"]).expect(404)
    assert scene.changes() == answer.json["revision"] + 1


@pytest.mark.parametrize("place", PLACES)
def test_an_account_is_not_told_that_its_address_is_taken_by_itself(scene, place):
    email = f"{uuid.uuid4().hex}@example.com"
    body = {"email": email, "password": PASSWORD}
    answer = scene.cut(place, lambda: scene.user.anonymous.post("/v1/auth/register", body))
    assert answer.status in (201, 503), answer.body
    counts = scene.ground.rows(f"SELECT (SELECT count(*) FROM users WHERE email = '{email}') AS users, "
                               f"(SELECT count(*) FROM emails WHERE email = '{email}') AS emails")[0]
    assert counts["users"] == counts["emails"] and counts["users"] <= 1
    if answer.status == 201:
        scene.user.anonymous.post("/v1/auth/login", body).expect(200)


@pytest.mark.parametrize("place", PLACES)
def test_a_refresh_token_survives_its_own_rotation(scene, place):
    token = scene.user.login()
    session = tokens.parts(token["access_token"])[1]["sid"]

    def refresh():
        return scene.user.anonymous.post("/v1/auth/refresh", {"refresh_token": token["refresh_token"]})

    answer = scene.cut(place, refresh)
    assert answer.status in (200, 503), answer.body
    fresh = decided(refresh).expect(200).json
    scene.client.get("/v1/me", token=fresh["access_token"]).expect(200)
    rows = scene.ground.rows(f"SELECT counter FROM sessions WHERE id = '{session}'")
    assert rows == [{"counter": 2}], "not one rotation"


@pytest.mark.parametrize("place", PLACES)
def test_a_logout_whose_answer_is_lost_is_made_in_the_end(scene, place):
    token = scene.user.login()["access_token"]

    def logout():
        return scene.client.post("/v1/auth/logout", token=token)

    answer = scene.cut(place, logout)
    assert answer.status in (204, 503), answer.body
    assert decided(logout).status in (204, 401)
    scene.client.get("/v1/me", token=token).expect(401)


def test_it_is_the_same_without_prepared_statements(ground, proxy):
    scene = Scene(ground, proxy, DATABASE_PREPARED="off")
    for place in PLACES:
        test_with_a_key_there_is_one_effect_and_its_answer(scene, place)


# ---- F19 ----


def waiting_for_standby(ground):
    """The backends whose COMMIT waits for the standby."""
    return [row["pid"] for row in ground.connections("wait_event = 'SyncRep'")]


def disturb(ground, thread, how):
    """Ends each wait for the standby while the thread lives; answers how many."""
    disturbed = 0
    while thread.is_alive():
        for pid in waiting_for_standby(ground):
            disturbed += ground.cluster.psql(f"SELECT {how}({pid})").strip() == "t"
        thread.join(0.02)
    return disturbed


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_commit_that_did_not_wait_for_the_standby_is_not_acknowledged(pair, how):
    primary, standby = pair
    ground = Ground(primary)
    answers = []
    try:
        user = User(ground.node(primary, DATABASE_TIMEOUT_MS="1500"))

        def create():
            headers = {"Idempotency-Key": "one"}
            answers.append(user.client.post("/v1/tasks", {"title": "one"}, headers=headers))
            return answers[-1]

        with paused_replication(standby):
            thread = threading.Thread(target=create)
            thread.start()
            wait_until(lambda: waiting_for_standby(ground), 5, "a commit that waits")
            assert disturb(ground, thread, how) > 0
            answers[0].expect(503, "outcome_unknown")
            create().expect(503, "outcome_unknown")
        answer = decided(create).expect(201)
        assert ground.rows("SELECT count(*) FROM tasks") == [{"count": 1}]
        assert has_task(standby, ground.name, answer.json["id"]), "acknowledged and not at the standby"
    finally:
        ground.close()

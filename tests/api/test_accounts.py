# SPDX-License-Identifier: MIT
"""Registering, logging in, changing and deleting an account."""
import statistics
import time
import unicodedata
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

from support.accounts import PASSWORD
from support.client import Client

OTHER_PASSWORD = "Zebra 41 on the moon"


def comparable(answer):
    """An answer without what must differ from one to the next."""
    problem = {name: value for name, value in answer.json.items() if name != "request_id"}
    fields = {name.lower(): value for name, value in answer.headers.items() if name not in ("X-Request-Id", "Date")}
    return answer.status, problem, fields


def test_register_answers_the_account(client):
    email = f"{uuid.uuid4().hex}@Example.COM"
    answer = client.post("/v1/auth/register", {"email": email, "password": PASSWORD, "name": "Ada"}).expect(201)
    row = answer.json
    assert answer.headers["Location"] == "/v1/me"
    assert (row["email"], row["name"], row["created_at"]) == (email, "Ada", row["updated_at"])
    assert uuid.UUID(row["id"]).version == 7
    made = datetime.fromisoformat(row["created_at"].replace("Z", "+00:00"))
    assert abs((datetime.now(timezone.utc) - made).total_seconds()) < 30


def test_an_email_is_taken_in_any_case(client, user):
    for email in (user.email, user.email.upper()):
        client.post("/v1/auth/register", {"email": email, "password": PASSWORD}).expect(409, "email_taken")


def test_login_takes_any_case_of_the_email(client, user):
    client.post("/v1/auth/login", {"email": user.email.upper(), "password": PASSWORD}).expect(200)


@pytest.mark.parametrize("change", [str.upper, lambda p: p + " ", lambda p: " " + p, lambda p: p[:-1]])
def test_a_password_is_exact(client, user, change):
    body = {"email": user.email, "password": change(PASSWORD)}
    client.post("/v1/auth/login", body).expect(401, "invalid_credentials")


@pytest.mark.parametrize("password", ["  spaces around  ", "pässwörter-日本語-🐎", "x" * 1023 + "!", "é" * 512])
def test_unusual_passwords_work_unchanged(client, password):
    email = f"{uuid.uuid4().hex}@example.com"
    client.post("/v1/auth/register", {"email": email, "password": password}).expect(201)
    client.post("/v1/auth/login", {"email": email, "password": password}).expect(200)
    client.post("/v1/auth/login", {"email": email, "password": password.strip() + "x"}).expect((401, 422)[
        len(password.strip().encode()) >= 1024])


def forms(text):
    """A text with composed letters, and the same with their marks apart."""
    return unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["composed first", "apart first"])
def test_one_password_typed_on_two_keyboards(client, order):
    first, second = (forms("Größe in Ångström, 한국어")[index] for index in order)
    third, fourth = (forms("élève à Orléans")[index] for index in order)
    assert first != second and third != fourth
    account = {"email": f"{uuid.uuid4().hex}@example.com"}
    client.post("/v1/auth/register", {**account, "password": first}).expect(201)
    token = client.post("/v1/auth/login", {**account, "password": second}).expect(200).json["access_token"]
    own = client.copy(token)
    own.put("/v1/me/email", {**account, "password": second}).expect(200)
    own.put("/v1/me/password", {"current_password": second, "new_password": third}).expect(204)
    for password in (third, fourth):
        client.post("/v1/auth/login", {**account, "password": password}).expect(200)
    # Only that form: not what merely resembles it.
    client.post("/v1/auth/login", {**account, "password": "eleve a Orleans"}).expect(401)
    own.post("/v1/me/deletion", {"password": fourth}).expect(204)


@pytest.mark.parametrize("password, code", [
    (forms("é" * 7)[1], "too_short"),  # 14 code points as sent
    ("\U0001d160" * 86, "too_long"),  # 344 bytes as sent, 1,032 in the form
])
def test_a_password_is_measured_in_the_form_that_is_kept(client, password, code):
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": password}
    assert client.post("/v1/auth/register", account).expect(422).errors == {("/password", code)}


def test_an_unknown_email_looks_like_a_wrong_password(client, user):
    wrong = client.post("/v1/auth/login", {"email": user.email, "password": OTHER_PASSWORD})
    unknown = client.post("/v1/auth/login", {"email": "no." + user.email, "password": OTHER_PASSWORD})
    strange = client.post("/v1/auth/login", {"email": "not an address", "password": OTHER_PASSWORD})
    assert comparable(wrong.expect(401, "invalid_credentials")) == comparable(unknown) == comparable(strange)


@pytest.mark.parametrize("email", ["", "@", "a" * 254, "\u00c4@example.com"])
def test_an_email_that_no_account_can_have_is_an_unknown_one(client, email):
    client.post("/v1/auth/login", {"email": email, "password": PASSWORD}).expect(401, "invalid_credentials")


def test_an_empty_password_is_a_wrong_one(make_user):
    own = make_user()
    body = {"email": own.email, "password": ""}
    own.anonymous.post("/v1/auth/login", body).expect(401, "invalid_credentials")
    own.client.put("/v1/me/email", body).expect(403, "wrong_password")
    own.client.post("/v1/me/deletion", {"password": ""}).expect(403, "wrong_password")
    own.client.put("/v1/me/password", {"current_password": "", "new_password": ""}).expect(422)
    own.client.put("/v1/me/password", {"current_password": "", "new_password": f"{PASSWORD} 2"}).expect(403, "wrong_password")
    own.anonymous.post("/v1/auth/register", body).expect(422)


def test_an_unknown_email_takes_as_long(client, user):
    times = {"wrong": [], "unknown": []}
    for _ in range(12):
        for name, email in (("wrong", user.email), ("unknown", "no." + user.email)):
            started = time.perf_counter()
            client.post("/v1/auth/login", {"email": email, "password": OTHER_PASSWORD}).expect(401)
            times[name].append(time.perf_counter() - started)
    wrong, unknown = statistics.median(times["wrong"]), statistics.median(times["unknown"])
    assert 0.6 < unknown / wrong < 1.7, f"medians: wrong password {wrong:.4f} s, unknown e-mail {unknown:.4f} s"


def test_logout_ends_this_session_only(user):
    token = user.login()
    one = user.client.copy(token["access_token"])
    one.get("/v1/me").expect(200)
    one.post("/v1/auth/logout").expect(204)
    one.get("/v1/me").expect(401, "invalid_token")
    one.post("/v1/auth/logout").expect(401, "invalid_token")
    refresh = {"refresh_token": token["refresh_token"]}
    user.anonymous.post("/v1/auth/refresh", refresh).expect(401, "invalid_refresh_token")
    user.client.get("/v1/me").expect(200)


def test_me(user):
    assert user.client.get("/v1/me").expect(200).json == user.row


def test_the_name_can_be_set_kept_and_cleared(make_user):
    own = make_user()
    named = own.client.patch("/v1/me", {"name": "Grace 🐞"}).expect(200).json
    assert named["name"] == "Grace 🐞" and named["email"] == own.email
    assert own.client.patch("/v1/me", {}).expect(200).json["name"] == "Grace 🐞"
    cleared = own.client.patch("/v1/me", {"name": None}, headers={"Content-Type": "application/merge-patch+json"})
    assert cleared.expect(200).json["name"] is None
    assert own.client.get("/v1/me").json == cleared.json
    assert cleared.json["updated_at"] >= own.row["updated_at"] and cleared.json["created_at"] == own.row["created_at"]


def test_a_password_change_ends_every_other_session(make_user):
    own = make_user()
    second = own.login()
    change = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    own.client.put("/v1/me/password", change).expect(204)
    own.client.get("/v1/me").expect(200)
    own.client.get("/v1/me", token=second["access_token"]).expect(401, "invalid_token")
    ended = {"refresh_token": second["refresh_token"]}
    own.anonymous.post("/v1/auth/refresh", ended).expect(401, "invalid_refresh_token")
    own.anonymous.post("/v1/auth/refresh", {"refresh_token": own.token["refresh_token"]}).expect(200)
    old = {"email": own.email, "password": PASSWORD}
    own.anonymous.post("/v1/auth/login", old).expect(401, "invalid_credentials")
    own.login(OTHER_PASSWORD)


def test_a_password_change_wants_the_old_password(user):
    change = {"current_password": OTHER_PASSWORD, "new_password": OTHER_PASSWORD}
    user.client.put("/v1/me/password", change).expect(403, "wrong_password")
    user.login()


def test_a_new_password_follows_the_policy(user):
    for bad, code in (("short", "too_short"), ("password123", "password_common"),
                      (user.email.split("@")[0] + "!", "password_contains_email")):
        change = {"current_password": PASSWORD, "new_password": bad}
        answer = user.client.put("/v1/me/password", change).expect(422, "validation_failed")
        assert answer.errors == {("/new_password", code)}


def test_the_email_can_change(make_user):
    own = make_user()
    body = {"email": "new." + own.email, "password": PASSWORD}
    own.client.put("/v1/me/email", {**body, "password": OTHER_PASSWORD}).expect(403, "wrong_password")
    changed = own.client.put("/v1/me/email", body).expect(200).json
    assert changed["email"] == body["email"] and changed["id"] == own.id
    assert own.client.get("/v1/me").json == changed
    own.anonymous.post("/v1/auth/login", {"email": own.email, "password": PASSWORD}).expect(401)
    own.anonymous.post("/v1/auth/login", body).expect(200)
    # The old address is free again, and one's own address in another case is no conflict.
    own.client.put("/v1/me/email", {**body, "email": own.email.upper()}).expect(200)


def test_the_email_of_somebody_else_is_taken(user, other):
    body = {"email": other.email.upper(), "password": PASSWORD}
    user.client.put("/v1/me/email", body).expect(409, "email_taken")
    assert user.client.get("/v1/me").json["email"] == user.email


def test_deletion_takes_everything_along(server, make_user):
    own = make_user()
    task = own.task()
    own.client.post("/v1/me/deletion", {"password": OTHER_PASSWORD}).expect(403, "wrong_password")
    own.client.get(f"/v1/tasks/{task['id']}").expect(200)
    own.client.post("/v1/me/deletion", {"password": PASSWORD}).expect(204)
    own.client.get("/v1/me").expect(401, "invalid_token")
    own.client.get(f"/v1/tasks/{task['id']}").expect(401, "invalid_token")
    refresh = {"refresh_token": own.token["refresh_token"]}
    own.anonymous.post("/v1/auth/refresh", refresh).expect(401, "invalid_refresh_token")
    login = {"email": own.email, "password": PASSWORD}
    own.anonymous.post("/v1/auth/login", login).expect(401, "invalid_credentials")
    own.anonymous.post("/v1/auth/register", login).expect(201)
    again = Client(server, own.login()["access_token"])
    assert again.get("/v1/tasks").json["items"] == []
    again.get(f"/v1/tasks/{task['id']}").expect(404)


def test_deletion_in_the_middle_of_writes(make_user):
    """Whoever writes while the account goes is told 201 or 401, and nothing else."""
    own = make_user()

    def write(_):
        client, statuses = own.reader(), []
        while not statuses or statuses[-1] == 201:
            statuses.append(client.post("/v1/tasks", {"title": "x"}).status)
        return statuses

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(write, number) for number in range(6)]
        own.client.post("/v1/me/deletion", {"password": PASSWORD}).expect(204)
        ends = [writer.result(20) for writer in writers]
    assert all(statuses[-1] == 401 and set(statuses[:-1]) <= {201} for statuses in ends), [s[-1] for s in ends]


def test_registering_twice_at_once_makes_one_account(server):
    """Requests that race for one address: exactly one wins."""
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: Client(server).post("/v1/auth/register", body), range(4)))
    assert sorted(a.status for a in answers) == [201, 409, 409, 409]


def test_passwords_and_hashes_are_never_answered(user):
    for path in ("/v1/me", "/v1/me/sessions"):
        body = user.client.get(path).body
        assert b"argon2" not in body and b"password" not in body and b"hash" not in body


def test_each_token_shows_its_own_account(user, other):
    assert user.id != other.id
    assert user.client.get("/v1/me").json["id"] == user.id
    assert other.client.get("/v1/me").json["id"] == other.id

# SPDX-License-Identifier: 0BSD
# servertortoise.py: the server of the page, tortoiseshop/app.py, in two
# processes. No change of several clients is lost. While requests wait for a row
# that another program has locked, both processes answer others.
import http.client, json, os, re, signal, sqlite3, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
import interlock

SECONDS = 60
CLIENTS, TIMES = 8, 10

os.symlink(os.path.join(os.environ["SRC"], "tortoiseshop"), "shop")
os.environ["PYTHONPATH"] = ".:" + os.environ["PYTHONPATH"]
subprocess.run([sys.executable, "-m", "tortoise", "-c", "shop.app.CONFIG",
                "migrate", "shop", "0002_versioned"],
               check=True, stdout=subprocess.DEVNULL)
db = sqlite3.connect("shop.db", isolation_level=None, timeout=SECONDS)
interlock.load(db)

def call(sql):
    return db.execute("SELECT " + sql).fetchone()[0]

def ask(method, path, form=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request(method, "/accounts/" + path,
                           None if form is None else json.dumps(form),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()

def check(shown, expected):
    assert shown == expected, shown

# A form is read before another one is saved, and saved after it.
def form():
    check(ask("GET", "9"), (404, {"detail": "Object \"Account\" does not exist"}))
    read = {"balance": 100, "version": 1}
    check(ask("GET", "1"), (200, read))
    check(ask("PUT", "1", {**read, "balance": 90}),
          (200, {"balance": 90, "version": 2}))
    check(ask("PUT", "1", {**read, "balance": 80}),
          (409, {"detail": {"balance": 90, "version": 2}}))
    check(ask("PUT", "1", {"balance": 80, "version": 7})[0], 409)
    check(ask("PUT", "1", {"balance": 80, "version": 2}),
          (200, {"balance": 80, "version": 3}))
    check(ask("PUT", "9", read)[0], 404)
    check(ask("POST", "1/withdraw/81")[0], 422)
    check(ask("POST", "1/withdraw/-1")[0], 422)
    check(ask("POST", "9/withdraw/1")[0], 404)
    check(ask("POST", "1/withdraw/80"), (200, {"balance": 0, "version": 4}))

def put(_):
    for _ in range(TIMES):
        status, form = ask("GET", "1")
        while True:
            status, answer = ask(
                "PUT", "1", {**form, "balance": form["balance"] - 1})
            if status == 200:
                break
            check(status, 409)
            form = answer["detail"]

def withdraw(_):
    for _ in range(TIMES):
        check(ask("POST", "1/withdraw/1")[0], 200)

def crowd(clients):
    db.execute("UPDATE account SET balance = 1000")
    for work in list(clients.map(put, range(CLIENTS))), list(
            clients.map(withdraw, range(CLIENTS))):
        assert work
    both = [clients.submit(work, 0) for work in [put, withdraw] * (CLIENTS // 2)]
    for work in both:
        work.result()
    check(call("balance FROM account"), 1000 - 3 * CLIENTS * TIMES)

def locked(clients):
    balance = call("balance FROM account")
    call("row_lock('account', 1)")
    status, answer = ask("POST", "1/withdraw/1")
    check((status, answer["detail"][:24]), (503, "lock timeout: account(1)"))
    waiting = []
    both = "count(DISTINCT pid) FROM advisory_sessions WHERE waiting_for"
    while call(both) < 2:
        assert len(waiting) < 2 * CLIENTS, "one process has all requests"
        waiting.append(clients.submit(ask, "POST", "1/withdraw/1"))
        time.sleep(0.05)
    for _ in range(6):
        started = time.monotonic()
        check(ask("GET", "1")[0], 200)
        check(ask("PUT", "1", {"balance": 0, "version": 1})[0], 409)
        assert time.monotonic() - started < 1, "it waits behind the others"
    call("row_unlock('account', 1)")
    # On a slow machine some have waited too long.
    answers = [request.result()[0] for request in waiting]
    assert {*answers} <= {200, 503}, answers
    check(ask("GET", "1")[1]["balance"], balance - answers.count(200))

server = subprocess.Popen(
    [sys.executable, "-m", "uvicorn", "shop.app:app", "--workers", "2",
     "--port", "0"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
try:
    said = []
    while sum("startup complete" in line for line in said) < 2:
        said.append(server.stderr.readline())
        assert said[-1], said
    (port,) = {int(m[1]) for m in map(
        re.compile(r"running on http://127\.0\.0\.1:(\d+)").search, said) if m}
    db.execute("INSERT INTO account VALUES(1, 100, 1)")
    with ThreadPoolExecutor(2 * CLIENTS) as clients:
        form()
        crowd(clients)
        locked(clients)
    check(call("count(*) FROM advisory_locks"), 0)
    server.send_signal(signal.SIGTERM)
    rest = server.communicate(timeout=SECONDS)[1]
    assert rest.count("shutdown complete") == 2, rest
    assert "Traceback" not in rest, rest
    check(call("count(DISTINCT pid) FROM advisory_sessions"), 1)
finally:
    server.kill()
    server.wait()

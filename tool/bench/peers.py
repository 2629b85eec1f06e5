# SPDX-License-Identifier: 0BSD
"""The servers that all.py compares with, each from Debian's package.

Each is started on a socket in a private folder (etcd on a port of 127.0.0.1,
since it can do no other), as a user without rights if this process is root, and
is stopped by its process id. A server that is not installed is skipped by its
name, as is one that does not start.
"""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_S = 60
STOP_S = 20


def program(*names):
    """The first of these programs that there is, or None."""
    places = ["/usr/sbin", "/usr/bin", "/usr/local/bin"]
    places += sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", "")] + places)
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peers:
    """Starts the servers on entry, and stops them at the end.

    environment: the variables that tool/bench/peer.h reads
    running:     name and version of each server that runs
    missing:     name and reason of each that does not
    """

    def __init__(self):
        self.environment = {}
        self.running = {}
        self.missing = {}
        self.processes = []

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="interlock-bench-")
        self.drop = None
        if os.getuid() == 0:
            user = pwd.getpwnam("nobody")
            self.drop = (user.pw_uid, user.pw_gid)
            os.chown(self.folder, *self.drop)
        try:
            for name, start in [("PostgreSQL", self.postgresql),
                                ("MariaDB", self.mariadb),
                                ("Redis", self.redis),
                                ("etcd", self.etcd)]:
                try:
                    start(name)
                except Exception as error:
                    self.missing[name] = str(error)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- how a server is started ------------------------------------------

    def options(self, name):
        rights = {}
        if self.drop:
            rights = {"user": self.drop[0], "group": self.drop[1],
                      "extra_groups": []}
        return dict(cwd=self.folder, stdin=subprocess.DEVNULL,
                    stdout=open(self.log(name), "ab"),
                    stderr=subprocess.STDOUT,
                    env={"PATH": os.environ["PATH"], "HOME": self.folder,
                         "LC_ALL": "C"}, **rights)

    def log(self, name):
        return os.path.join(self.folder, name + ".log")

    def failed(self, name, what):
        with open(self.log(name), errors="replace") as f:
            last = f.read().strip().splitlines()[-3:]
        return RuntimeError(" ".join([what] + last))

    def run(self, name, *command):
        """A step that comes before the server."""
        done = subprocess.run(command, timeout=START_S, **self.options(name))
        if done.returncode:
            raise self.failed(name, os.path.basename(command[0]) + " failed:")

    def start(self, name, command, address, variable, value):
        """Starts the server, and waits until it listens."""
        process = subprocess.Popen(command, **self.options(name))
        self.processes.append(process)
        end = time.monotonic() + START_S
        while True:
            family = socket.AF_INET
            if isinstance(address, str):
                family = socket.AF_UNIX
            with socket.socket(family) as s:
                try:
                    s.connect(address)
                    break
                except OSError:
                    pass
            if process.poll() is not None:
                raise self.failed(name, "it ended:")
            if time.monotonic() > end:
                raise self.failed(name, "it does not listen:")
            time.sleep(0.05)
        said = subprocess.run([command[0], "--version"], capture_output=True,
                              text=True, timeout=START_S).stdout
        self.environment[variable] = str(value)
        self.running[name] = said.strip().splitlines()[0]

    def need(self, *names):
        path = program(*names)
        if path is None:
            raise RuntimeError("not installed")
        return path

    # ---- the servers -------------------------------------------------------

    def postgresql(self, name):
        """COMMIT does not wait for the disk, as in SQLite's WAL mode with
        synchronous=NORMAL."""
        initdb = self.need("initdb")
        server = os.path.join(os.path.dirname(os.path.realpath(initdb)),
                              "postgres")
        data = os.path.join(self.folder, "postgresql")
        self.run(name, initdb, "-D", data, "-U", "bench", "-A", "trust",
                 "--no-sync", "--no-locale")
        where = os.path.join(self.folder, ".s.PGSQL.5432")
        self.start(name, [server, "-D", data, "-k", self.folder, "-h", "",
                          "-c", "synchronous_commit=off",
                          "-c", "max_connections=200"],
                   where, "BENCH_POSTGRESQL", where)

    def mariadb(self, name):
        server = self.need("mariadbd", "mysqld")
        data = os.path.join(self.folder, "mariadb")
        where = os.path.join(self.folder, "mariadb.sock")
        self.run(name, self.need("mariadb-install-db", "mysql_install_db"),
                 "--no-defaults", "--datadir=" + data, "--skip-test-db",
                 "--auth-root-authentication-method=normal")
        self.start(name, [server, "--no-defaults", "--datadir=" + data,
                          "--socket=" + where, "--skip-networking",
                          "--pid-file=" + os.path.join(self.folder, "m.pid"),
                          "--max-connections=200"],
                   where, "BENCH_MARIADB", where)

    def redis(self, name):
        where = os.path.join(self.folder, "redis.sock")
        self.start(name, [self.need("redis-server"), "--port", "0",
                          "--unixsocket", where, "--save", "",
                          "--appendonly", "no", "--dir", self.folder],
                   where, "BENCH_REDIS", where)

    def etcd(self, name):
        server = self.need("etcd")
        port = free_port()
        client = "http://127.0.0.1:%d" % port
        peer = "http://127.0.0.1:%d" % free_port()
        self.start(name, [server, "--data-dir",
                          os.path.join(self.folder, "etcd"),
                          "--listen-client-urls", client,
                          "--advertise-client-urls", client,
                          "--listen-peer-urls", peer,
                          "--initial-advertise-peer-urls", peer,
                          "--initial-cluster", "default=" + peer,
                          "--logger", "zap", "--log-level", "error"],
                   ("127.0.0.1", port), "BENCH_ETCD", port)

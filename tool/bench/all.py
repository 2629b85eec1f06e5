# SPDX-License-Identifier: 0BSD
"""Every subject of tool/bench/, beside what else there is, and a report.

    python3 tool/bench/all.py LIBRARY FOLDER [-quick] [-pictures]

It builds the programs, starts the servers that are installed (peers.py), runs
the subjects below one after the other, and writes into FOLDER figures.json (a
figure a line, runner.h has the fields), report.html and report.md. A server
that is missing, and a subject that fails or takes too long, are named in the
report. -quick is for a look at the report: short runs, whose figures mean
little. -pictures also writes the pictures of README.md into sql/.
"""

import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True     # beside the sources
import peers
import report

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = os.path.dirname(os.path.dirname(HERE))

# A program, its arguments, those of a quick run, and its limit in seconds. The
# limits are 20 minutes in all.
SUBJECTS = [
    ("beside", ["-r", "3", "-s", "0.3"], ["-r", "1", "-s", "0.05"], 330),
    ("updates", ["-r", "5"], ["-r", "1", "-s", "0.1"], 90),
    ("turn", ["wakes", "turns", "turn-grid"], ["-s", "1", "turns"], 110),
    ("queue", ["-r", "3", "-n", "3000"], ["-r", "1", "-n", "200"], 130),
    ("wait", ["-r", "3"], ["-r", "1", "handover", "behind"], 130),
    ("notify", ["-n", "1000"], ["-n", "200"], 30),
    ("lock", ["-r", "5", "-n", "10000", "free", "waiting", "text",
              "transaction", "request", "row", "lease-inside", "million",
              "growth-locks", "skip"], ["-r", "1", "-n", "500", "free"], 130),
    ("tables", ["-r", "5", "writes", "growth-rows", "growth-tables", "carried",
                "bumped", "insert", "delete", "guarded", "guarded-each",
                "fenced", "fenced-lease"],
     ["-r", "1", "-n", "500", "writes"], 250),
]


def run(path, library, folder, arguments, environment, limit):
    """Runs a program. Returns what went wrong, or None."""
    figures = os.path.join(folder, "figures.json")
    process = subprocess.Popen(
        [path, library, folder, "-o", figures] + arguments,
        env=dict(os.environ, **environment), start_new_session=True)
    end = time.monotonic() + limit
    ended = os.WEXITED | os.WNOWAIT | os.WNOHANG
    try:
        while os.waitid(os.P_PID, process.pid, ended) is None:
            if time.monotonic() > end:
                return "it took more than %d s" % limit
            time.sleep(0.05)
    finally:
        # The processes that it started are in its group, whose number is its
        # own until it has been waited for.
        os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    return "it ended with status %d" % status if status else None


def main(arguments):
    quick = "-quick" in arguments
    pictures = "-pictures" in arguments
    words = [word for word in arguments if word not in ("-quick", "-pictures")]
    if len(words) != 2:
        sys.exit("all.py: LIBRARY FOLDER [-quick] [-pictures]")
    library, folder = [os.path.abspath(word) for word in words]
    os.makedirs(folder, exist_ok=True)
    figures = os.path.join(folder, "figures.json")
    if os.path.exists(figures):
        os.remove(figures)
    # Ends the servers, too, when this process is asked to end.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    begin = time.monotonic()
    machine = report.machine(library)
    failed = {}
    with peers.Peers() as servers:
        for name, reason in servers.missing.items():
            print("skipped: %s: %s" % (name, reason))
        for name, version in servers.running.items():
            print("beside: %s" % version)
        subprocess.run(["tclsh", os.path.join(HERE, "bench.tcl"), "-build",
                        folder], check=True)
        for program, full, short, limit in SUBJECTS:
            print("---- %s" % program, flush=True)
            wrong = run(os.path.join(folder, program), library, folder,
                        short if quick else full, servers.environment, limit)
            if wrong:
                failed[program] = wrong
                print("%s: %s" % (program, wrong))
        machine += list(servers.running.values())
        missing = servers.missing
    minutes = (time.monotonic() - begin) / 60
    report.write(folder, machine, missing, failed, minutes, quick)
    if pictures:
        report.pictures(folder, os.path.join(HOME, "sql"))
    print("%.1f minutes; %s/report.html" % (minutes, folder))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

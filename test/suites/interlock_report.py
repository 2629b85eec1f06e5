# SPDX-License-Identifier: 0BSD
# A plugin of pytest: prints what tool/suites.tcl reads. A plugin that has
# Interlock do something says so with used().
import os

counts = {}


def used(what):
    """Counts a use of Interlock: "declared", a table, or "locks"."""
    counts[what] = counts.get(what, 0) + 1


def pytest_terminal_summary(terminalreporter):
    stats = terminalreporter.stats
    for report in stats.get("failed", []) + stats.get("error", []):
        where, name = report.nodeid.split("::")[-2:]
        where = os.path.basename(where).removesuffix(".py")
        print("\n~failed %s.%s" % (where.split("_sqlite")[0],
                                   name.replace(" ", "_")))
    print("\n~passed %d" % len(stats.get("passed", [])))
    for what, n in counts.items():
        print("~%s %d" % (what, n))

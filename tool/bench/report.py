# SPDX-License-Identifier: 0BSD
"""report.html and report.md from figures.json, with plots by gnuplot.

A figure belongs to a part (`beside-free`) and says what it is. Those of one
part that say the same are one table: a line for each series, and a column for
each x, or for value, p99 and the like if there is no x. Tables with an x are
plotted as well.
"""

import html
import json
import os
import re
import subprocess
import time

TITLES = {
    "beside-free": "A lock that is free",
    "beside-contended": "A lock that many processes want",
    "beside-takeover": "The holder is killed",
    "updates": "Read, think, write: in nine ways",
    "turns": "Write turns",
    "turn-grid": "Write turns beside busy_timeout",
    "wakes": "Waking from lease_wait",
    "queue": "Queues of jobs",
    "writes": "Ways to notice a stale write",
    "growth": "Growth", "growth-locks": "Growth: locks that are held",
    "growth-rows": "Growth: rows", "growth-tables": "Growth: tables",
    "behind": "Growth: waiters", "sleep": "Sleeping waiters",
    "notify": "Notifications", "hot": "One hot lock, held for 10 us",
}
NOTES = {
    "beside-contended": "Each process takes a lock at random, holds it for 10"
    " us and releases it, again and again, without a pause. Processor time is"
    " that of these processes; a server's own comes on top. `smallest share /"
    " largest` is 1 if all processes got equally many grants, and 0 if one got"
    " none.",
    "beside-takeover": "Redis and etcd free the lock of a dead holder when its"
    " time is over: here 1 s and 2 s, the time that the holder chose. A row"
    " that stands for a lock is never freed.",
    "updates": "Four processes add 1 to one of four rows, and think for 0.2 ms"
    " between reading and writing. What the rows say in the end is right, the"
    " rest is lost.",
    "queue": "A job takes no time, so this is the cost of the queue alone. Each"
    " run verifies that every job was done once.",
    "turn-grid": "Processes write 50 rows a transaction.",
    "beside-free": "Servers are spoken to over a socket on the same machine,"
    " without a client library. PostgreSQL and MariaDB take one statement to"
    " lock and one to unlock.",
}
COLUMNS = [("value", "value"), ("p50", "median"), ("p99", "p99"),
           ("p999", "p99.9"), ("max", "longest"), ("spread", "spread"),
           ("aim", "aim")]


# ---- the machine -----------------------------------------------------------

def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True,
                              timeout=20).stdout.strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def machine(library):
    """What was measured, and where: one text a line."""
    with open("/proc/cpuinfo") as f:
        found = re.search(r"^model name\s*: (.*)$", f.read(), re.M)
    cpu = found.group(1) if found else "unknown processor"
    with open("/proc/loadavg") as f:
        load = f.read().split()[0]
    version = subprocess.run(
        ["sqlite3", "-cmd", ".load " + library, ":memory:",
         "SELECT 'Interlock ' || interlock_version()"],
        capture_output=True, text=True, timeout=20).stdout.strip()
    return ["%s, %d processors" % (cpu, os.cpu_count()),
            "Linux " + os.uname().release,
            "load %s when it began" % load,
            "SQLite " + first_line("sqlite3", "--version").split()[0],
            version or "Interlock"]


# ---- tables ----------------------------------------------------------------

def number(value):
    """Three digits, and thousands with a comma."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return format(round(value), ",")
    for digits in (2, 1):
        if abs(value) < 10 ** (3 - digits):
            return "%.*f" % (digits, value)
    return "%.0f" % value


def load(folder):
    """The tables: a list of part, what, unit and figures, in their order."""
    tables = {}
    with open(os.path.join(folder, "figures.json")) as f:
        for line in f:
            figure = json.loads(line)
            key = (figure["part"], figure["what"], figure["unit"].strip())
            tables.setdefault(key, []).append(figure)
    return tables


def by_x(figures):
    """Columns of numbers and lines of series, for figures with an x."""
    xs = sorted({figure["x"] for figure in figures})
    lines = {}
    for figure in figures:
        lines.setdefault(figure.get("series", ""), {})[figure["x"]] = (
            figure["value"])
    return xs, lines


def cells(figures):
    """The table as a list of lines of text, the head first."""
    if any("x" in figure for figure in figures):
        xs, lines = by_x(figures)
        return [[""] + [format(int(x), ",") for x in xs]] + [
            [name] + [number(line.get(x)) for x in xs]
            for name, line in lines.items()]
    used = [(key, head) for key, head in COLUMNS
            if any(key in figure for figure in figures)]
    lines = [[""] + [head for key, head in used]]
    for figure in figures:
        line = [figure.get("series", "")]
        for key, head in used:
            value = figure.get(key)
            if key == "spread" and value is not None:
                line.append("%.0f %%" % (100 * value))
            elif key == "aim" and value is not None:
                sign = "at least " if figure.get("at_least") else "at most "
                line.append(sign + number(value))
            else:
                line.append(number(value))
        lines.append(line)
    return lines


def markdown(lines):
    rows = ["| " + " | ".join(line) + " |" for line in lines]
    rows.insert(1, "|---" + "|---:" * (len(lines[0]) - 1) + "|")
    return "\n".join(rows)


def as_html(lines):
    def row(line, tag):
        return "<tr>" + "".join("<%s>%s</%s>" % (tag, html.escape(cell), tag)
                                for cell in line) + "</tr>"
    return "<table>\n%s\n%s\n</table>" % (
        row(lines[0], "th"), "\n".join(row(line, "td") for line in lines[1:]))


# ---- plots -----------------------------------------------------------------

def gnuplot(script):
    """The SVG that the script draws, or None if there is no gnuplot."""
    try:
        drawn = subprocess.run(["gnuplot"], input=script, capture_output=True,
                               text=True, timeout=60)
    except FileNotFoundError:
        return None
    if drawn.returncode or "<svg" not in drawn.stdout:
        raise RuntimeError("gnuplot: " + drawn.stderr)
    # The picture says its own title, and not that of its maker.
    title = re.search(r'^set title "(.*)"$', script, re.M).group(1)
    return re.sub(r"<title>.*?</desc>",
                  lambda _: "<title>%s</title>" % html.escape(title),
                  drawn.stdout[drawn.stdout.index("<svg"):], flags=re.S)


def quoted(text):
    return '"' + re.sub(r'[\\"]', "", text) + '"'


HEAD = """set terminal svg noenhanced size %d,%d font 'sans-serif,%d' \
  background '#ffffff'
set border 3 lc rgb '#888888'
set tics nomirror textcolor rgb '#333333'
set grid ytics lc rgb '#dddddd'
set title %s
"""
# Interlock's own color, and those of the others, in turn.
OWN = "#2a6f97"
OTHERS = ["#d1495b", "#edae49", "#66a182", "#8d96a3", "#7b4b94", "#00798c",
          "#b56576", "#5c5c5c", "#9bc53d", "#c17c74"]


def plot_lines(title, unit, axis, xs, lines, size=(640, 340, 12)):
    """A line for each series, over x."""
    values = [x for line in lines.values() for x in line.values()]
    script = HEAD % (size + (quoted(title),))
    if min(values) > 0 and max(values) / min(values) > 20:
        script += "set logscale y\nset yrange [%g:%g]\n" % (
            min(values) / 2, max(values) * 2)
    else:
        script += "set yrange [0:%g]\n" % (max(values) * 1.1 or 1)
    if min(xs) > 0 and max(xs) / min(xs) > 4:
        script += "set logscale x\nset xrange [%g:%g]\n" % (
            min(xs) / 1.1, max(xs) * 1.1)
    script += "set xtics (%s)\n" % ", ".join(
        '"%s" %g' % (format(int(x), ","), x) for x in xs)
    script += "set format y '%%.6g'\nset xlabel %s\nset ylabel %s\n" % (
        quoted(axis), quoted(unit))
    script += "set key outside right top\n"
    names = [name for name in lines]
    for i, name in enumerate(names):
        script += "$d%d << EOD\n" % i
        for x in xs:
            if x in lines[name]:
                script += "%g %g\n" % (x, lines[name][x])
        script += "EOD\n"
    others = [name for name in names if name not in OURS]
    styles = []
    for i, name in enumerate(names):
        if name in OURS and len(others) > 0:
            style = "lw 3 lc rgb '%s' dt %d" % (
                OWN, 1 + [n for n in names if n in OURS].index(name))
        else:
            style = "lw 1.5 lc rgb '%s'" % (
                OTHERS[others.index(name) % len(OTHERS)] if others else OWN)
        styles.append("$d%d with linespoints pt 7 ps 0.5 %s title %s" % (
            i, style, quoted(name or " ")))
    script += "plot " + ", ".join(styles) + "\n"
    return gnuplot(script)


# Series that are Interlock's are drawn thicker, and their bars in its color.
OURS = {"Interlock", "write_turn", "versioned", "versioned, again if stale",
        "row_lock", "advisory_lock of the row's number",
        "skip_locked, 1 at a time", "skip_locked, 10 at a time", "",
        "versioned, carried", "versioned, bumped", "strict, carried",
        "echo, carried", "on_stale=ignore, carried", "guarded", "fenced"}


def plot_bars(title, unit, values, size=(640, 340, 12)):
    """A bar for each series, lying, the first on top."""
    names = list(values)
    script = HEAD % (size + (quoted(title),))
    numbers = list(values.values())
    script += "set style fill solid 0.9 noborder\nunset key\n"
    script += "unset grid\nset border 1\nset grid xtics lc rgb '#dddddd'\n"
    low = 0
    if min(numbers) > 0 and max(numbers) / min(numbers) > 20:
        script += "set logscale x\nset format x '%.6g'\n"
        low = min(numbers) / 3
        script += "set xrange [%g:%g]\n" % (low, max(numbers) * 8)
    else:
        script += "set xrange [0:%g]\n" % (max(numbers) * 1.25 or 1)
    script += "set xlabel %s\nset yrange [%g:-0.7]\n" % (
        quoted(unit), len(names) - 0.3)
    script += "set ytics (%s)\n" % ", ".join(
        "%s %d" % (quoted(name), i) for i, name in enumerate(names))
    script += "$d << EOD\n"
    for i, name in enumerate(names):
        color = int(OWN[1:], 16) if name in OURS else 0xa9b8c3
        script += "%d %g %g %d\n" % (i, low, values[name], color)
    script += "EOD\nset label 1 ''\n"
    for i, name in enumerate(names):
        script += "set label %d %s at %g,%d offset 0.5,0 font ',%d'\n" % (
            i + 2, quoted(number(values[name])), values[name], i, size[2] - 1)
    script += ("plot $d using 3:1:2:3:($1-0.35):($1+0.35):4 with boxxyerror"
               " lc rgb variable\n")
    return gnuplot(script)


def plot(part, what, unit, figures):
    """The picture of a table, or None if it has no use for one."""
    if any("x" in figure for figure in figures):
        xs, lines = by_x(figures)
        if len(xs) < 2:
            return None
        axis = {"growth-locks": "locks held", "growth-rows": "rows",
                "growth-tables": "tables", "queue": "workers",
                "behind": "waiters", "sleep": "waiters"}.get(part, "processes")
        return plot_lines(what, unit, axis, xs, lines)
    values = {figure.get("series"): figure["value"] for figure in figures}
    if len(values) < 3:
        return None
    return plot_bars(what, unit, values)


# ---- the report ------------------------------------------------------------

STYLE = """body { font: 15px/1.45 sans-serif; max-width: 60em; margin: 2em auto;
  padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 0.6em 0 }
td, th { padding: 0.15em 0.7em; text-align: right;
  border-bottom: 1px solid #ddd }
td:first-child { text-align: left }
svg { max-width: 100%; height: auto; display: block }"""


def write(folder, machine_lines, missing, failed, minutes, quick):
    tables = load(folder)
    head = machine_lines + [time.strftime("%Y-%m-%d, ")
                            + "%.1f minutes" % minutes]
    if quick:
        head.append("a quick run: these figures mean little")
    for name, reason in missing.items():
        head.append("skipped: %s: %s" % (name, reason))
    for name, reason in failed.items():
        head.append("FAILED: %s: %s" % (name, reason))
    md = ["# What Interlock costs", "`make bench-all`:", ""]
    md += ["- " + line for line in head]
    page = ["<!DOCTYPE html><html lang='en'><meta charset='utf-8'>",
            "<title>What Interlock costs</title><style>%s</style>" % STYLE,
            "<h1>What Interlock costs</h1><p><code>make bench-all</code>:<ul>"]
    page += ["<li>%s</li>" % html.escape(line) for line in head]
    page.append("</ul>")
    short = summary(tables)
    if short:
        md += ["", "## Locks, in short", "", markdown(short)]
        page.append("<h2>Locks, in short</h2>" + as_html(short))
    before = None
    for (part, what, unit), figures in tables.items():
        if part != before:
            title = TITLES.get(part, part)
            md += ["", "## " + title, "", NOTES.get(part, "")]
            page.append("<h2>%s</h2><p>%s</p>" % (
                html.escape(title), html.escape(NOTES.get(part, ""))))
            before = part
        caption = what + (" (%s)" % unit if unit else "")
        lines = cells(figures)
        md += ["", "**%s**" % caption, "", markdown(lines)]
        page.append("<h3>%s</h3>" % html.escape(caption))
        page.append(plot(part, what, unit, figures) or "")
        page.append(as_html(lines))
    with open(os.path.join(folder, "report.md"), "w") as f:
        f.write("\n".join(md) + "\n")
    with open(os.path.join(folder, "report.html"), "w") as f:
        f.write("\n".join(page) + "\n")


# ---- for README.md ---------------------------------------------------------

# The lines of its table: part, figure, x, factor, text, and what stands where
# there is no figure.
SUMMARY = [
    ("beside-free", "a free lock and its unlock", None, 1,
     "a free lock and its unlock, us", ""),
    ("beside-contended", "one lock, grants a second", 16, 1,
     "16 processes want one lock: grants a second", ""),
    ("beside-contended", "one lock, smallest share / largest", 16, 1,
     "the same: smallest share / largest", ""),
    ("beside-contended", "one lock, wait, longest", 16, 1e-3,
     "the same: longest wait, ms", ""),
    ("beside-takeover", "kill -9 of the holder to the next grant", None, 1,
     "kill -9 of the holder to the next grant, ms", "never"),
]


def summary(tables):
    """Interlock's locks beside the others, as lines of text."""
    series = []
    lines = []
    for part, what, x, factor, text, none in SUMMARY:
        values = {}
        for (p, w, unit), figures in tables.items():
            if (p, w) == (part, what):
                values.update({figure["series"]: figure["value"] * factor
                               for figure in figures
                               if figure.get("x") == x})
        series += [name for name in values if name not in series]
        lines.append((text, values, none))
    if not series:
        return None
    return [[""] + series] + [
        [text] + [number(values.get(name)) or none for name in series]
        for text, values, none in lines if values]


# File, part, figure, title, unit, axis.
PICTURES = [
    ("benchlock.svg", "beside-free", "a free lock and its unlock",
     "A free lock and its unlock", "microseconds (each line: ten times more)",
     None),
    ("benchturns.svg", "turn-grid",
     "hold 1 ms more, think up to 2 ms: p99 wait",
     "99 of 100 waits for the write lock are shorter", "milliseconds",
     "processes that write"),
]


def pictures(folder, to):
    """The two pictures of README.md."""
    tables = load(folder)
    for name, part, what, title, unit, axis in PICTURES:
        figures = next((f for (p, w, u), f in tables.items()
                        if (p, w) == (part, what)), None)
        if figures is None:
            raise SystemExit("no figures for %s: %s" % (name, what))
        if axis:
            xs, lines = by_x(figures)
            drawn = plot_lines(title, unit, axis, xs, lines, (420, 230, 11))
        else:
            drawn = plot_bars(title, unit, {f["series"]: f["value"]
                                            for f in figures}, (420, 230, 11))
        if drawn is None:
            raise SystemExit("no gnuplot")
        with open(os.path.join(to, name), "w") as f:
            f.write(drawn)

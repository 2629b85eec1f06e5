# SPDX-License-Identifier: 0BSD
# steps.py: what the programs in Python share.
import os, subprocess, sys

def other(*words):
    return subprocess.run(
        ["sh", os.environ["SRC"] + "/other.sh", *words], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.strip()

# What the adapter does in its own program, with a database of its own.
def adapter(name):
    beside("adapter", f"adapter{name}.py")

def beside(folder, file):
    root = os.environ["ROOT"]
    path = root + "/tool/adapters/python:" + os.environ["PYTHONPATH"]
    os.makedirs(folder, exist_ok=True)
    sys.stdout.flush()
    library = os.path.abspath("build/interlock.so")
    subprocess.run(
        [sys.executable, "-B", "-W", "ignore",
         f"{os.environ['SRC']}/{file}"], cwd=folder, check=True,
        env={**os.environ, "PYTHONPATH": path, "INTERLOCK": library})

# What a SELECT for update becomes.
def for_update(sql):
    return "silently left out" if "UPDATE" not in sql.upper() else sql

# SPDX-License-Identifier: 0BSD
# steps.py: what the programs in Python share.
import os, subprocess

def other(*words):
    return subprocess.run(
        ["sh", os.environ["SRC"] + "/other.sh", *words], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.strip()

# What a SELECT for update becomes.
def for_update(sql):
    return "silently left out" if "UPDATE" not in sql.upper() else sql

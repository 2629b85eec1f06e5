# SPDX-License-Identifier: 0BSD
# adapters.py: what the programs for the adapters in Python have in common. Each
# adds 1 to a row, by FOR UPDATE. Four processes of it do so 25 times each, two
# on one row: no addition is lost. A row that another program has locked is
# refused with nowait, and passed over by skip_locked. The part of a query that
# LIMIT and OFFSET name is the one that it has without FOR UPDATE.
import os, subprocess, sys

TIMES = 25

def main(program):
    if len(sys.argv) > 1:
        for _ in range(TIMES):
            program.add(int(sys.argv[1]))
        return
    program.create()
    workers = [subprocess.Popen([sys.executable, sys.argv[0], str(pk)])
               for pk in (1, 1, 2, 3)]
    ended = [worker.wait() for worker in workers]
    part = program.part()
    holder = subprocess.Popen(
        ["sqlite3", "shop.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True)
    holder.stdin.write('.load "%s"\n'
                       "SELECT row_lock('counter', 3) > 0;\n"
                       % os.environ["INTERLOCK"].removesuffix(".so"))
    holder.stdin.flush()
    assert holder.stdout.readline() == "1\n"
    print("adapter", ended, program.total(), program.nowait(3), program.skip(),
          part, sep=", ")
    holder.stdin.close()
    holder.wait()

# SPDX-License-Identifier: 0BSD
# enable.py VERSION FOLDER: the steps of program.py, with no extension loaded
# into a connection.
import os, runpy, sys

import interlock

interlock.enable()  #:load
interlock.enable()
steps = os.path.join(os.path.dirname(__file__), "program.py")
runpy.run_path(steps, run_name="enabled")

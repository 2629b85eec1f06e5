// SPDX-License-Identifier: 0BSD
// Compiles the extension, unless there is one for this machine. npm runs this
// unless it is told to run no scripts.
"use strict";
const fs = require("fs");
const path = require("path");
const { spawnSync } = require("child_process");
const { compiled, prebuilt } = require("./index.js").internal;

if (prebuilt()) process.exit(0);

const cc = (process.env.CC || "cc").split(" ");
const fresh = `${compiled}.${process.pid}`;
fs.mkdirSync(path.dirname(compiled), { recursive: true });
const { status, error } = spawnSync(cc[0], [...cc.slice(1), "-std=c11", "-O2",
  "-DNDEBUG", "-fPIC", "-shared", "-fvisibility=hidden", "-o", fresh,
  path.join(__dirname, "src", "interlock.c")], { stdio: "inherit" });
if (status !== 0) {
  console.error("@NAME@: cannot compile the extension with " +
    `${cc.join(" ")}${error ? `: ${error.message}` : ""}. It needs Linux and ` +
    "a C compiler; CC names one.");
  process.exit(1);
}
fs.renameSync(fresh, compiled);

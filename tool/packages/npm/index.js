// SPDX-License-Identifier: 0BSD
"use strict";
const fs = require("fs");
const path = require("path");

const compiled = path.join(__dirname, "build", "interlock.so");

// The machine as folders in prebuilt/ are named, and its version of glibc, if
// it is known.
function machine() {
  let isMusl = false;
  try {
    const maps = fs.readFileSync("/proc/self/maps", "latin1");
    isMusl = maps.includes("/ld-musl-");
  } catch {
    // Without /proc it is taken for glibc.
  }
  const report = process.report?.getReport?.();
  return {
    name: `${process.platform}-${process.arch}-${isMusl ? "musl" : "glibc"}`,
    version: report?.header?.glibcVersionRuntime,
  };
}

// 2.34 as a number that can be compared.
function number(version) {
  const [major, minor] = version.split(".").map(Number);
  return 1000 * major + minor;
}

// What has been made for this machine, or undefined.
function prebuilt() {
  const { glibc } = require("./package.json");
  const { name, version } = machine();
  const needs = glibc[name];
  if (needs && version && number(version) < number(needs)) return undefined;
  const file = path.join(__dirname, "prebuilt", name, "interlock.so");
  return fs.existsSync(file) ? file : undefined;
}

// A text as one word for the shell.
function quoted(text) {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}

function getLoadablePath() {
  if (process.env.INTERLOCK) return process.env.INTERLOCK;
  const file = fs.existsSync(compiled) ? compiled : prebuilt();
  if (file) return file;
  throw new Error(`there is no interlock.so for ${machine().name} yet; this ` +
    `compiles it: node ${quoted(path.join(__dirname, "install.js"))}`);
}

function load(db) {
  db.loadExtension(getLoadablePath());
}

module.exports = { getLoadablePath, load };
Object.defineProperty(module.exports, "internal",
  { value: { compiled, prebuilt } });

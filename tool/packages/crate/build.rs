// SPDX-License-Identifier: 0BSD
// Compiles Interlock's C file for a program that contains SQLite.
fn main() {
    println!("cargo:rerun-if-changed=c");
    cc::Build::new()
        .file("c/interlock.c")
        .include("c")
        .std("c11")
        .define("SQLITE_CORE", None)
        .define("NDEBUG", None)
        .opt_level(2)
        .compile("interlock");
}

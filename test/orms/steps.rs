// SPDX-License-Identifier: 0BSD
// What the programs in Rust share.
use std::process::Command;

pub fn other(words: &[&str]) -> String {
    let script = std::env::var("SRC").unwrap() + "/other.sh";
    let out = Command::new("sh").arg(script).args(words).output().unwrap();
    String::from_utf8_lossy(&out.stdout).trim().to_string()
}

pub fn row() -> String {
    other(&["SELECT balance, version FROM account"])
}

pub fn try_lock() -> String {
    other(&["-load", "SELECT try_row_lock('account', 1)"])
}

// SPDX-License-Identifier: 0BSD
#![doc = include_str!("../README.md")]

use std::ffi::CStr;
use std::fmt;
use std::os::raw::{c_char, c_int, c_void};
use std::ptr::null_mut;

// It links SQLite, which Interlock calls.
use libsqlite3_sys as _;

/// The version of Interlock: the first word of `interlock_version()`.
pub const VERSION: &str = "@VERSION@";

type Entry =
    unsafe extern "C" fn(*mut c_void, *mut *mut c_char, *const c_void) -> c_int;

extern "C" {
    fn sqlite3_interlock_init(
        db: *mut c_void,
        message: *mut *mut c_char,
        api: *const c_void,
    ) -> c_int;
    fn sqlite3_auto_extension(entry: Option<Entry>) -> c_int;
    fn sqlite3_free(p: *mut c_void);
}

/// Why Interlock was not loaded: SQLite's code, and a text.
#[derive(Debug)]
pub struct Error {
    pub code: i32,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for Error {}

/// Loads Interlock into each connection that this program opens from now on.
pub fn register() -> Result<(), Error> {
    match unsafe { sqlite3_auto_extension(Some(sqlite3_interlock_init)) } {
        0 => Ok(()),
        code => Err(Error {
            code,
            message: "sqlite3_auto_extension".into(),
        }),
    }
}

/// Loads Interlock into one connection: `load(db.handle())` with rusqlite.
///
/// # Safety
///
/// `db` must be an open connection, a `*mut sqlite3`, of the SQLite that this
/// program links.
pub unsafe fn load<T>(db: *mut T) -> Result<(), Error> {
    let mut text = null_mut();
    let code =
        sqlite3_interlock_init(db.cast(), &mut text, std::ptr::null());
    if code == 0 {
        return Ok(());
    }
    let mut message = String::from("interlock");
    if !text.is_null() {
        message = CStr::from_ptr(text).to_string_lossy().into_owned();
        sqlite3_free(text.cast());
    }
    Err(Error { code, message })
}

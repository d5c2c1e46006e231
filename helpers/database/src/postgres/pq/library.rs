//! libpq as a table of functions: the one that is built in, or the machine's (`postgresql.library`).
//!
//! The one built in has no GSSAPI, which would need libraries that differ from system to system. Who logs in by it
//! names the machine's libpq in the configuration; it is then loaded, with the OpenSSL that it was made for, in place
//! of ours, and stays for as long as the process lives.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use daemon::config::{self, settings};
use openssl_sys::SSL;
use pq_sys::{ConnStatusType, PGcancel, PGcancelConn, PGconn, PQconninfoOption, PQnoticeProcessor};

/// Makes a table of functions that can be filled with those that are linked in, and with those of a loaded library.
macro_rules! functions {
    ($(#[$doc:meta])* $table:ident, $crate_:ident; $($name:ident($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        $(#[$doc])*
        #[allow(non_snake_case, reason = "the names of C")]
        #[derive(Debug)]
        pub(super) struct $table {
            $(pub(super) $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
        }

        impl $table {
            /// Those that are linked in.
            #[allow(dead_code, reason = "not every table has a use for both")]
            fn built_in() -> Self {
                Self { $($name: $crate_::$name,)* }
            }

            /// Those of a library; the name of the first that it does not have.
            fn of(handle: *mut c_void) -> Result<Self, &'static str> {
                Ok(Self {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        // SAFETY: an open library and a string.
                        let found = unsafe { libc::dlsym(handle, name.as_ptr().cast()) };
                        if found.is_null() {
                            return Err(stringify!($name));
                        }
                        // SAFETY: a function of this name in libpq or OpenSSL has had this signature for as long as
                        // it has existed; that of the one linked in is compared by the compiler.
                        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(found) }
                    },)*
                })
            }
        }
    };
}

functions! {
    /// What is used of libpq.
    Functions, pq_sys;
    PQconnectdbParams(*const *const c_char, *const *const c_char, c_int) -> *mut PGconn;
    PQfinish(*mut PGconn);
    PQstatus(*const PGconn) -> ConnStatusType;
    PQerrorMessage(*const PGconn) -> *mut c_char;
    PQsetNoticeProcessor(*mut PGconn, PQnoticeProcessor, *mut c_void) -> PQnoticeProcessor;
    PQconninfoParse(*const c_char, *mut *mut c_char) -> *mut PQconninfoOption;
    PQconninfoFree(*mut PQconninfoOption);
    PQfreemem(*mut c_void);
    PQlibVersion() -> c_int;
    PQsocket(*const PGconn) -> c_int;
    PQsslInUse(*mut PGconn) -> c_int;
    PQsslStruct(*mut PGconn, *const c_char) -> *mut c_void;
    PQserverVersion(*const PGconn) -> c_int;
    PQbackendPID(*const PGconn) -> c_int;
    PQparameterStatus(*const PGconn, *const c_char) -> *const c_char;
    PQdb(*const PGconn) -> *mut c_char;
    PQuser(*const PGconn) -> *mut c_char;
    PQhost(*const PGconn) -> *mut c_char;
    PQport(*const PGconn) -> *mut c_char;
    PQoptions(*const PGconn) -> *mut c_char;
}

functions! {
    /// Cancelling since libpq 17: with the connection's own encryption.
    Cancel, pq_sys;
    PQcancelCreate(*mut PGconn) -> *mut PGcancelConn;
    PQcancelBlocking(*mut PGcancelConn) -> c_int;
    PQcancelErrorMessage(*const PGcancelConn) -> *mut c_char;
    PQcancelReset(*mut PGcancelConn);
    PQcancelFinish(*mut PGcancelConn);
}

functions! {
    /// Cancelling before that.
    OldCancel, pq_sys;
    PQgetCancel(*mut PGconn) -> *mut PGcancel;
    PQcancel(*mut PGcancel, *mut c_char, c_int) -> c_int;
    PQfreeCancel(*mut PGcancel);
}

functions! {
    /// Whether GSSAPI encrypts the connection.
    Gss, pq_sys;
    PQgssEncInUse(*mut PGconn) -> c_int;
}

/// The functions of OpenSSL, in one place for the macro.
mod openssl {
    pub use openssl_sys::{ERR_clear_error, SSL_ctrl, SSL_get_error, SSL_read, SSL_write};

    use super::{SSL, c_int};

    unsafe extern "C" {
        pub fn SSL_set_default_read_buffer_len(ssl: *mut SSL, len: usize);
        pub fn SSL_set_read_ahead(ssl: *mut SSL, yes: c_int);
    }
}

functions! {
    /// What is used of OpenSSL.
    Tls, openssl;
    SSL_read(*mut SSL, *mut c_void, c_int) -> c_int;
    SSL_write(*mut SSL, *const c_void, c_int) -> c_int;
    SSL_get_error(*const SSL, c_int) -> c_int;
    SSL_ctrl(*mut SSL, c_int, c_long, *mut c_void) -> c_long;
    SSL_set_default_read_buffer_len(*mut SSL, usize);
    SSL_set_read_ahead(*mut SSL, c_int);
    ERR_clear_error();
}

/// How the server's work is cancelled.
#[derive(Debug)]
pub(super) enum Cancelling {
    New(Cancel),
    Old(OldCancel),
}

/// A libpq.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) pq: Functions,
    pub(super) cancelling: Cancelling,
    /// `None`: it was built without OpenSSL.
    pub(super) tls: Option<Tls>,
    /// `None`: it is too old to encrypt by GSSAPI.
    pub(super) gss: Option<Gss>,
    /// It was loaded.
    pub(super) is_foreign: bool,
}

/// The libpq of this process; the same one for as long as it lives.
pub(super) fn library() -> Result<&'static Library, String> {
    static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| match config::get().path(&settings::POSTGRESQL_LIBRARY) {
        Some(path) => Library::load(&path)
            .map_err(|why| format!("cannot load postgresql.library of the configuration, {}: {why}", path.display())),
        None => Ok(Library::built_in()),
    });
    library.as_ref().map_err(Clone::clone)
}

impl Library {
    fn built_in() -> Self {
        Self {
            pq: Functions::built_in(),
            cancelling: Cancelling::New(Cancel::built_in()),
            tls: Some(Tls::built_in()),
            gss: Some(Gss::built_in()),
            is_foreign: false,
        }
    }

    fn load(path: &Path) -> Result<Self, String> {
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| "there is a NUL in its path".to_owned())?;
        // SAFETY: a string. The library's own initialisers run; the administrator, or the user, has named it.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            // SAFETY: right after the call that failed; a string, or null.
            let why = unsafe { super::text(libc::dlerror()) };
            return Err(why);
        }
        let lacks = |name: &str| format!("it has no {name}: it is no libpq, or one that is too old");
        let cancelling = match Cancel::of(handle) {
            Ok(functions) => Cancelling::New(functions),
            Err(_) => Cancelling::Old(OldCancel::of(handle).map_err(lacks)?),
        };
        let library = Self {
            pq: Functions::of(handle).map_err(lacks)?,
            cancelling,
            // A search in a library includes those that it was linked with.
            tls: Tls::of(handle).ok(),
            gss: Gss::of(handle).ok(),
            is_foreign: true,
        };
        // SAFETY: returns a constant.
        let version = unsafe { (library.pq.PQlibVersion)() };
        tracing::info!("loaded {}, version {version}", path.display());
        Ok(library)
    }

    /// Why the driver cannot speak over a connection that this library has opened.
    ///
    /// # Safety
    /// `raw` is an open connection of this library's.
    pub(super) unsafe fn objection(&self, raw: *mut PGconn, has_ssl: bool) -> Option<&'static str> {
        // SAFETY: the caller's promise.
        unsafe {
            if self.gss.as_ref().is_some_and(|gss| (gss.PQgssEncInUse)(raw) != 0) {
                return Some(
                    "the connection is encrypted by GSSAPI, which the bridge cannot read; use gssencmode=disable \
                     (with sslmode=require for encryption): logging in by GSSAPI works with that",
                );
            }
            if !has_ssl && (self.pq.PQsslInUse)(raw) != 0 {
                return Some(
                    "the libpq that was loaded has a TLS library other than OpenSSL, which the bridge cannot use",
                );
            }
        }
        None
    }
}

/// The name that libpq has for OpenSSL's part of a connection.
pub(super) const OPENSSL: &CStr = c"OpenSSL";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_libpq_is_refused() {
        let missing = Library::load(Path::new("/nonexistent/libpq.so.5")).unwrap_err();
        assert!(missing.contains("/nonexistent/libpq.so.5"), "{missing}");
        let other = Library::load(Path::new("libc.so.6")).unwrap_err();
        assert!(other.contains("it has no PQ"), "{other}");
    }

    #[test]
    fn the_one_built_in_can_cancel_and_encrypt() {
        let library = Library::built_in();
        assert!(matches!(library.cancelling, Cancelling::New(_)));
        assert!(library.tls.is_some() && !library.is_foreign);
        // SAFETY: returns a constant.
        assert!(unsafe { (library.pq.PQlibVersion)() } >= 170_000);
    }
}

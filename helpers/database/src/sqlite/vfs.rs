//! A thin VFS over SQLite's own, for what belongs to the client rather than to the daemon: relative names go against
//! the client's directory, new files get the client's umask, temporary files go to the client's `TMPDIR`, and a wait
//! for a lock ends when the call is cancelled.
//!
//! Files are opened by SQLite's default VFS and keep its methods; nothing is added to reading and writing.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use libsqlite3_sys as ffi;

use super::host;

/// The name under which it is registered, as the default VFS.
const NAME: &CStr = c"cpan-bridge";
/// What SQLite gives new database files, before the umask.
const NEW_FILE_MODE: u32 = 0o644;
/// A wait for a lock looks for a cancel this often.
const SLEEP_SLICE_MS: u64 = 10;

/// Registers the VFS once per process; an error code of SQLite otherwise.
pub(super) fn register() -> c_int {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    *REGISTERED.get_or_init(|| {
        // SAFETY: finds the default VFS (initialising the library); it lives as long as the process.
        let inner = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        if inner.is_null() {
            return ffi::SQLITE_ERROR;
        }
        // SAFETY: `inner` is a registered VFS; its structure is plain data and copied.
        let mut vfs = unsafe { *inner };
        vfs.iVersion = 2;
        vfs.zName = NAME.as_ptr();
        vfs.pNext = std::ptr::null_mut();
        vfs.pAppData = inner.cast();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        vfs.xAccess = Some(access);
        vfs.xFullPathname = Some(full_pathname);
        vfs.xDlOpen = Some(dl_open);
        vfs.xDlError = Some(dl_error);
        vfs.xDlSym = Some(dl_sym);
        vfs.xDlClose = Some(dl_close);
        vfs.xRandomness = Some(randomness);
        vfs.xSleep = Some(sleep);
        vfs.xCurrentTime = Some(current_time);
        vfs.xGetLastError = Some(last_error);
        vfs.xCurrentTimeInt64 = Some(current_time_64);
        // SAFETY: a complete VFS, leaked so that it lives as long as the process.
        unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 1) }
    })
}

/// The VFS underneath.
///
/// # Safety
/// `vfs` is the one registered above.
unsafe fn inner(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: pAppData was set to the inner VFS.
    unsafe { (*vfs).pAppData.cast() }
}

/// Calls a method of the VFS underneath; `$none` if it has none.
macro_rules! forward {
    ($vfs:ident, $method:ident, $none:expr $(, $arg:expr)*) => {{
        // SAFETY: SQLite calls us with our own VFS; the arguments go on as they came.
        unsafe {
            let inner = inner($vfs);
            match (*inner).$method {
                Some(method) => method(inner $(, $arg)*),
                None => $none,
            }
        }
    }};
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    if name.is_null() {
        return open_temporary(vfs, file, flags, out_flags);
    }
    // SAFETY: SQLite gives a NUL-terminated name.
    let path = Path::new(std::ffi::OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()));
    let creates = flags & ffi::SQLITE_OPEN_MAIN_DB != 0 && flags & ffi::SQLITE_OPEN_CREATE != 0;
    let is_new = creates && !path.exists();
    let rc = forward!(vfs, xOpen, ffi::SQLITE_CANTOPEN, name, file, flags, out_flags);
    if rc == ffi::SQLITE_OK
        && is_new
        && let Some(umask) = host::client(|client| client.umask.get())
    {
        let mode = std::fs::Permissions::from_mode(NEW_FILE_MODE & !umask);
        // The file stays private to the user if this fails; SQLite works all the same.
        let _ = std::fs::set_permissions(path, mode);
    }
    rc
}

/// A nameless file: in the client's temporary folder, where it has named one.
fn open_temporary(
    vfs: *mut ffi::sqlite3_vfs,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let folder = host::client(|client| client.temporary.clone()).flatten();
    if flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0
        && let Some(folder) = folder.filter(|folder| folder.is_dir())
    {
        // One at a time: a file loses its name as soon as it is open.
        let mut names = temporary_names();
        let name = *names.entry(folder).or_insert_with_key(|folder| leaked_name(folder));
        let rc = forward!(vfs, xOpen, ffi::SQLITE_CANTOPEN, name.as_ptr().cast(), file, flags, out_flags);
        if rc == ffi::SQLITE_OK {
            return rc;
        }
    }
    forward!(vfs, xOpen, ffi::SQLITE_CANTOPEN, std::ptr::null(), file, flags, out_flags)
}

/// The name for temporary files in each folder. SQLite keeps the pointer while the file is open, so names live as
/// long as the process; there are as many as clients have temporary folders.
fn temporary_names() -> MutexGuard<'static, HashMap<PathBuf, &'static [u8]>> {
    static NAMES: OnceLock<Mutex<HashMap<PathBuf, &'static [u8]>>> = OnceLock::new();
    NAMES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

fn leaked_name(folder: &Path) -> &'static [u8] {
    let mut name = folder.join(format!("etilqs_{}", std::process::id())).into_os_string().into_vec();
    // NULs to spare: SQLite may look behind a name for the parameters of a URI.
    name.extend_from_slice(&[0; 4]);
    Vec::leak(name)
}

unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a NUL-terminated name.
    let given = unsafe { CStr::from_ptr(name) };
    match against_client_folder(given) {
        Some(path) => forward!(vfs, xFullPathname, ffi::SQLITE_CANTOPEN, path.as_ptr(), size, out),
        None => forward!(vfs, xFullPathname, ffi::SQLITE_CANTOPEN, name, size, out),
    }
}

/// A relative name joined to the client's directory.
fn against_client_folder(name: &CStr) -> Option<CString> {
    let bytes = name.to_bytes();
    if bytes.first() == Some(&b'/') || bytes.is_empty() {
        return None;
    }
    let folder: PathBuf = host::client(|client| client.folder.borrow().clone())?;
    CString::new(folder.join(std::ffi::OsStr::from_bytes(bytes)).as_os_str().as_bytes()).ok()
}

unsafe extern "C" fn dl_open(vfs: *mut ffi::sqlite3_vfs, name: *const c_char) -> *mut c_void {
    // SAFETY: SQLite gives a NUL-terminated name.
    let given = unsafe { CStr::from_ptr(name) };
    // A bare name that is no file in the client's folder is looked for by the dynamic linker.
    let found = |path: &CString| {
        given.to_bytes().contains(&b'/') || Path::new(std::ffi::OsStr::from_bytes(path.to_bytes())).exists()
    };
    match against_client_folder(given).filter(found) {
        Some(path) => forward!(vfs, xDlOpen, std::ptr::null_mut(), path.as_ptr()),
        None => forward!(vfs, xDlOpen, std::ptr::null_mut(), name),
    }
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    let total = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    let slice = Duration::from_millis(SLEEP_SLICE_MS);
    let mut left = total;
    let _ = vfs;
    while !left.is_zero() && !host::is_cancelled() {
        let nap = left.min(slice);
        std::thread::sleep(nap);
        left -= nap;
    }
    micros
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    forward!(vfs, xDelete, ffi::SQLITE_IOERR, name, sync)
}

unsafe extern "C" fn access(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    forward!(vfs, xAccess, ffi::SQLITE_IOERR, name, flags, out)
}

unsafe extern "C" fn dl_error(vfs: *mut ffi::sqlite3_vfs, size: c_int, out: *mut c_char) {
    forward!(vfs, xDlError, (), size, out);
}

unsafe extern "C" fn dl_sym(
    vfs: *mut ffi::sqlite3_vfs,
    handle: *mut c_void,
    symbol: *const c_char,
) -> Option<unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *mut c_void, *const c_char)> {
    forward!(vfs, xDlSym, None, handle, symbol)
}

unsafe extern "C" fn dl_close(vfs: *mut ffi::sqlite3_vfs, handle: *mut c_void) {
    forward!(vfs, xDlClose, (), handle);
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, size: c_int, out: *mut c_char) -> c_int {
    forward!(vfs, xRandomness, 0, size, out)
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    forward!(vfs, xCurrentTime, ffi::SQLITE_ERROR, out)
}

unsafe extern "C" fn last_error(vfs: *mut ffi::sqlite3_vfs, size: c_int, out: *mut c_char) -> c_int {
    forward!(vfs, xGetLastError, 0, size, out)
}

unsafe extern "C" fn current_time_64(vfs: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    forward!(vfs, xCurrentTimeInt64, ffi::SQLITE_ERROR, out)
}

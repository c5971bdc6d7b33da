//! The one setting of the C library's heap that Coracle makes. It needs a call that the compiler can't vouch for,
//! which is forbidden everywhere else: hence a crate of its own.

/// Blocks of so many bytes and more lie outside of the heap, and go back to the system as soon as they are free.
/// It is where glibc begins.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 128 * 1024;

/// Has large blocks given back to the system as soon as they are free.
///
/// glibc does so until the first one is freed; then it takes blocks of that size from its heaps, where what lies
/// above them keeps them. The connections over which a list is read have buffers of 400 kB that come and go: four
/// megabytes of twenty that were never given back. Elsewhere this does nothing.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt changes a number of the allocator. It may be called at any time, touches no memory of ours,
    // and leaves everything as it was where it refuses.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

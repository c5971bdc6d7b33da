//! A core dump would hold every secret that is in memory, in a file that outlives us.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// From now on a crash writes no memory to the disk, and on Linux no other process of the same
/// user can read ours, nor the environment that we were started with.
pub fn forbid() {
    let limit = Rlimit {
        current: Some(0),
        // Programs that we start may raise it again.
        maximum: getrlimit(Resource::Core).maximum,
    };
    // Neither is a reason not to start.
    let _ = setrlimit(Resource::Core, limit);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    #[test]
    fn a_crash_leaves_no_memory_on_the_disk() {
        forbid();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}

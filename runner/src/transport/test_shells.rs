//! The shells of the control host that the protocol is tested over.

use std::sync::LazyLock;

/// dash, bash, and BusyBox ash in both builds: in the one it takes its own applets for commands, in the other what is
/// in the `PATH`.
pub(super) static SHELLS: LazyLock<Vec<&'static [&'static str]>> = LazyLock::new(|| {
    let other = windlass_modules::fake::other_busybox();
    let other: &str = Box::leak(other.display().to_string().into_boxed_str());
    vec![
        &["dash"],
        &["bash"],
        &["bash", "--posix"],
        &["busybox", "sh"],
        Box::leak(Box::new([other, "sh"])),
    ]
});

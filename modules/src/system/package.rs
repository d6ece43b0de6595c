//! `package`: packages of whatever the node manages them with.

use schemars::JsonSchema;
use serde::Deserialize;

use super::apt::sixty;
use super::packages::{PackageState, RETURNS, Request};
use crate::args::{Flag, List, Number, Text};
use crate::describe::{Invalid, Return};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Installs, upgrades and removes packages with apt-get or dnf, whichever the node has.
///
/// Names are handed on as they are; only `NAME=VERSION` is understood by both. Use `apt` or `dnf` for
/// what only one of them can do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageArgs {
    /// The packages, each alone or with a version: `haproxy=2.6.12`.
    #[schemars(extend("x-aliases" = ["pkg"]))]
    name: List,
    /// What they should be.
    #[serde(default)]
    state: PackageState,
    /// Fetch the lists of packages first.
    #[serde(default)]
    update_cache: Flag,
    /// With apt, fetch them only when they are older than so many seconds.
    cache_valid_time: Option<Number<u64>>,
    /// How many seconds to wait for another package manager.
    #[serde(default = "sixty")]
    lock_timeout: Number<u64>,
    /// Taken for playbooks that have it, and without meaning: the node's way is found out.
    #[expect(
        dead_code,
        reason = "read so that playbooks that have it are not refused"
    )]
    #[serde(rename = "use")]
    manager: Option<Text>,
}

impl PackageArgs {
    fn request(&self) -> Request<'_> {
        Request {
            function: "w_package",
            names: &self.name,
            state: self.state,
            update_cache: *self.update_cache,
            cache_valid_time: self.cache_valid_time.map(|seconds| *seconds),
            lock_timeout: *self.lock_timeout,
            ..Request::default()
        }
    }
}

impl Arguments for PackageArgs {
    const NAME: &'static str = "package";
    const NEEDS: &'static [&'static str] =
        &["apt-get and dpkg-query, or dnf (or yum) and rpm; root"];
    const RETURNS: &'static [Return] = &RETURNS;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Install what kubeadm looks for\n  package:\n    name: [socat, conntrack, ipset]\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.request().validate()
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        self.request().run(context).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::apt::tests::debian;
    use super::PackageArgs;
    use crate::fake::{self, FakeController, REAL};

    #[tokio::test]
    async fn it_is_the_way_of_the_node() {
        let control = FakeController::new("/");
        for shell in fake::shells()
            .into_iter()
            .chain([fake::posix()])
            .map(debian)
        {
            let arguments = json!({"name": "haproxy"});
            let outcome = fake::run::<PackageArgs>(&shell, &control, REAL, arguments.clone())
                .await
                .unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.data["manager"], "apt");
            let again = fake::run::<PackageArgs>(&shell, &control, REAL, arguments)
                .await
                .unwrap();
            assert!(!again.changed);
        }
        let bare = fake::posix();
        let failure = fake::run::<PackageArgs>(&bare, &control, REAL, json!({"name": "x"})).await;
        assert!(
            failure
                .unwrap_err()
                .message
                .contains("neither apt-get nor dnf")
        );
    }

    #[tokio::test]
    async fn it_goes_on_when_the_link_is_lost() {
        let host = fake::Fake::saying(&[""]);
        let control = FakeController::new("/");
        fake::run::<PackageArgs>(&host, &control, REAL, json!({"name": "x"}))
            .await
            .unwrap();
        assert!(host.scripts()[0].durable);
    }
}

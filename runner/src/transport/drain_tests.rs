//! What there is no room for, over shells of the control host.

use std::sync::Arc;

use windlass_modules::host::{HostError, Script};
use windlass_modules::transcript::Bounds;

use super::test_shells::SHELLS;
use super::*;

#[tokio::test]
async fn output_that_there_is_no_room_for_is_an_error_however_soon_the_request_ends() {
    for sh in SHELLS.iter() {
        let output = Bounds { memory: 0, disk: 0 };
        let limits = Limits {
            output,
            ..Limits::default()
        };
        let transport = Transport::with_local_shell(limits, sh, pool::FOR_LOCAL);
        let connection = Arc::new(Connection {
            name: "here".to_owned(),
            kind: ConnectionKind::Local,
        });
        let host = transport.host(&connection, TaskSettings::default());
        let short = Script::new("printf 12345678901").answer(10);
        for _ in 0..10 {
            let reply = host.run(short.clone()).await;
            assert!(
                matches!(reply, Err(HostError::TooMuchOutput { .. })),
                "{sh:?} {reply:?}"
            );
        }
        // All that is free for the host.
        let _held = transport.ledger().account("here").hold(1 << 20).unwrap();
        let source = "printf x";
        for script in [
            Script::new(source),
            Script::new(source).kept(),
            Script::new("printf x >&2").kept(),
        ] {
            for _ in 0..10 {
                let reply = host.run(script.clone()).await;
                assert!(
                    matches!(reply, Err(HostError::TooMuchOutput { .. })),
                    "{sh:?} {reply:?}"
                );
            }
        }
    }
}

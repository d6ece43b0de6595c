//! See design: `vars`.

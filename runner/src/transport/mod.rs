//! See design: `transport`.

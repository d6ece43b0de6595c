//! See design: `report`.

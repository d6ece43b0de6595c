//! Views as wholes. Expectations about the language were observed with ansible-core 2.19.14.

mod circles;
mod connection;
mod file_names;
mod precedence;
mod run;
mod views;

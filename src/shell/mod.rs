//! The only place with a terminal, threads, tasks and files.
//!
//! It decides nothing: an `if` about the meaning of something belongs into `app` or `jobs`.

pub mod ask;
mod at_work;
pub mod backups;
pub mod clipboard;
pub mod clock;
pub mod connection;
pub mod core_dump;
pub mod crash;
pub mod disk;
pub mod download;
pub mod event;
pub mod examine;
pub mod files;
pub mod folders;
pub mod holds;
pub mod input;
mod journal_file;
pub mod keypad;
pub mod lock;
pub mod log;
pub mod perform;
pub mod programs;
pub mod progress;
pub mod query;
pub mod record;
mod removal;
mod room;
pub mod run;
pub mod screen;
pub mod sequence;
pub mod signals;
pub mod terminal;
pub mod writer;
pub mod zip_check;
mod zip_entities;

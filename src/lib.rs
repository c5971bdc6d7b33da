//! Coracle, a terminal browser and caretaker for the spaces of Confluence Data Center.
//!
//! The rooms, lowest first; each may use what stands before it and nothing behind it:
//!
//! | module | what it is |
//! | --- | --- |
//! | [`text`] | plain text, widths, wrapping, filters, documents; no domain, no terminal |
//! | [`confluence`] | the remote system: calls, requests, answers; `client` is the only I/O |
//! | [`doctor`] | what the checks of connection, configuration and terminal mean |
//! | [`jobs`] | what changes things: pure state machines, journal and backup formats |
//! | [`app`] | the pure core: model, messages, `update` |
//! | [`ui`] | reads the model, writes cells |
//! | [`shell`] | the terminal, threads, tasks and files |
//! | [`boot`] | the one place where all of these are put together |
//!
//! [`demo`] is a Confluence of our own beside them. It uses none of the others, so that it and
//! the client cannot share a misunderstanding.
//!
//! `docs/architecture.md` has the map and the invariants; `tests/it/structure.rs` holds them.

pub mod app;
pub mod boot;
pub mod cli;
pub mod config;
pub mod confluence;
pub mod demo;
pub mod doctor;
pub mod jobs;
pub mod report;
pub mod secret;
pub mod shell;
pub mod text;
pub mod ui;

//! A Confluence of our own: an HTTP server on loopback with its data in SQLite.
//!
//! It is what `coracle --demo` opens, what `coracle serve` runs, and what the contract tests
//! speak to. It is written from the documented REST API and from what real servers answer, and it
//! can speak three [`Generation`]s of it.
//!
//! It must never use anything of this crate outside `demo`: were it to share a line with the
//! client, the two could share a misunderstanding, and no test would notice.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`serve`] | options, the command line, starting and stopping |
//! | `routes` | one function for each operation |
//! | `export` | a space as a zip, written out and read in |
//! | `file_bytes` | what is in attached files, piece by piece |
//! | `json` | rows to JSON, with expand, links and the shapes of each generation |
//! | `guard` | who may speak to it: programs, and no page of another site |
//! | `private` | what of it on the disk is for its owner alone |
//! | `site` | a running server: its data, its behaviour, the requests so far |
//! | `job_files` | the files of jobs that back up and restore |
//! | `percent` | text in addresses |
//! | `permissions` | what one may do in a space, as it is told |
//! | `store` | the SQLite schema and every query that more than one route needs |
//! | [`seed`] | what a fresh wiki holds: the demo, a text, or a large one by formula |
//! | [`faults`] | what goes wrong on demand: latency, dropped lines, odd answers |
//! | [`behaviour`] | what the whole server does oddly: read-only mode, quirks of paging |

pub mod behaviour;
mod export;
pub mod faults;
mod file_bytes;
mod guard;
mod job_files;
mod json;
mod percent;
mod permissions;
mod private;
mod routes;
pub mod seed;
pub mod serve;
mod site;
mod store;
mod view;

pub use behaviour::{
    Behaviour, Deletion, FullBackup, FullRestore, Generation, Keeps, Lie, ListOf, Quirk,
};
pub use faults::{Fault, Faults, Gate, Rule};
pub use seed::Seed;
pub use serve::{Options, ServeArgs, ServeError, Server, serve_blocking};
pub use site::Recorded;

//! The pure core: one [`Model`](model::Model), one `update`, effects as data.
//!
//! Nothing here knows a terminal, a socket, a file or a clock. What happened comes in as a
//! [`Msg`](message::Msg) with the time it happened at; what is to be done goes out as
//! [`Effect`](message::Effect)s, which tests compare and the shell performs.

pub mod across;
pub mod action;
mod acts;
mod ahead;
pub mod disk;
mod elsewhere;
pub mod expansions;
pub mod field;
pub mod fields;
pub mod form;
pub mod inflight;
pub mod jobs;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod message;
pub mod modal;
pub mod model;
pub mod notice;
pub mod pane;
pub mod pointer;
pub mod remote;
mod signed_in;
mod slices;
mod sort;
mod space_name;
pub mod spread;
pub mod tree;
pub mod turn;
pub mod update;
pub mod view;

pub use model::{Model, Profile, Start, StartMode, Writes};
pub use update::update;

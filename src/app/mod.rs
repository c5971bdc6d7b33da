//! The pure core: one [`Model`](model::Model), one `update`, effects as data.
//!
//! Nothing here knows a terminal, a socket, a file or a clock. What happened comes in as a
//! [`Msg`](message::Msg) with the time it happened at; what is to be done goes out as
//! [`Effect`](message::Effect)s, which tests compare and the shell performs.

pub mod key;
pub mod message;

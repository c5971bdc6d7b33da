//! Text: no domain, no terminal, no I/O, no clock.
//!
//! What other rooms need to turn strings into what a person reads: [`plain`] makes foreign text
//! safe, [`width`] makes it fit, [`wrap`] breaks it into lines, [`number`] spells numbers and
//! dates, [`filter`] finds rows. Nothing in here knows what a space or a page is, and nothing in here has a colour.

pub mod filter;
mod index;
pub mod number;
pub mod plain;
pub mod width;
pub mod wrap;

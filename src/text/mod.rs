//! Text: no domain, no terminal, no I/O, no clock.
//!
//! What other rooms need to turn strings into what a person reads: [`plain`] makes foreign text
//! safe, [`width`] makes it fit, [`wrap`] breaks it into lines, [`number`] spells numbers and
//! dates, [`filter`] finds rows, [`storage`] and [`html`] make a [`doc`] of a page, [`diff`] shows
//! what an edit changes, [`json`] says what is wrong with a file, [`on_disk`]
//! what the system says of one. Nothing in here knows what a space is, and nothing in here has a colour.

pub mod csv;
pub mod diff;
pub mod doc;
pub mod filter;
pub mod html;
pub mod index;
pub mod json;
mod markup;
pub mod number;
pub mod on_disk;
pub mod plain;
pub mod storage;
pub mod storage_compare;
pub mod width;
pub mod wrap;

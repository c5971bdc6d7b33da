//! The picture: reads the model, writes cells, decides nothing.

mod chrome;
mod content;
mod detail;
mod draw;
mod form;
mod modal;
mod spaces;
pub mod theme;
mod welcome;

pub use draw::draw;

//! The picture: reads the model, writes cells, decides nothing.

mod across;
mod backups;
mod canvas;
mod chrome;
mod confirm;
mod content;
mod detail;
mod dialog;
mod draw;
mod form;
mod jobs;
mod modal;
mod palette;
pub mod picture;
mod plans;
mod preview;
mod profiles;
mod scroll;
mod setup;
mod space_forms;
mod spaces;
pub mod theme;
mod welcome;

pub use draw::draw;

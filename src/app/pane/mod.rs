//! The three panes: what each holds, and how keys and answers change it.

pub mod content;
pub mod detail;
pub mod export;
pub mod filter;
pub mod first_seen;
pub mod hits;
pub mod preview;
pub mod spaces;

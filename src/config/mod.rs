//! Configuration: where it is, what it may say, and what is wrong with it.

pub mod paths;

pub use paths::Paths;

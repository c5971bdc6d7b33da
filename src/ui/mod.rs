//! Drawing: reads the model, writes cells. Never does I/O and never changes what it reads.

pub mod theme;

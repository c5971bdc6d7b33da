//! Everything that is tested from outside, in one binary: it links once.
//!
//! One module for each subject. `terminal` holds what those use that drive the real program in a
//! pseudo-terminal.

mod across;
mod app;
mod backups;
mod browse;
mod browsing;
mod capture;
mod cli;
mod config;
mod consent;
mod contract;
mod dialogs;
mod doctor;
mod embedded;
mod emptying;
mod faults;
mod fuzz;
mod hostile;
mod jobs;
mod journal;
mod large;
mod lost;
mod machines;
mod pictures;
mod plans;
mod properties;
mod pty;
mod rate;
mod record;
mod saving;
mod screens;
mod setup;
mod sign_in;
mod simulation;
mod story;
mod structure;
mod switch;
mod terminal;
mod text;
mod tls;
mod triage;
mod view;
mod wire;
mod writing;

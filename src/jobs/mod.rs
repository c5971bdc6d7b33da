//! Everything that changes things, as pure state machines.
//!
//! A [`Job`] is one user-visible operation, maybe of many requests. It is driven from outside: what
//! happened goes in as a [`JobEvent`], what is to be done comes out as [`JobEffect`]s. The screen, a
//! command line and the fault simulation drive the same machine. Nothing here sends, writes,
//! sleeps or knows the time of day.
//!
//! What every job keeps to:
//! - **Write-ahead.** The intent of a write is in the [`journal`] before its request is sent, and what
//!   became of it after. While the journal cannot be written, nothing is sent that writes.
//! - **No guessing.** After a lost answer the server is asked what became of the write. It is sent
//!   again only when the server has shown that it was not applied.
//! - **An outcome is what a read shows.** That the server answered "done" is not enough: the state is
//!   read and held against what was wanted before the journal says so. A 404 means "gone" only while
//!   the server still shows this user what else must be there; see `witness`.
//! - **Consent.** What cannot be undone needs a [`Consent`] about exactly that, and a job that was
//!   loaded from a file has none: it asks again.
//! - **Nothing purged that is not saved.** See [`backup`]; it is read back before the first purge, and
//!   the disk is asked before each destroying request whether it still stands; see [`proof`].

pub mod backup;
pub mod consent;
pub mod full_backup;
pub mod journal;
pub mod ledger;
pub mod losses;
pub mod plan;
pub mod proof;

mod ancestry;
mod archive;
mod attached;
mod back_up;
mod comparison;
mod complete;
mod create;
mod delete;
mod desk;
mod dry_run;
mod effect;
mod guard;
mod hanging;
mod head;
mod job;
mod line;
mod listing;
mod machine;
mod met;
mod names;
pub mod needs;
mod new_title;
mod on_pages;
mod outcomes;
mod purge;
mod question;
mod read_in;
mod recipe;
mod recreate;
mod rehearsal;
mod restore;
mod save;
mod saved_server;
mod server_job;
mod session;
mod since_copy;
mod since_save;
mod space_form;
mod state;
mod step;
mod update;
mod witness;
pub mod zip_checked;

pub use consent::done_to;
pub use consent::{Act, Answer, Challenge, Consent, ItemTarget, Shown, SpaceTarget, Target};
pub use create::NewSpace;
pub use delete::{BackupChoice, DeleteOptions};
pub use job::{
    Decision, Head, Job, JobEffect, JobEvent, JobId, JobState, JobWrite, Line, OnFailure, Outcome,
    Progress, Question, RequestNo, Step, StoreError, Stored, Thing, Unfit, WriteNo,
};
pub use listing::in_words as kinds_in_words;
pub use losses::{Losing, Losses};
pub use outcomes::Outcomes;
pub use read_in::SpaceFile;
pub use recipe::{Recipe, Source, UnknownRestrictions};
pub use rehearsal::Verdict;
pub use saved_server::{SameServer, SavedServer};
pub use session::{NotHere, Session, ToAgree, is_same};
pub use space_form::SpaceForm;

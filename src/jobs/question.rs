//! What a job cannot decide, and what the person decides.

use serde::{Deserialize, Serialize};

use super::backup::NotSaved;
use super::losses::{Losing, Losses};
use super::space_form::SpaceForm;
use crate::confluence::{ContentKind, SpaceKey};

/// Whether a job of many goes on after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    /// The rest is left alone.
    Stop,
    /// The rest is done all the same.
    GoOn,
}

/// Something a job cannot decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// A current content has that title. Answered once for the whole job:
    /// [`Decision::Skip`], [`Decision::Rename`] or [`Decision::Stop`].
    TitleCollision {
        /// The title.
        title: String,
    },
    /// These could not be backed up: [`Decision::Again`], [`Decision::LeaveOut`] or [`Decision::Stop`].
    NotSaved {
        /// The space that they are in, where it is to be deleted.
        space: Option<SpaceKey>,
        /// Which, and why.
        items: Vec<NotSaved>,
    },
    /// The server would not list these in the trash of a space that is to be deleted, so they
    /// would be in no backup. Answered once for the whole job: [`Decision::GoOn`],
    /// [`Decision::LeaveOut`] or [`Decision::Stop`].
    Unlisted {
        /// The space.
        space: SpaceKey,
        /// What it would not list.
        kinds: Vec<ContentKind>,
    },
    /// More is in a space than was shown before all of it was agreed to: [`Decision::GoOn`],
    /// [`Decision::LeaveOut`] or [`Decision::Stop`].
    CameLater {
        /// The space.
        space: SpaceKey,
        /// How much was shown.
        shown: u64,
        /// How much there is.
        found: u64,
        /// The titles of what was not shown, the first of many; empty where only the number tells.
        items: Vec<String>,
    },
    /// Files and comments that are in no backup would go with these: [`Decision::Again`],
    /// [`Decision::GoOn`], [`Decision::LeaveOut`] or [`Decision::Stop`].
    Losses {
        /// The space that is to be deleted, if one is.
        space: Option<SpaceKey>,
        /// What takes something with it, the first of many.
        items: Vec<Losing>,
        /// What is lost in all.
        losses: Losses,
    },
    /// There is no backup by the server of a space that is to be deleted, or not of what is in it now,
    /// or that cannot be seen:
    /// [`Decision::Again`], [`Decision::GoOn`] without it, [`Decision::LeaveOut`] or
    /// [`Decision::Stop`].
    ServerBackup {
        /// The space.
        space: SpaceKey,
        /// What happened, in words.
        why: String,
        /// What is not in it, the first of many; empty where there is none at all.
        changed: Vec<String>,
        /// Whether all of it is in a local backup.
        is_local: bool,
        /// Whether there is one, and only what is in it is in question.
        #[serde(default)]
        is_there: bool,
        /// Whether what is not in it is more than pages and blog posts.
        #[serde(default)]
        hangs: bool,
    },
    /// Somebody changed the space meanwhile: [`Decision::KeepMine`], [`Decision::KeepTheirs`],
    /// [`Decision::Merge`] or [`Decision::Stop`].
    SpaceChanged {
        /// As it was when the form was opened.
        base: SpaceForm,
        /// As the person wants it.
        mine: SpaceForm,
        /// As it is now.
        theirs: SpaceForm,
    },
}

/// The person's answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Leave this one and all like it alone.
    Skip,
    /// Give it and all like it another title.
    Rename,
    /// End the job here.
    Stop,
    /// Go on without what could not be saved; it stays on the server.
    LeaveOut,
    /// Go on all the same, although not everything is in a backup.
    GoOn,
    /// Try it once more.
    Again,
    /// Overwrite their change.
    KeepMine,
    /// Leave their change; nothing is written.
    KeepTheirs,
    /// Write this instead.
    Merge(SpaceForm),
}

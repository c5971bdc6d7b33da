//! A job's question: what it can't decide by itself.

use serde::Serialize;

use super::{Outcome, is_esc};
use crate::app::key::{Chord, Key};
use crate::app::message::Effect;
use crate::app::model::Model;
use crate::jobs::{Decision, JobEvent, JobId, JobState, Question};

/// The dialog.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuestionDialog {
    /// Whose question it is.
    pub job: JobId,
    /// The question.
    pub question: Question,
    /// The line under the cursor.
    pub chosen: usize,
}

/// One way to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The letter that chooses it.
    pub letter: char,
    /// What it says.
    pub label: &'static str,
    /// What it answers.
    pub decision: Decision,
}

impl QuestionDialog {
    /// The dialog for a question; the cursor is on the harmless answer.
    pub fn new(job: JobId, question: Question) -> Self {
        Self {
            job,
            question,
            chosen: 0,
        }
    }

    /// The ways to answer, the harmless first.
    pub fn choices(&self) -> Vec<Choice> {
        let choice = |letter, label, decision| Choice {
            letter,
            label,
            decision,
        };
        match &self.question {
            Question::TitleCollision { .. } => vec![
                choice('s', "Skip it and all like it", Decision::Skip),
                choice(
                    'r',
                    "Restore it and all like it under another title",
                    Decision::Rename,
                ),
                choice('x', "Stop the job here", Decision::Stop),
            ],
            Question::NotSaved { .. } => vec![
                choice('x', "Stop: nothing is purged", Decision::Stop),
                choice(
                    'l',
                    "Leave these on the server and go on with the others",
                    Decision::LeaveOut,
                ),
            ],
            Question::SpaceChanged { mine, .. } => {
                let mut choices = vec![
                    choice('t', "Keep theirs: nothing is written", Decision::KeepTheirs),
                    choice('m', "Write mine over it", Decision::KeepMine),
                ];
                if let Some(merged) = self.merged()
                    && merged != *mine
                {
                    choices.push(choice(
                        'b',
                        "Write both: mine where I changed it, theirs elsewhere",
                        Decision::Merge(merged),
                    ));
                }
                choices
            }
        }
    }

    /// Mine where it differs from the base, theirs elsewhere.
    fn merged(&self) -> Option<crate::jobs::SpaceForm> {
        let Question::SpaceChanged { base, mine, theirs } = &self.question else {
            return None;
        };
        let pick = |differs: bool| if differs { mine } else { theirs };
        Some(crate::jobs::SpaceForm {
            name: pick(mine.name != base.name).name.clone(),
            description: pick(mine.description != base.description)
                .description
                .clone(),
            homepage: pick(mine.homepage != base.homepage).homepage.clone(),
        })
    }
}

impl Model {
    pub(super) fn question_key(
        &mut self,
        dialog: &mut QuestionDialog,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let choices = dialog.choices();
        let by_letter = chord
            .typed()
            .and_then(|c| choices.iter().position(|choice| choice.letter == c));
        let last = choices.len().saturating_sub(1);
        match (by_letter, chord.key) {
            // A letter alone decides nothing: it may have been meant for something else.
            (Some(ix), _) => {
                dialog.chosen = ix;
                return Outcome::Stay;
            }
            (None, Key::Up | Key::Char('k')) => {
                dialog.chosen = dialog.chosen.saturating_sub(1);
                return Outcome::Stay;
            }
            (None, Key::Down | Key::Char('j')) => {
                dialog.chosen = (dialog.chosen + 1).min(last);
                return Outcome::Stay;
            }
            (None, Key::Enter) => {}
            // The job waits; J asks again.
            (None, _) if is_esc(chord) => return Outcome::Close,
            (None, Key::Char(_)) if !chord.ctrl => return Outcome::Stay,
            _ => return Outcome::Pass,
        }
        if let Some(choice) = choices.into_iter().nth(dialog.chosen) {
            let job = dialog.job.clone();
            self.job_event(&job, JobEvent::Decide(choice.decision), out);
            // A job of an earlier run waits to be told to go on; the answer says that too.
            let waits = self
                .jobs
                .get(&job)
                .is_some_and(|job| job.state() == JobState::Paused && job.challenge().is_none());
            if waits && self.why_read_only().is_none() {
                self.resume_job(&job, None, out);
            }
        }
        Outcome::Close
    }
}

//! How the things of a job ended, counted. The sentence at its end, its row in the list of jobs and
//! its detail are all made of this count, so that none says what another does not.

use super::consent::Act;
use super::consent::done_to;
use super::line::{Line, Outcome};
use crate::text::number;

/// How many things of a job ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Done.
    pub done: usize,
    /// Put back, and not as the backup holds them.
    pub differing: usize,
    /// Gone with the page that they hung on, which the job purged.
    pub with_page: usize,
    /// Not there any more when the job came to them.
    pub gone: usize,
    /// Left alone on purpose.
    pub left_out: usize,
    /// The job ended before it came to them.
    pub not_tried: usize,
    /// Stopped while they were under way.
    pub stopped: usize,
    /// Not backed up, and therefore left alone.
    pub not_saved: usize,
    /// Not done by the server.
    pub failed: usize,
    /// What became of them could not be learned.
    pub unknown: usize,
    /// Without an outcome.
    pub open: usize,
}

impl Outcomes {
    /// Of these lines.
    pub fn of(lines: &[Line]) -> Self {
        let mut outcomes = Self::default();
        for line in lines {
            *match &line.outcome {
                Some(Outcome::Done(_)) => &mut outcomes.done,
                Some(Outcome::Differs(_)) => &mut outcomes.differing,
                Some(Outcome::WithPage) => &mut outcomes.with_page,
                Some(Outcome::Gone) => &mut outcomes.gone,
                Some(Outcome::Skipped(_)) => &mut outcomes.left_out,
                Some(Outcome::NotTried(_)) => &mut outcomes.not_tried,
                Some(Outcome::Stopped(_)) => &mut outcomes.stopped,
                Some(Outcome::NotSaved(_)) => &mut outcomes.not_saved,
                Some(Outcome::Failed(_)) => &mut outcomes.failed,
                Some(Outcome::Unknown(_)) => &mut outcomes.unknown,
                None => &mut outcomes.open,
            } += 1;
        }
        outcomes
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        let Self {
            done,
            differing,
            with_page,
            gone,
            left_out,
            not_tried,
            stopped,
            not_saved,
            failed,
            unknown,
            open,
        } = self;
        done + differing
            + with_page
            + gone
            + left_out
            + not_tried
            + stopped
            + not_saved
            + failed
            + unknown
            + open
    }

    /// How many went wrong: each has a reason that is shown.
    pub fn bad(&self) -> usize {
        self.failed + self.differing + self.unknown + self.not_saved
    }

    /// Whether all of it was done.
    pub fn is_all_done(&self) -> bool {
        self.done == self.total()
    }

    /// Whether there was something to do and all of it was left alone.
    pub fn is_all_left_out(&self) -> bool {
        self.left_out > 0 && self.left_out == self.total()
    }

    /// "17 of 60 purged, 3 left out, 40 not tried"; where all was done, or it is about one thing
    /// alone, "60 of 60".
    pub fn in_words(&self, act: Act) -> String {
        let (done, total) = (number::grouped(self.done as u64), self.total());
        let all = number::grouped(total as u64);
        if self.is_all_done() || total == 1 {
            return format!("{done} of {all}");
        }
        let verb = match act {
            Act::PurgeAll => done_to(Act::PurgeMarked),
            Act::DryRun | Act::OpenForWriting => "fit",
            act => done_to(act),
        };
        let mut words = format!("{done} of {all} {verb}");
        let page = match self.with_page {
            1 => "went with its page",
            _ => "went with their page",
        };
        let differs = match self.differing {
            1 => "put back and differs from the backup",
            _ => "put back and differ from the backup",
        };
        for (count, what) in [
            (self.differing, differs),
            (self.with_page, page),
            (self.gone, "not there any more"),
            (self.left_out, "left out"),
            (self.not_tried, "not tried"),
            (self.stopped, "stopped"),
            (self.not_saved, "not saved"),
            (self.failed, "failed"),
            (self.unknown, "unknown"),
            (self.open, "open"),
        ] {
            if count > 0 {
                words.push_str(&format!(", {} {what}", number::grouped(count as u64)));
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::confluence::ContentId;

    fn line(outcome: Option<Outcome>) -> Line {
        Line {
            outcome,
            ..Line::content(&ContentId::new("1"), "One")
        }
    }

    fn any_outcome() -> impl Strategy<Value = Option<Outcome>> {
        let why = || "Why.".to_owned();
        prop::sample::select(vec![
            Some(Outcome::Done(None)),
            Some(Outcome::Differs(why())),
            Some(Outcome::WithPage),
            Some(Outcome::Gone),
            Some(Outcome::Skipped(why())),
            Some(Outcome::NotTried(why())),
            Some(Outcome::Stopped(why())),
            Some(Outcome::NotSaved(why())),
            Some(Outcome::Failed(why())),
            Some(Outcome::Unknown(why())),
            None,
        ])
    }

    proptest! {
        #[test]
        fn every_thing_is_counted_once_and_in_words(
            outcomes in prop::collection::vec(any_outcome(), 2..40),
        ) {
            let lines: Vec<Line> = outcomes.into_iter().map(line).collect();
            let counted = Outcomes::of(&lines);
            prop_assert_eq!(counted.total(), lines.len());
            // The numbers in the words are those of all things: the first, and all after the total.
            let words = counted.in_words(Act::PurgeMarked);
            let numbers: Vec<usize> = words
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            prop_assert_eq!(numbers[1], lines.len());
            let others: usize = numbers[2..].iter().sum();
            prop_assert_eq!(numbers[0] + others, lines.len(), "{}", words);
        }
    }

    #[test]
    fn a_job_that_ended_early_says_what_was_done_and_what_was_not_tried() {
        let mut lines = vec![line(Some(Outcome::Done(None))); 17];
        lines.extend(vec![line(Some(Outcome::NotTried("Why.".to_owned()))); 43]);
        let outcomes = Outcomes::of(&lines);
        assert_eq!(
            outcomes.in_words(Act::PurgeAll),
            "17 of 60 purged, 43 not tried"
        );
        assert_eq!(outcomes.bad(), 0);
    }
}

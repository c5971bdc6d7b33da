//! Which ids a list has told, in little memory: a million take eight megabytes, and which of them one
//! more reading has told takes an eighth of one.

use crate::confluence::ContentId;
use crate::confluence::ids::{IdSet, ShortId};

/// The ids that were told. Lists mostly go by id, so most of them stand in one piece of memory: many
/// little ones would be strewn over a heap that pages of bodies come to and go from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Met {
    ascending: Vec<ShortId>,
    /// Of attachments, which are numbered beside the rest.
    attachments: Vec<ShortId>,
    others: IdSet,
}

/// Where an id stands.
enum Spot {
    Ascending(usize),
    Attachments(usize),
    Others,
}

impl Met {
    /// Puts an id in. Says whether it was not there.
    pub(super) fn insert(&mut self, id: &ContentId) -> bool {
        if self.contains(id) {
            return false;
        }
        let Some(number) = ShortId::of(id) else {
            return self.others.insert(id);
        };
        let run = if number.is_attachment() {
            &mut self.attachments
        } else {
            &mut self.ascending
        };
        if run.last().is_none_or(|last| *last < number) {
            run.push(number);
            return true;
        }
        self.others.insert(id)
    }

    pub(super) fn contains(&self, id: &ContentId) -> bool {
        self.spot(id).is_some()
    }

    fn spot(&self, id: &ContentId) -> Option<Spot> {
        let in_a_run = |number: ShortId| {
            if number.is_attachment() {
                let found = self.attachments.binary_search(&number).ok();
                found.map(Spot::Attachments)
            } else {
                let found = self.ascending.binary_search(&number).ok();
                found.map(Spot::Ascending)
            }
        };
        ShortId::of(id)
            .and_then(in_a_run)
            .or_else(|| self.others.contains(id).then_some(Spot::Others))
    }

    pub(super) fn len(&self) -> usize {
        self.ascending.len() + self.attachments.len() + self.others.len()
    }
}

/// Which of the ids of a [`Met`] were told here: a bit for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Marks {
    ascending: Vec<u64>,
    attachments: Vec<u64>,
    others: IdSet,
}

impl Marks {
    /// Marks an id that `met` has. Says whether it was not marked.
    pub(super) fn insert(&mut self, met: &Met, id: &ContentId) -> bool {
        match met.spot(id) {
            Some(Spot::Ascending(at)) => set(&mut self.ascending, at),
            Some(Spot::Attachments(at)) => set(&mut self.attachments, at),
            Some(Spot::Others) => self.others.insert(id),
            None => false,
        }
    }

    pub(super) fn contains(&self, met: &Met, id: &ContentId) -> bool {
        let has =
            |bits: &[u64], at: usize| bits.get(at / 64).is_some_and(|it| it >> (at % 64) & 1 == 1);
        match met.spot(id) {
            Some(Spot::Ascending(at)) => has(&self.ascending, at),
            Some(Spot::Attachments(at)) => has(&self.attachments, at),
            Some(Spot::Others) => self.others.contains(id),
            None => false,
        }
    }
}

fn set(bits: &mut Vec<u64>, at: usize) -> bool {
    if bits.len() <= at / 64 {
        bits.resize(at / 64 + 1, 0);
    }
    let (word, bit) = (&mut bits[at / 64], 1 << (at % 64));
    let is_new = *word & bit == 0;
    *word |= bit;
    is_new
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 8] = ["5", "att7", "9", "7", "att8", "att3", "draft-1", "12"];

    #[test]
    fn each_id_is_met_once_in_whatever_order_and_form() {
        let mut met = Met::default();
        for (count, id) in IDS.into_iter().enumerate() {
            assert!(!met.contains(&ContentId::new(id)), "{id}");
            assert!(met.insert(&ContentId::new(id)), "{id}");
            assert_eq!(met.len(), count + 1);
        }
        for id in IDS {
            assert!(!met.insert(&ContentId::new(id)), "{id} again");
            assert!(met.contains(&ContentId::new(id)), "{id}");
        }
        assert_eq!(met.len(), IDS.len());
    }

    #[test]
    fn what_one_reading_has_told_is_marked_whatever_comes_to_the_rest_meanwhile() {
        let (mut met, mut marks) = (Met::default(), Marks::default());
        for id in IDS.map(ContentId::new) {
            assert!(!marks.insert(&met, &id), "it is not met yet");
            met.insert(&id);
        }
        for (count, id) in IDS.map(ContentId::new).iter().enumerate() {
            assert!(!marks.contains(&met, id), "{id}");
            assert!(marks.insert(&met, id), "{id}");
            assert!(!marks.insert(&met, id), "{id} again");
            assert!(marks.contains(&met, id), "{id}");
            met.insert(&ContentId::new(format!("{}", 100 + count)));
        }
        assert!(!marks.contains(&met, &ContentId::new("100")));
    }
}

//! Ids as numbers: a million of them in memory take some sixteen megabytes, as strings five times that.
//!
//! Ids of content are numbers, those of attachments `att` and a number. Whatever has another form is
//! kept as it is: nothing here takes one id for another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::types::ContentId;

/// An id as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShortId(pub(crate) u64);

/// Set in the number of an attachment.
pub(crate) const ATTACHMENT: u64 = 1 << 63;
/// Never set in the number of an id; free for whoever numbers ids of odd forms.
pub(crate) const ODD: u64 = 1 << 62;

impl ShortId {
    /// The number of an id that is one; `None` for ids of any other form.
    pub fn of(id: &ContentId) -> Option<Self> {
        let text = id.as_str();
        let (flag, digits) = match text.strip_prefix("att") {
            Some(digits) => (ATTACHMENT, digits),
            None => (0, text),
        };
        let is_number = (1..=18).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        digits
            .parse::<u64>()
            .ok()
            .filter(|_| is_number)
            .map(|number| Self(number | flag))
    }

    /// The number, with the highest bit set for attachments.
    pub fn number(self) -> u64 {
        self.0
    }

    /// Whether it is that of an attachment.
    pub fn is_attachment(self) -> bool {
        self.0 & ATTACHMENT != 0
    }

    /// The id again.
    pub fn id(self) -> ContentId {
        match self.0 {
            file if file & ATTACHMENT != 0 => ContentId::new(format!("att{}", file ^ ATTACHMENT)),
            number => ContentId::new(number.to_string()),
        }
    }
}

/// A set of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdSet {
    numbers: BTreeSet<ShortId>,
    others: BTreeSet<ContentId>,
}

impl IdSet {
    /// Puts an id in. Says whether it was not there.
    pub fn insert(&mut self, id: &ContentId) -> bool {
        match ShortId::of(id) {
            Some(number) => self.numbers.insert(number),
            None => self.others.insert(id.clone()),
        }
    }

    /// Puts many in at once, by their numbers.
    pub fn insert_numbers(&mut self, numbers: Vec<ShortId>) {
        // Sorted first, a tree is built from them in one go.
        self.numbers.append(&mut numbers.into_iter().collect());
    }

    /// Puts many in at once.
    pub fn insert_all<'a>(&mut self, ids: impl IntoIterator<Item = &'a ContentId>) {
        let mut numbers = Vec::new();
        for id in ids {
            match ShortId::of(id) {
                Some(number) => numbers.push(number),
                None => {
                    self.others.insert(id.clone());
                }
            }
        }
        if let [number] = numbers[..] {
            self.numbers.insert(number);
        } else {
            self.insert_numbers(numbers);
        }
    }

    /// Takes an id out. Says whether it was there.
    pub fn remove(&mut self, id: &ContentId) -> bool {
        match ShortId::of(id) {
            Some(number) => self.numbers.remove(&number),
            None => self.others.remove(id),
        }
    }

    /// Whether an id is in it.
    pub fn contains(&self, id: &ContentId) -> bool {
        match ShortId::of(id) {
            Some(number) => self.numbers.contains(&number),
            None => self.others.contains(id),
        }
    }

    /// Whether the id with this number is in it.
    pub fn contains_number(&self, number: ShortId) -> bool {
        self.numbers.contains(&number)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len() + self.others.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.others.is_empty()
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes out those that `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(&ContentId) -> bool) {
        self.numbers.retain(|number| keep(&number.id()));
        self.others.retain(|id| keep(id));
    }

    /// Every id: pages and the like by their numbers, then attachments, then those of odd forms.
    pub fn iter(&self) -> impl Iterator<Item = ContentId> + '_ {
        let numbers = self.numbers.iter().map(|number| number.id());
        numbers.chain(self.others.iter().cloned())
    }
}

impl Extend<ContentId> for IdSet {
    fn extend<I: IntoIterator<Item = ContentId>>(&mut self, ids: I) {
        for id in ids {
            self.insert(&id);
        }
    }
}

impl FromIterator<ContentId> for IdSet {
    fn from_iter<I: IntoIterator<Item = ContentId>>(ids: I) -> Self {
        let mut set = Self::default();
        set.extend(ids);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_id_is_kept_apart_and_comes_back_as_it_was() {
        let all = [
            "0",
            "12",
            "att12",
            "012",
            "att",
            "att012",
            "x-1",
            "",
            "999999999999999999",
            "9999999999999999999",
            "att9999999999999999999",
            "aé",
        ];
        let mut set = IdSet::default();
        for id in all.map(ContentId::new) {
            assert!(!set.contains(&id), "{id}");
            assert!(set.insert(&id), "{id}");
            assert!(!set.insert(&id), "{id}");
        }
        assert_eq!(set.len(), all.len());
        let mut back: Vec<String> = set.iter().map(|id| id.to_string()).collect();
        back.sort();
        let mut wanted = all.map(str::to_owned).to_vec();
        wanted.sort();
        assert_eq!(back, wanted);
        for id in all.map(ContentId::new) {
            assert!(set.remove(&id), "{id}");
            assert!(!set.remove(&id), "{id}");
        }
        assert!(set.is_empty());
    }
}

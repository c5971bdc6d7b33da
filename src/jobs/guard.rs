//! Who could read a page that was saved, and the proof that the one made again may hold its text.
//!
//! Not known is never "none": what a server left out counts as a restriction. What a read tells is
//! believed; that a write was answered is not. The calls that carry anything of a page are made here
//! and nowhere else, and each uses up a [`MayHoldText`]. One made without is [`blank`].

use serde::{Deserialize, Serialize};

use super::JobId;
use super::backup::Item;
use super::recipe::UnknownRestrictions;
use crate::confluence::{
    Call, Content, ContentId, ContentKind, ContentStatus, LocalFile, Remark, Restriction,
    ServerText, SpaceKey, Subject,
};

/// What is read of a page to see what keeps it.
pub(super) const EXPAND: &str = "body.storage,version,history,ancestors,metadata.labels,\
restrictions.read.restrictions.user,restrictions.read.restrictions.group,\
restrictions.update.restrictions.user,restrictions.update.restrictions.group";

/// How long a look counts as "just before", in milliseconds.
const JUST_BEFORE_MS: u64 = 5_000;
const READ: &str = "read";

/// Why it is not known who could read a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unsure {
    /// Its restrictions were not told.
    NotTold,
    /// Those who could read it have neither name nor key.
    Nameless,
    /// What it hung below was not told.
    NoPlace,
    /// Its former parent is not there any more.
    ParentGone,
    /// Its former parent is not where it is made again.
    OtherSpace,
    /// Its former parent hangs below something else now.
    ParentMoved,
    /// Whether what it hangs below is restricted is not told.
    ParentNotTold,
}

impl Unsure {
    /// The beginning of a sentence.
    pub(super) fn because(self) -> &'static str {
        match self {
            Self::NotTold => "It is not known whether it was restricted",
            Self::Nameless => "It was restricted to people whom the server did not name",
            Self::NoPlace => "It is not known what it hung below",
            Self::ParentGone => "Its former parent is not there any more",
            Self::OtherSpace => "Its former parent is in another place",
            Self::ParentMoved => "Its former parent hangs below another page now",
            Self::ParentNotTold => {
                "The server does not tell whether the pages above it are restricted"
            }
        }
    }
}

/// What keeps a page from everybody by what it hangs below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Inherited {
    /// Nothing: all above it is known to be readable.
    Nothing,
    /// This page.
    From(Guardian),
    /// It is not known.
    Unknown(Unsure),
}

/// A restricted page that others hang below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guardian {
    /// An item that is made again before.
    Again(u32),
    /// A current page that was seen restricted.
    Live(ContentId),
}

/// What a page made again needs before it may hold text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: whoever sees the space could read it.
    Open,
    /// To be kept from others.
    Kept(Kept),
    /// It must not be made.
    Left(Unsure),
}

/// What keeps a page from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// What is set on the page itself; empty: nothing.
    pub(super) set: Vec<Restriction>,
    /// What it has to hang below, where `set` does not say who may read it.
    pub(super) below: Option<Guardian>,
    /// Why it is for oneself alone, if it is.
    pub(super) unsure: Option<Unsure>,
}

/// An item's own restrictions, as far as its backup tells.
enum Own<'a> {
    /// These may read it.
    Readers(&'a [Restriction]),
    /// All may read it, though perhaps not all may change it.
    All(&'a [Restriction]),
    Unknown(Unsure),
}

fn own(item: &Item) -> Own<'_> {
    let Some(list) = &item.restrictions else {
        return Own::Unknown(Unsure::NotTold);
    };
    match list.iter().find(|it| it.operation == READ) {
        Some(read) if read.names_anybody() => Own::Readers(list),
        Some(_) => Own::Unknown(Unsure::Nameless),
        None if item.restrictions_complete => Own::All(list),
        // It may be that somebody without a name was listed, or that not all was told.
        None => Own::Unknown(Unsure::NotTold),
    }
}

/// Why an item's own restrictions are not known, if they are not.
pub(super) fn unsure_of(item: &Item) -> Option<Unsure> {
    match own(item) {
        Own::Unknown(why) => Some(why),
        Own::Readers(_) | Own::All(_) => None,
    }
}

/// Whether an item keeps what hangs below it from others, or may have done so.
pub(super) fn keeps_others_out(item: &Item) -> bool {
    !matches!(own(item), Own::All(_))
}

/// What an item needs. `user` is who is signed in.
pub(super) fn need(
    item: &Item,
    inherited: Inherited,
    unknown: UnknownRestrictions,
    user: Option<&str>,
) -> Need {
    let for_me_alone = |why: Unsure| match (unknown, user) {
        (UnknownRestrictions::OnlyMe, Some(user)) => Need::Kept(Kept {
            set: vec![only(READ, user)],
            below: None,
            unsure: Some(why),
        }),
        _ => Need::Left(why),
    };
    match (own(item), inherited) {
        (Own::Unknown(why), _) | (Own::All(_), Inherited::Unknown(why)) => for_me_alone(why),
        (Own::Readers(list), _) => Need::Kept(Kept {
            set: settable(list, user),
            below: None,
            unsure: None,
        }),
        (Own::All(list), Inherited::From(guardian)) => Need::Kept(Kept {
            set: settable(list, user),
            below: Some(guardian),
            unsure: None,
        }),
        (Own::All([]), Inherited::Nothing) => Need::Open,
        (Own::All(list), Inherited::Nothing) => Need::Kept(Kept {
            set: settable(list, user),
            below: None,
            unsure: None,
        }),
    }
}

fn only(operation: &str, user: &str) -> Restriction {
    Restriction {
        operation: operation.to_owned(),
        users: vec![user.to_owned()],
        user_keys: Vec::new(),
        groups: Vec::new(),
    }
}

/// What can be set of a list. Where nobody is named, oneself stands for them.
fn settable(list: &[Restriction], user: Option<&str>) -> Vec<Restriction> {
    list.iter()
        .filter_map(|it| match user {
            _ if it.names_anybody() => Some(it.clone()),
            Some(user) => Some(only(&it.operation, user)),
            None => None,
        })
        .collect()
}

impl Kept {
    /// Whether somebody who could read it, or change it, is not named and is left out.
    pub(super) fn leaves_somebody_out(&self) -> bool {
        self.set.iter().any(Restriction::hides_anybody)
    }

    /// Whether a page as it was just read shows what was set on it.
    pub(super) fn shows_set(&self, page: &Content, users: &[&str]) -> Result<(), Unshown> {
        if self.set.is_empty() {
            return Ok(());
        }
        match restrictions_of(page) {
            None => Err(Unshown::NotTold(
                "The server does not tell whether it is restricted",
            )),
            Some(there) if covers(&self.set, there, users) => Ok(()),
            Some(_) => Err(Unshown::NotThere(
                "The server was given its restrictions and does not show them",
            )),
        }
    }

    /// Whether a page as it was just read shows what was set on it, and hangs where it has to.
    /// `guardian` is the id of what it has to hang below, where it has to.
    pub(super) fn shown_by(
        &self,
        page: &Content,
        guardian: Option<&ContentId>,
        users: &[&str],
    ) -> Result<Shown, &'static str> {
        if let Err(Unshown::NotTold(why) | Unshown::NotThere(why)) = self.shows_set(page, users) {
            return Err(why);
        }
        let Some(guardian) = guardian else {
            return Ok(Shown(()));
        };
        let above = page.ancestors.as_deref().unwrap_or_default();
        if above.iter().any(|it| it.id == *guardian) {
            Ok(Shown(()))
        } else {
            Err("It does not hang below the page that keeps it from others")
        }
    }
}

/// Why a page does not show what was set on it; the beginning of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unshown {
    /// The server does not tell.
    NotTold(&'static str),
    /// Others could read it.
    NotThere(&'static str),
}

/// A page that was read and shows what was set on it. Not yet a proof where something above it has to
/// keep it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown(());

impl Shown {
    /// The proof, for a page that keeps itself.
    pub(super) fn alone(self, kept: &Kept, at: u64) -> Result<MayHoldText, Self> {
        match kept.below {
            None => Ok(MayHoldText {
                until: at + JUST_BEFORE_MS,
            }),
            Some(_) => Err(self),
        }
    }

    /// The proof, for a page below `guardian` as it was read after it. `set` is what was set on the
    /// guardian, if it was made again.
    pub(super) fn below(
        self,
        guardian: &Content,
        set: Option<&[Restriction]>,
        users: &[&str],
        at: u64,
    ) -> Option<MayHoldText> {
        let Self(()) = self;
        let there = restrictions_of(guardian)?;
        let reads = |list: &[Restriction]| -> Vec<Restriction> {
            list.iter()
                .filter(|it| it.operation == READ)
                .cloned()
                .collect()
        };
        let is_kept = match set {
            Some(set) => covers(&reads(set), there, users) && !reads(set).is_empty(),
            None => !reads(there).is_empty(),
        };
        is_kept.then_some(MayHoldText {
            until: at + JUST_BEFORE_MS,
        })
    }
}

/// Whether a current page is restricted for readers; `None` where the server does not tell.
pub(super) fn is_restricted(page: &Content) -> Option<bool> {
    let list = restrictions_of(page)?;
    Some(list.iter().any(|it| it.operation == READ))
}

fn restrictions_of(page: &Content) -> Option<&[Restriction]> {
    page.more.as_ref()?.restrictions.as_deref()
}

/// Whether nobody but those in `wanted`, and those who made it again, may do what
/// `wanted` restricts. That some of
/// `wanted` are missing is no harm.
fn covers(wanted: &[Restriction], there: &[Restriction], users: &[&str]) -> bool {
    wanted.iter().all(|wanted| {
        let there = there.iter().find(|it| it.operation == wanted.operation);
        there.is_some_and(|there| {
            let mut people = there.people();
            people.retain(|it| !made_it(it, users));
            let same_name =
                |a: &&ServerText, b: &&ServerText| a.as_sent().eq_ignore_ascii_case(b.as_sent());
            let no_name = |a: &&ServerText, _: &&ServerText| a.as_sent().is_empty();
            pairs_off(people, wanted.people(), is_same, may_be_same)
                && pairs_off(
                    there.groups.iter().collect(),
                    wanted.groups.iter().collect(),
                    same_name,
                    no_name,
                )
        })
    })
}

/// Whether each of `there` finds one of `wanted` for itself: first those that are the same for certain,
/// then those that may be.
fn pairs_off<T>(
    mut there: Vec<T>,
    mut wanted: Vec<T>,
    is_same: impl Fn(&T, &T) -> bool,
    may_be_same: impl Fn(&T, &T) -> bool,
) -> bool {
    let mut take = |fits: &dyn Fn(&T, &T) -> bool| {
        there.retain(|one| match wanted.iter().position(|it| fits(one, it)) {
            Some(at) => {
                wanted.swap_remove(at);
                false
            }
            None => true,
        });
        there.is_empty()
    };
    take(&is_same) || take(&may_be_same)
}

fn made_it(there: &Subject<'_>, users: &[&str]) -> bool {
    let is_it = |name: &str| users.iter().any(|user| name.eq_ignore_ascii_case(user));
    there.name.is_some_and(is_it)
}

/// By key, else by name: a key outlives a change of the name.
fn is_same(there: &Subject<'_>, wanted: &Subject<'_>) -> bool {
    match (there.key.zip(wanted.key), there.name.zip(wanted.name)) {
        (Some((there, wanted)), _) => there == wanted,
        (None, Some((there, wanted))) => there.eq_ignore_ascii_case(wanted),
        (None, None) => false,
    }
}

/// Whether nothing that is told of two tells them apart.
fn may_be_same(there: &Subject<'_>, wanted: &Subject<'_>) -> bool {
    there.key.zip(wanted.key).is_none() && there.name.zip(wanted.name).is_none()
}

/// Proof that a page may hold text: its backup says that everybody could read it, or a read after its
/// restrictions were written showed them. One write uses it up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MayHoldText {
    /// On the job's clock, in milliseconds.
    until: u64,
}

impl Need {
    /// The proof for what everybody could read.
    pub(super) fn open(&self) -> Option<MayHoldText> {
        (*self == Self::Open).then_some(MayHoldText { until: u64::MAX })
    }
}

/// A page to be made.
pub(super) struct New {
    pub(super) space: SpaceKey,
    pub(super) kind: ContentKind,
    pub(super) parent: Option<ContentId>,
}

impl MayHoldText {
    /// Whether it is still from just before.
    pub(super) fn is_fresh(&self, at: u64) -> bool {
        at <= self.until
    }

    /// Makes a page with its title and text.
    pub(super) fn create(self, new: New, title: ServerText, storage: String) -> Call {
        let Self { until: _ } = self;
        Call::CreateContent {
            space: new.space,
            kind: new.kind,
            title,
            parent: new.parent,
            storage,
        }
    }

    /// Gives a page that was made blank its title and text.
    pub(super) fn fill_in(
        self,
        id: ContentId,
        kind: ContentKind,
        title: ServerText,
        version: u64,
        storage: String,
    ) -> Call {
        let Self { until: _ } = self;
        Call::ReplaceBody {
            id,
            kind,
            title,
            version,
            storage,
        }
    }

    /// Gives a page its labels.
    pub(super) fn label(self, id: ContentId, labels: Vec<ServerText>) -> Call {
        let Self { until: _ } = self;
        Call::AddLabels { id, labels }
    }
}

/// What hangs on a page.
impl MayHoldText {
    /// Puts a comment on it.
    pub(super) fn comment(
        self,
        on: ContentId,
        kind: ContentKind,
        parent: Option<ContentId>,
        remark: Option<Remark>,
        storage: String,
    ) -> Call {
        let Self { until: _ } = self;
        Call::CreateComment {
            on,
            kind,
            parent,
            remark,
            storage,
        }
    }

    /// Attaches a file to it.
    pub(super) fn attach(
        self,
        id: ContentId,
        title: ServerText,
        from: LocalFile,
        media_type: Option<String>,
        note: Option<ServerText>,
    ) -> Call {
        let Self { until: _ } = self;
        Call::AttachFile {
            id,
            title,
            from,
            media_type,
            note,
        }
    }
}

/// Makes a page that says nothing of what it is to become: no text, and a title for the time being.
/// Everybody may see it, and watchers of the space get mail about it.
pub(super) fn blank(new: New, job: &JobId, item: u32) -> Call {
    Call::CreateContent {
        space: new.space,
        kind: new.kind,
        title: interim_title(job, item),
        parent: new.parent,
        storage: String::new(),
    }
}

/// The title of a page until it may have its own. No other page has it.
pub(super) fn interim_title(job: &JobId, item: u32) -> ServerText {
    ServerText::new(format!("Being restored {job} {}", item + 1))
}

/// Whether an item without ancestors was at the top for certain. A server may tell no ancestors of
/// what is in the trash, or have forgotten them when a parent was purged.
pub(super) fn was_at_the_top(item: &Item) -> bool {
    item.status != ContentStatus::Trashed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(people: &[(&str, &str)], groups: &[&str]) -> Restriction {
        Restriction {
            operation: READ.to_owned(),
            users: people.iter().map(|it| it.0.to_owned()).collect(),
            user_keys: people.iter().map(|it| it.1.to_owned()).collect(),
            groups: groups.iter().map(|&it| ServerText::new(it)).collect(),
        }
    }

    #[test]
    fn what_is_there_is_compared_by_key_else_by_name_else_by_how_many() {
        let cases = [
            (to(&[("a", "k1")], &[]), to(&[("b", "k1")], &[]), true),
            (to(&[("a", "k1")], &[]), to(&[("a", "k2")], &[]), false),
            (to(&[("a", "")], &[]), to(&[("A", "k1")], &[]), true),
            (to(&[("", "k1")], &[]), to(&[("a", "")], &[]), true),
            (
                to(&[("", "k1")], &[]),
                to(&[("a", ""), ("b", "")], &[]),
                false,
            ),
            (
                to(&[("", "k1"), ("", "k2")], &[]),
                to(&[("", "k2")], &[]),
                true,
            ),
            (to(&[("", "k1")], &[]), to(&[], &[]), true),
            (to(&[("a", "")], &["g"]), to(&[], &["g"]), true),
            (to(&[("a", "")], &[]), to(&[("a", "")], &["g"]), false),
            (to(&[("a", "")], &["g"]), to(&[], &[""]), true),
        ];
        for (wanted, there, is_covered) in cases {
            // A list of nobody is never told as a restriction: the decoder drops it.
            let list: Vec<Restriction> = Some(there)
                .filter(|it| it.people().len() + it.groups.len() > 0)
                .into_iter()
                .collect();
            let expected = is_covered && !list.is_empty();
            assert_eq!(
                covers(std::slice::from_ref(&wanted), &list, &[]),
                expected,
                "{wanted:?} {list:?}"
            );
        }
        let mine = to(&[("a", ""), ("me", "")], &[]);
        assert!(covers(
            &[to(&[("a", "")], &[])],
            std::slice::from_ref(&mine),
            &["you", "me"]
        ));
        assert!(!covers(&[to(&[("a", "")], &[])], &[mine], &["you"]));
        assert!(
            !covers(&[to(&[("a", "")], &[])], &[], &["a"]),
            "nobody is kept out"
        );
    }
}

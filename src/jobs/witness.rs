//! What a 404 is worth.
//!
//! A server answers 404 for what is not there and for what this user may not see. It counts as "gone"
//! only when the server, asked right after, still shows this user something else that must be there:
//! the trash of the space, or, where the space itself is missing, the same user and another space. A
//! space that is still in the list of spaces is not gone, whatever is answered for it alone.

use super::desk::{is_not_there, unexpected};
use super::listing::LIMIT;
use crate::confluence::call::{SpacesFilter, Window};
use crate::confluence::{ApiError, Call, ContentId, ErrorKind, Reply, SpaceKey};

/// How many spaces are listed: one of them may be the one that is missing.
const SPACES: u64 = 2;

/// What the server is asked for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// A page of the trash of the space.
    Trash,
    /// The space, where the server has no list of its trash.
    Space,
    /// Who is signed in, and then a list of spaces.
    User,
    Spaces,
    /// The list of spaces, for the one that is missing.
    Itself,
    /// Who is signed in, and nothing else.
    OnlyUser,
}

/// What the server shows besides what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// What must be there is shown. These ids are in the trash, by its first page.
    Shown(Vec<ContentId>),
    /// It is not, so nothing follows from the 404. A sentence.
    Hidden(String),
}

/// The reads that tell what a 404 is worth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Witness {
    key: SpaceKey,
    ask: Ask,
    saw_all: bool,
}

impl Witness {
    /// For an item that is missing from the trash of this space.
    pub(super) fn of_trash(space: Option<SpaceKey>) -> Self {
        let ask = match space {
            Some(_) => Ask::Trash,
            None => Ask::OnlyUser,
        };
        Self {
            key: space.unwrap_or_else(|| SpaceKey::new("")),
            ask,
            saw_all: false,
        }
    }

    /// For a space that is missing.
    pub(super) fn of_space(key: SpaceKey) -> Self {
        Self {
            key,
            ask: Ask::User,
            saw_all: false,
        }
    }

    /// Whether the ids that it has shown are all that is in the trash.
    pub(super) fn saw_all(&self) -> bool {
        self.saw_all
    }

    /// The next read.
    pub(super) fn call(&self) -> Call {
        match self.ask {
            Ask::Trash => Call::Trash {
                key: self.key.clone(),
                cursor: None,
                expand: String::new(),
                limit: LIMIT,
            },
            Ask::Space => Call::Space {
                key: self.key.clone(),
                expand: String::new(),
            },
            Ask::User | Ask::OnlyUser => Call::CurrentUser,
            Ask::Spaces => listed(SpacesFilter::default()),
            Ask::Itself => listed(SpacesFilter {
                keys: vec![self.key.clone()],
                ..SpacesFilter::default()
            }),
        }
    }

    /// Takes the answer to the last read; `None` while another one is needed. `user` is who the job
    /// is done as.
    pub(super) fn answer(
        &mut self,
        user: Option<&str>,
        answer: Result<Reply, ApiError>,
    ) -> Option<Sight> {
        match (self.ask, answer) {
            (Ask::Trash, Ok(Reply::Trash(page))) => {
                self.saw_all = page.next.is_none();
                let ids = page.results.into_iter().map(|row| row.id);
                Some(Sight::Shown(ids.collect()))
            }
            (Ask::Trash, Err(error)) if error.kind == ErrorKind::NoSuchOperation => {
                self.ask = Ask::Space;
                None
            }
            (Ask::Space, Ok(Reply::Space(_))) => Some(Sight::Shown(Vec::new())),
            (Ask::Trash | Ask::Space, Err(error)) if is_not_there(&error) => {
                Some(Sight::Hidden(format!(
                    "The space {} is not shown to you either, so it may be hidden and not gone.",
                    self.key
                )))
            }
            (Ask::User | Ask::OnlyUser, Ok(Reply::CurrentUser(now))) => {
                let is_same = match (user, now.username.as_deref()) {
                    (_, None) => false,
                    (None, Some(_)) => true,
                    (Some(user), Some(now)) => user == now,
                };
                if !is_same {
                    let why = "The server takes you for somebody else now, so it may be hidden and not gone.";
                    return Some(Sight::Hidden(why.to_owned()));
                }
                if self.ask == Ask::OnlyUser {
                    return Some(Sight::Shown(Vec::new()));
                }
                self.ask = Ask::Spaces;
                None
            }
            (Ask::Spaces | Ask::Itself, Ok(Reply::Spaces(page)))
                if page.results.iter().any(|space| space.key == self.key) =>
            {
                let why =
                    "Asked for by itself it is not there, and the list of spaces still shows it.";
                Some(Sight::Hidden(why.to_owned()))
            }
            (Ask::Itself, Ok(Reply::Spaces(_))) => Some(Sight::Shown(Vec::new())),
            (Ask::Spaces, Ok(Reply::Spaces(page))) => {
                if !page.results.is_empty() {
                    self.ask = Ask::Itself;
                    return None;
                }
                let why =
                    "The server shows you no other space either, so it may be hidden and not gone.";
                Some(Sight::Hidden(why.to_owned()))
            }
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                Some(Sight::Hidden(format!(
                    "Whether it is gone or only hidden could not be learned. {}",
                    error.message
                )))
            }
        }
    }
}

/// A list of spaces.
fn listed(filter: SpacesFilter) -> Call {
    Call::Spaces {
        filter,
        expand: String::new(),
        window: Window {
            start: 0,
            limit: SPACES,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confluence::ServerText;
    use crate::confluence::{CurrentUser, CursorPage, Page, Space, SpaceKind};

    fn missing(kind: ErrorKind) -> Result<Reply, ApiError> {
        Err(ApiError::new(kind, "Not Found").with_status(404))
    }

    fn signed_in(user: Option<&str>) -> Reply {
        Reply::CurrentUser(CurrentUser {
            username: user.map(str::to_owned),
            display_name: String::new(),
        })
    }

    #[test]
    fn a_trash_that_is_still_listed_shows_that_the_user_may_see_it() {
        let mut witness = Witness::of_trash(Some(SpaceKey::new("ENG")));
        let page = CursorPage {
            results: Vec::new(),
            next: None,
            total: None,
        };
        let sight = witness.answer(Some("me"), Ok(Reply::Trash(page)));
        assert_eq!(sight, Some(Sight::Shown(Vec::new())));
    }

    #[test]
    fn a_server_without_a_list_of_the_trash_is_asked_for_the_space() {
        let mut witness = Witness::of_trash(Some(SpaceKey::new("ENG")));
        assert_eq!(
            witness.answer(Some("me"), missing(ErrorKind::NoSuchOperation)),
            None
        );
        assert!(matches!(witness.call(), Call::Space { .. }));
        let sight = witness.answer(Some("me"), missing(ErrorKind::NotFound));
        assert!(matches!(sight, Some(Sight::Hidden(_))), "{sight:?}");
    }

    #[test]
    fn a_missing_space_is_gone_only_for_the_same_user_who_sees_another_one() {
        let empty = Reply::Spaces(Page {
            results: Vec::new(),
            start: 0,
            limit: None,
            total: None,
            has_next: false,
        });
        for user in [None, Some("other")] {
            let mut witness = Witness::of_space(SpaceKey::new("ENG"));
            let sight = witness.answer(Some("me"), Ok(signed_in(user)));
            assert!(matches!(sight, Some(Sight::Hidden(_))), "{user:?}");
        }
        let mut witness = Witness::of_space(SpaceKey::new("ENG"));
        assert_eq!(witness.answer(Some("me"), Ok(signed_in(Some("me")))), None);
        let sight = witness.answer(Some("me"), Ok(empty));
        assert!(matches!(sight, Some(Sight::Hidden(_))), "{sight:?}");
    }

    fn spaces(keys: &[&str]) -> Reply {
        let space = |key: &&str| Space {
            id: None,
            key: SpaceKey::new(key),
            name: ServerText::new(String::new()),
            kind: SpaceKind::Global,
            status: None,
            more: None,
        };
        Reply::Spaces(Page {
            results: keys.iter().map(space).collect(),
            start: 0,
            limit: None,
            total: None,
            has_next: false,
        })
    }

    #[test]
    fn a_space_that_is_still_listed_is_not_gone() {
        // By the first list, or only where the list is asked for it.
        for (first, itself, is_gone) in [
            (vec!["ENG", "HR"], vec![], false),
            (vec!["A", "B"], vec!["ENG"], false),
            (vec!["A", "B"], vec![], true),
            // A server that passes over what is asked for.
            (vec!["A", "B"], vec!["A", "B"], true),
        ] {
            let mut witness = Witness::of_space(SpaceKey::new("ENG"));
            witness.answer(Some("me"), Ok(signed_in(Some("me"))));
            let sight = witness.answer(Some("me"), Ok(spaces(&first))).or_else(|| {
                let Call::Spaces { filter, .. } = witness.call() else {
                    panic!("{:?}", witness.call());
                };
                assert_eq!(filter.keys, [SpaceKey::new("ENG")]);
                witness.answer(Some("me"), Ok(spaces(&itself)))
            });
            let is_shown = matches!(sight, Some(Sight::Shown(_)));
            assert_eq!(is_shown, is_gone, "{first:?} {itself:?} {sight:?}");
        }
    }
}

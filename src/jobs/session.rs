//! Where and as whom the program is signed in, and whether what a file is about belongs there.

use serde::{Deserialize, Serialize};

use super::head::Head;
use super::saved_server::SameServer;
use crate::confluence::BaseUrl;

/// Where and as whom the program is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The profile, by name.
    pub profile: String,
    /// The server.
    pub address: BaseUrl,
    /// The user, where known.
    pub user: Option<String>,
}

/// Whether two user names are of the same user: Confluence tells no letters of one case from those of the
/// other in them.
pub fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Why a job can't go on here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// It is about another server.
    #[error("This job belongs to {at}; this is {here}.")]
    OtherServer {
        /// Its server.
        at: String,
        /// The one that is open.
        here: String,
    },
    /// It is about another profile.
    #[error("This job belongs to the profile {profile}; this is {here}.")]
    OtherProfile {
        /// Its profile.
        profile: String,
        /// The one that is open.
        here: String,
    },
    /// What it makes is of the one who began it, and somebody else is signed in.
    #[error("This job makes the personal space of {was}; {} signed in.", who(here.as_deref()))]
    OthersOwn {
        /// Who began it.
        was: String,
        /// Who is signed in.
        here: Option<String>,
    },
}

/// Something about a job that the person has to agree to before it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToAgree {
    /// Its file names the host of its server and not the address.
    AddressUnsaid {
        /// The host.
        host: String,
        /// The server that is open.
        here: BaseUrl,
    },
    /// Somebody else began it.
    OtherUser {
        /// Who.
        was: String,
        /// Who is signed in.
        here: Option<String>,
    },
    /// It is not known who began it.
    UserUnsaid {
        /// Who is signed in.
        here: Option<String>,
    },
}

impl ToAgree {
    /// In one or two sentences.
    pub fn told(&self) -> String {
        match self {
            Self::AddressUnsaid { host, here } => format!(
                "Its file names the server {host} and no address. Go on only if that is {here}."
            ),
            Self::OtherUser { was, here } => format!(
                "{was} began it; {} signed in. What is done from here on is in the journal as {}.",
                who(here.as_deref()),
                doer(here.as_deref())
            ),
            Self::UserUnsaid { here } => format!(
                "Its file does not say who began it; {} signed in.",
                who(here.as_deref())
            ),
        }
    }
}

/// Who is at work on a job, the last one now: what any of them made is the job's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "UsersInFile", into = "UsersInFile")]
pub(super) struct Users(Vec<Option<String>>);

/// The one user, as earlier versions had it, or all.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum UsersInFile {
    One(Option<String>),
    All(Vec<Option<String>>),
}

impl From<UsersInFile> for Users {
    fn from(file: UsersInFile) -> Self {
        match file {
            UsersInFile::One(user) => Self(vec![user]),
            UsersInFile::All(users) => Self(users),
        }
    }
}

impl From<Users> for UsersInFile {
    fn from(mut users: Users) -> Self {
        match users.0.len() {
            0 | 1 => Self::One(users.0.pop().flatten()),
            _ => Self::All(users.0),
        }
    }
}

impl Users {
    pub(super) fn begun_by(user: Option<String>) -> Self {
        Self(vec![user])
    }

    /// Who is at work, where known.
    pub(super) fn now(&self) -> Option<&str> {
        self.0.last()?.as_deref()
    }

    /// Whether this is one of them. Where it is not known who is at work, it may be.
    pub(super) fn has(&self, name: &str) -> bool {
        self.now().is_none() || self.0.iter().flatten().any(|user| user == name)
    }

    /// All of them whose name is known.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().flatten().map(String::as_str).collect()
    }

    pub(super) fn taken_up_by(&mut self, user: Option<&str>) {
        if self.now() != user {
            self.0.push(user.map(str::to_owned));
        }
    }
}

fn who(user: Option<&str>) -> String {
    match user {
        Some(user) => format!("{user} is"),
        None => "nobody is".to_owned(),
    }
}

fn doer(user: Option<&str>) -> String {
    match user {
        Some(user) => format!("done by {user}"),
        None => "done by nobody who is known".to_owned(),
    }
}

impl Session {
    /// The one in which a job begins.
    pub(super) fn of(head: &Head) -> Option<Self> {
        Some(Self {
            profile: head.target.profile.clone(),
            address: head.target.server.address()?.clone(),
            user: head.user.clone(),
        })
    }

    /// Whether a job of an earlier run may go on here, and what has to be agreed to before.
    pub(super) fn may_take_up(&self, head: &Head) -> Result<Vec<ToAgree>, NotHere> {
        let target = &head.target;
        let mut to_agree = Vec::new();
        match target.server.is_at(&self.address) {
            SameServer::Yes => {}
            SameServer::Unsaid => to_agree.push(ToAgree::AddressUnsaid {
                host: target.server.shown().to_owned(),
                here: self.address.clone(),
            }),
            SameServer::No => {
                let at = target.server.address().map(BaseUrl::as_str);
                return Err(NotHere::OtherServer {
                    at: at.unwrap_or_else(|| target.server.shown()).to_owned(),
                    here: self.address.to_string(),
                });
            }
        }
        if target.profile != self.profile {
            return Err(NotHere::OtherProfile {
                profile: target.profile.clone(),
                here: self.profile.clone(),
            });
        }
        match (&head.user, &self.user) {
            (Some(was), Some(here)) if was == here => {}
            (Some(was), here) => to_agree.push(ToAgree::OtherUser {
                was: was.clone(),
                here: here.clone(),
            }),
            (None, here) => to_agree.push(ToAgree::UserUnsaid { here: here.clone() }),
        }
        Ok(to_agree)
    }
}

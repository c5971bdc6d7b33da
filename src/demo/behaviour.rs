//! What the whole server does oddly, changeable while it runs.
//!
//! Faults strike single requests; a behaviour holds for all of them.

/// How the server behaves. The default is a server that does everything right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// The site is in read-only mode: every write is answered with 405 and `READ_ONLY`.
    pub read_only: bool,
    /// Whether the one user may create spaces; otherwise operations 2 to 4 answer 403.
    pub may_create_spaces: bool,
    /// Every request counts as anonymous, whatever it brought to sign in with.
    pub anonymous: bool,
    /// How the deletion of a space ends.
    pub deletion: Deletion,
    /// After how many looks a deletion has ended. A look is a `GET` of the long task or of the
    /// space. Nothing depends on time.
    pub deletion_looks: u32,
    /// Requests answered per second; more are answered with 429 and `Retry-After`.
    pub requests_per_second: Option<u32>,
    /// Oddities of paging that real servers have.
    pub quirks: Vec<Quirk>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            read_only: false,
            may_create_spaces: true,
            anonymous: false,
            deletion: Deletion::Succeeds,
            deletion_looks: 4,
            requests_per_second: None,
            quirks: Vec::new(),
        }
    }
}

impl Behaviour {
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// How the deletion of a space ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletion {
    /// The space is gone and the task says so.
    #[default]
    Succeeds,
    /// The task ends at 100 %, not successful, with a message; the space stays.
    Fails,
    /// The task stays at 60 % for ever; the space stays.
    Stalls,
    /// The task stays below 100 % with a message of an error; the space stays.
    StallsWithError,
    /// The space is gone, and so is the task: it answers 404.
    Expires,
    /// The task answers 404 from the second look on; the space stays.
    Vanishes,
}

/// An oddity of paging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Lists never end: past the end the last page comes again, with a `next`
    /// (CONFSERVER-95272, -95312, -95396).
    NeverEnds,
    /// `limit` is echoed as asked for though it was capped, and the `start` of `next` is computed
    /// from it.
    EchoedLimit,
    /// Every second page is shorter than the limit, though more follow.
    ShortPages,
    /// Every page but the first begins with the last row of the one before.
    Duplicates,
    /// A new space appears after each page of the list of spaces but the first.
    Growing,
    /// The second page of the trash gives the cursor that led to it.
    RepeatedCursor,
    /// Cursors are percent-encoded inside `next`.
    EncodedCursor,
    /// `base`, and every absolute link with it, names another host.
    ForeignBase,
}

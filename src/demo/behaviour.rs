//! What the whole server does oddly, changeable while it runs.
//!
//! Faults strike single requests; a behaviour holds for all of them.

/// Which Confluence the server is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// 10: all operations; the documented shapes unless real ones are asked for.
    #[default]
    Ten,
    /// 9: no personal spaces and no trash by REST; real shapes.
    Nine,
    /// 7: as 9, and no archive; spaces without status, creator and dates; real shapes.
    Seven,
}

/// How the server behaves. The default is a server that does everything right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// The site is in read-only mode: every write is answered with 405 and `READ_ONLY`.
    pub read_only: bool,
    /// Whether the one user may create spaces; otherwise operations 2 to 4 answer 403.
    pub may_create_spaces: bool,
    /// Whether the one user may list all users; otherwise `GET /user/list` answers 403.
    pub may_list_users: bool,
    /// What can't be expanded: a `GET` that asks for it, or for what is below it, is answered with 500,
    /// such as `permissions` (CONFSERVER-99908).
    pub failing_expansions: Vec<String>,
    /// Every request counts as anonymous, whatever it brought to sign in with.
    pub anonymous: bool,
    /// For whom every answer says that it takes the request, whoever signs in.
    pub takes_all_for: Option<&'static str>,
    /// How the deletion of a space ends.
    pub deletion: Deletion,
    /// After how many looks a deletion has ended. A look is a `GET` of the long task or of the
    /// space. Nothing depends on time.
    pub deletion_looks: u32,
    /// What becomes of a full backup of a space that is asked for.
    pub full_backup: FullBackup,
    /// What becomes of such a backup that is sent in to be restored.
    pub full_restore: FullRestore,
    /// After how many looks such a job has ended, once its work is done. A look is a `GET` of the job.
    pub job_looks: u32,
    /// Requests answered per second; more are answered with 429 and `Retry-After`.
    pub requests_per_second: Option<u32>,
    /// Oddities of paging that real servers have.
    pub quirks: Vec<Quirk>,
    /// Comments can be made at the foot of a page alone: another place is 400.
    pub footer_comments_only: bool,
    /// What is kept of a text or a file that is sent, whatever is answered.
    pub keeps: Keeps,
    /// Whether the size of an attached file is told.
    pub tells_sizes: bool,
    /// Lists that tell a row again in place of others.
    pub lies: Vec<Lie>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            read_only: false,
            may_create_spaces: true,
            may_list_users: true,
            failing_expansions: Vec::new(),
            anonymous: false,
            takes_all_for: None,
            deletion: Deletion::Succeeds,
            deletion_looks: 4,
            full_backup: FullBackup::Works,
            full_restore: FullRestore::Works,
            job_looks: 3,
            requests_per_second: None,
            quirks: Vec::new(),
            footer_comments_only: false,
            keeps: Keeps::All,
            tells_sizes: true,
            lies: Vec::new(),
        }
    }
}

impl Behaviour {
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// What of a query can't be expanded.
    pub(super) fn fails_to_expand(&self, query: &str) -> Option<&str> {
        let asked: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "expand")
            .map(|(_, value)| value.into_owned())
            .collect();
        let mut asked = asked.iter().flat_map(|list| list.split(',')).map(str::trim);
        asked.find_map(|path| {
            let fails = |it: &&String| {
                let rest = path.strip_prefix(it.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            self.failing_expansions
                .iter()
                .find(fails)
                .map(String::as_str)
        })
    }

    /// The place of the row that `list` tells at `place`.
    pub(super) fn told_at(&self, list: ListOf, place: u64) -> u64 {
        let is_hidden =
            |lie: &&Lie| lie.list == list && place > lie.place && place - lie.place <= lie.hides;
        let lie = self.lies.iter().find(is_hidden);
        lie.map_or(place, |lie| lie.place)
    }
}

/// A list that lies, as those of servers do whose order has ties: one row is told again, and the rows
/// after it, which stand at those places, are not told at all. Its length stays what it was.
///
/// With `place: 1, hides: 2` a list of 1, 2, 3, 4, 5, 6 comes as 1, 2, 2, 2, 5, 6, whatever the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lie {
    /// Which list.
    pub list: ListOf,
    /// The place of the row that is told again, from 0.
    pub place: u64,
    /// How many rows after it are not told.
    pub hides: u64,
}

/// A list of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOf {
    /// 10: `GET /space/{key}/content`.
    SpaceContent,
    /// 11: `GET /space/{key}/content/{type}`.
    SpaceContentOfKind,
    /// 12: `GET /space/{key}/trash`.
    Trash,
    /// `GET /content?spaceKey=&status=`.
    Contents,
    /// `GET /content/{id}/child/{type}`.
    Children,
    /// `GET /content/scan`.
    Scan,
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

/// What becomes of a full backup of a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FullBackup {
    /// It ends, and its file can be downloaded.
    #[default]
    Works,
    /// The one user may not: 403.
    Forbidden,
    /// An administrator has switched it off: 403, in other words.
    SwitchedOff,
    /// Another one for the same space is under way, of somebody else: 409.
    Busy,
    /// It ends as FAILED.
    Fails,
    /// It stays PROCESSING for ever.
    Stalls,
    /// Its file is of another space.
    OtherSpace,
    /// Its file ends in the middle, and its length says so.
    Broken,
    /// It ends, and there is no file: 404.
    NoFile,
    /// It leaves objects out, and says so.
    SkipsSome,
    /// Asked for the job, the server tells of one about another space.
    TellsOfAnother,
    /// Asked for the job, the server tells of one that reads a space in.
    TellsOfARestore,
    /// Its file is whole, of this space, and has every second page alone, as one of an earlier time.
    Earlier,
    /// Its file has the rows of the space in a way of its own.
    LaidOutOtherwise,
    /// Its file has no attached files in it, only their rows.
    WithoutFiles,
    /// Its file has the attached files with nothing in them.
    EmptyFiles,
}

/// What becomes of a backup that is sent in to be restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FullRestore {
    /// The space is there.
    #[default]
    Works,
    /// The one user may not: 403.
    Forbidden,
    /// It ends as FAILED, and nothing is there.
    Fails,
    /// It stays PROCESSING for ever.
    Stalls,
    /// It ends as FINISHED, and every second page is missing.
    Half,
    /// Asked for the job, the server tells of one about another space.
    TellsOfAnother,
}

/// What the server keeps of the text of a page or a comment, and of an attached file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeps {
    /// As it was sent.
    #[default]
    All,
    /// The same text, written in its own way and with ids of its own in it, as real servers do.
    InItsOwnWay,
    /// Nothing.
    Nothing,
    /// The first half.
    Half,
    /// Another text; of a file all.
    Another,
}

impl Keeps {
    /// What is kept of a text.
    pub(super) fn text(self, sent: &str) -> String {
        match self {
            Self::All => sent.to_owned(),
            Self::InItsOwnWay => sent
                .replace("/>", " />")
                .replace('é', "&eacute;")
                .replace("<p>", "<p local-id=\"0b5e\">")
                .replace("</p>", "</p>\n"),
            Self::Nothing => String::new(),
            Self::Half => {
                let half = sent.chars().count() / 2;
                sent.chars().take(half).collect()
            }
            Self::Another => "<p>Something else</p>".to_owned(),
        }
    }

    /// How much is kept of a file of this length.
    pub(super) fn bytes(self, sent: u64) -> u64 {
        match self {
            Self::All | Self::InItsOwnWay | Self::Another => sent,
            Self::Nothing => 0,
            Self::Half => sent / 2,
        }
    }
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

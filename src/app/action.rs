//! Everything a person can do, in one table.
//!
//! Dispatch, footer, help, palette, configuration and documentation all read [`VERBS`]; nothing
//! else knows a key.

use serde::{Deserialize, Serialize};

/// Something a person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
    /// A window up.
    PageUp,
    /// A window down.
    PageDown,
    /// Half a window up.
    HalfUp,
    /// Half a window down.
    HalfDown,
    /// Collapse, or to the parent.
    Collapse,
    /// Expand, or into the children.
    Expand,
    /// Open what is under the cursor.
    Open,
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// The list of spaces.
    PaneSpaces,
    /// The space in detail.
    PaneDetail,
    /// Its content.
    PaneContent,
    /// The tab before.
    PreviousTab,
    /// The next tab.
    NextTab,
    /// Filter as one types.
    Filter,
    /// Mark or unmark the row.
    Mark,
    /// Mark from the last mark to here.
    MarkRange,
    /// Mark all that the filter shows.
    MarkAll,
    /// Clear all marks.
    ClearMarks,
    /// Choose the order.
    Sort,
    /// Filter on the server.
    ServerFilter,
    /// The trash of this space.
    Trash,
    /// A new space.
    NewSpace,
    /// Change the space.
    EditSpace,
    /// Archive, or restore from the archive.
    Archive,
    /// Delete the space.
    Delete,
    /// Restore marked items from the trash.
    RestoreItems,
    /// Purge marked items.
    PurgeMarked,
    /// Purge the whole trash of the space.
    PurgeAll,
    /// Back up without purging.
    BackUp,
    /// Have the space written out by the server, and keep it.
    BackUpSpace,
    /// The backups on this machine.
    Backups,
    /// Open a protected profile for writing.
    Unlock,
    /// The jobs.
    Jobs,
    /// The trash as a tree or as a table.
    View,
    /// The trash of all or the marked spaces.
    TrashAcross,
    /// The text of the row.
    Preview,
    /// What is listed, as a file.
    Export,
    /// Copy something of the row.
    Copy,
    /// Open in a browser.
    Browse,
    /// Another profile.
    SwitchProfile,
    /// Any verb by its name.
    Palette,
    /// All keys.
    Help,
    /// Log and journal.
    Log,
    /// Read again.
    Refresh,
    /// Cancel what loads, clear the filter, close the dialog.
    Cancel,
    /// Close, else to the spaces, else quit.
    Back,
    /// Draw everything anew.
    Redraw,
    /// Stop, to go on with `fg`.
    Suspend,
    /// Quit from anywhere.
    Quit,
    /// Search in a text.
    Search,
    /// The next hit.
    NextHit,
    /// The hit before.
    PreviousHit,
}

/// Where a key means something. The innermost that knows the key wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// Wherever no text is typed.
    Everywhere,
    /// In any of the three panes.
    Panes,
    /// In the list of spaces.
    Spaces,
    /// In the space's detail.
    Detail,
    /// In the tabs of content.
    Content,
    /// In the trash tab.
    Trash,
    /// In the trash of many spaces.
    Across,
    /// In a text to read: help, log, preview.
    Reading,
    /// In the preview.
    Preview,
}

impl Context {
    /// What holds in the list of spaces, innermost first; so the others for their places.
    pub const IN_SPACES: &'static [Self] = &[Self::Spaces, Self::Panes, Self::Everywhere];
    /// In the detail.
    pub const IN_DETAIL: &'static [Self] = &[Self::Detail, Self::Panes, Self::Everywhere];
    /// In pages and blog posts.
    pub const IN_CONTENT: &'static [Self] = &[Self::Content, Self::Panes, Self::Everywhere];
    /// In the trash tab.
    pub const IN_TRASH: &'static [Self] =
        &[Self::Trash, Self::Content, Self::Panes, Self::Everywhere];
    /// In a text that lies over the panes.
    pub const IN_READING: &'static [Self] = &[Self::Reading, Self::Everywhere];
    /// In the preview.
    pub const IN_PREVIEW: &'static [Self] = &[Self::Preview, Self::Reading, Self::Everywhere];
    /// In the trash of many spaces.
    pub const IN_ACROSS: &'static [Self] = &[Self::Across, Self::Everywhere];

    /// All that hold at one time.
    pub const STACKS: [&'static [Self]; 7] = [
        Self::IN_SPACES,
        Self::IN_DETAIL,
        Self::IN_CONTENT,
        Self::IN_TRASH,
        Self::IN_READING,
        Self::IN_PREVIEW,
        Self::IN_ACROSS,
    ];

    /// All of them, outermost first.
    pub const ALL: [Self; 9] = [
        Self::Everywhere,
        Self::Panes,
        Self::Spaces,
        Self::Detail,
        Self::Content,
        Self::Trash,
        Self::Across,
        Self::Reading,
        Self::Preview,
    ];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Panes => "panes",
            Self::Spaces => "spaces",
            Self::Detail => "detail",
            Self::Content => "content",
            Self::Trash => "trash",
            Self::Across => "across",
            Self::Reading => "reading",
            Self::Preview => "preview",
        }
    }

    /// Where it is, in a few words that end a sentence.
    pub fn place(self) -> &'static str {
        match self {
            Self::Everywhere => "where no text is typed",
            Self::Panes => "in the panes",
            Self::Spaces => "in the list of spaces",
            Self::Detail => "in the detail",
            Self::Content => "in pages and trash",
            Self::Trash => "in the trash",
            Self::Across => "in the trash of all",
            Self::Reading => "in a text",
            Self::Preview => "in a preview",
        }
    }

    /// The heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Panes => "In any pane",
            Self::Spaces => "Spaces",
            Self::Detail => "Detail",
            Self::Content => "Pages, blog posts and trash",
            Self::Trash => "Trash",
            Self::Across => "Trash across spaces",
            Self::Reading => "Reading a text",
            Self::Preview => "Preview",
        }
    }

    /// Whether both can be in force at one time, so that one key must not mean two things.
    pub fn overlaps(self, other: Self) -> bool {
        self == other
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// What it does.
    pub action: Action,
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its title, in help and palette.
    pub title: &'static str,
    /// One word for the footer; empty: never shown there.
    pub short: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// Where it is to be had.
    pub contexts: &'static [Context],
    /// Its keys, unless the configuration says otherwise. Two keys in a row are written `g g`.
    pub keys: &'static [&'static str],
    /// Its place in the footer: 0 is never shown, 9 is shown first.
    pub weight: u8,
}

macro_rules! verbs {
    ($($action:ident $name:literal $keys:expr, $contexts:expr, $weight:literal, $short:literal, $title:literal, $help:literal;)*) => {
        /// The table.
        pub const VERBS: &[Verb] = &[$(Verb {
            action: Action::$action, name: $name, title: $title, short: $short, help: $help,
            contexts: &$contexts, keys: &$keys, weight: $weight,
        }),*];
    };
}

use Context::{
    Across, Content, Everywhere, Panes, Preview as InPreview, Reading, Spaces, Trash as TrashTab,
};

verbs! {
    Up "up" ["k", "Up"], [Everywhere], 0, "", "Up", "Move one row up.";
    Down "down" ["j", "Down"], [Everywhere], 0, "move", "Down", "Move one row down.";
    Top "top" ["g", "Home"], [Everywhere], 0, "", "First row", "Move to the first row.";
    Bottom "bottom" ["G", "End"], [Everywhere], 0, "", "Last row", "Move to the last row that is loaded.";
    PageUp "page-up" ["PgUp"], [Everywhere], 0, "", "Page up", "Move a page up.";
    PageDown "page-down" ["PgDn"], [Everywhere], 0, "", "Page down", "Move a page down.";
    HalfUp "half-up" ["Ctrl-u"], [Everywhere], 0, "", "Half a page up", "Move half a page up.";
    HalfDown "half-down" ["Ctrl-d"], [Everywhere], 0, "", "Half a page down", "Move half a page down.";
    Collapse "collapse" ["h", "Left"], [Panes, Across], 0, "", "Collapse", "Collapse the row, or move to its parent; in the space list and in detail, nothing.";
    Expand "expand" ["l", "Right"], [Panes, Across], 0, "", "Expand", "Expand the row, or move to its first child; in the space list, go to its content.";
    Open "open" ["Enter"], [Panes, Across], 8, "open", "Open", "Open the space, expand and collapse the row, or show the text of what has nothing below it.";
    NextPane "next-pane" ["Tab"], [Panes, Across, InPreview], 5, "pane", "Next pane", "Go to the next pane.";
    PreviousPane "previous-pane" ["Shift-Tab"], [Panes, Across, InPreview], 0, "", "Previous pane", "Go to the pane before.";
    PaneSpaces "pane-spaces" ["1"], [Panes], 0, "", "Spaces", "Go to the list of spaces.";
    PaneDetail "pane-detail" ["2"], [Panes], 0, "", "Detail", "Go to the space's detail.";
    PaneContent "pane-content" ["3"], [Panes], 0, "", "Content", "Go to the space's content.";
    PreviousTab "previous-tab" ["["], [Panes], 0, "", "Previous tab", "Show the tab before: Pages, Blog, Trash.";
    NextTab "next-tab" ["]"], [Panes], 4, "tab", "Next tab", "Show the next tab: Pages, Blog, Trash.";
    Filter "filter" ["/"], [Spaces, Content, Across], 7, "filter", "Filter", "Filter this list as you type: words match loosely, 'word exactly, !word excludes; in pages and trash also type:page, by:name, under:title, before:2024-06-01, after:2024, older:90d, newer:6w, and across spaces space:key. Enter keeps the filter, Esc clears it.";
    Mark "mark" ["Space"], [Spaces, TrashTab, Across], 5, "mark", "Mark", "Mark or unmark this row alone, and move on.";
    MarkRange "mark-range" ["V"], [Spaces, TrashTab, Across], 0, "", "Mark range", "Mark everything from the last mark to this row.";
    MarkAll "mark-all" ["*"], [Spaces, TrashTab, Across], 0, "", "Mark all shown", "Mark everything that the filter shows.";
    ClearMarks "clear-marks" ["U"], [Spaces, TrashTab, Across], 0, "", "Clear marks", "Clear all marks, also of rows that the filter hides.";
    Sort "sort" ["s"], [Spaces, Content, Across], 4, "sort", "Sort", "Choose the order of the list.";
    ServerFilter "server-filter" ["f"], [Spaces], 3, "ask for", "Filter on the server", "Ask the server for some of the spaces only: by type, status, label and more.";
    Trash "trash" ["t"], [Panes], 6, "trash", "Trash of this space", "Show the trash of this space, expanded.";
    NewSpace "new-space" ["n"], [Panes], 4, "new", "New space", "Make a new space: global, private or personal.";
    EditSpace "edit-space" ["e"], [Panes], 4, "edit", "Edit space", "Change name, description and homepage of the space.";
    Archive "archive" ["a"], [Panes], 3, "archive", "Archive or restore", "Archive the space, or restore an archived one; of several marked, what fits the one under the cursor.";
    Delete "delete" ["D"], [Panes], 0, "", "Delete space", "Delete the space, or all marked ones, after a backup and a typed confirmation.";
    RestoreItems "restore" ["u"], [TrashTab, Across], 6, "restore", "Restore from trash", "Put the marked items back where they were, parents first.";
    PurgeMarked "purge" ["x"], [TrashTab, Across], 6, "purge", "Purge marked", "Back up the marked items, then purge them for good, after a typed confirmation.";
    PurgeAll "purge-all" ["P"], [Panes], 0, "", "Purge all", "Back up the whole trash of the space, then purge it for good, after a typed confirmation.";
    BackUp "back-up" ["b"], [TrashTab, Across], 4, "back up", "Back up", "Copy the marked items to this machine. Nothing is changed on the server.";
    BackUpSpace "back-up-space" ["b"], [Spaces], 0, "", "Back up space", "Have the server write out the space, or all marked ones, with history and permissions, and download that to this machine.";
    Backups "backups" ["B"], [Panes, Across], 0, "", "Backups", "Show the backups on this machine: look into them, verify them, make what is in them again.";
    Unlock "unlock" ["!"], [Panes], 0, "", "Open for writing", "Open a protected profile for writing until you quit, by typing its name.";
    Jobs "jobs" ["J"], [Everywhere], 1, "jobs", "Jobs", "Show all jobs: what runs, what waits for you, what became of the others.";
    View "view" ["v"], [TrashTab], 4, "view", "Tree or table", "Show the trash as the tree that it was, or as a table.";
    TrashAcross "trash-across" ["T"], [Panes], 5, "all trash", "Trash across spaces", "Show the trash of all spaces, or of the marked ones, in one table.";
    Preview "preview" ["p"], [Content, Across, InPreview], 6, "preview", "Preview", "Show the text of the page, blog post or trashed item under the cursor, or close it.";
    Export "export" ["E"], [Content, Across], 3, "export", "Export", "Write what is listed into a file, as CSV or NDJSON.";
    Copy "copy" ["y"], [Panes, Across], 2, "copy", "Copy", "Copy the key, title, id or address of this row.";
    Browse "browse" ["o"], [Panes, Across], 2, "browser", "Open in browser", "Open this row in a browser, or show its address.";
    SwitchProfile "switch-profile" ["@"], [Everywhere], 0, "", "Switch profile", "Open another profile of the configuration; nothing of this server stays on the screen.";
    Palette "palette" [":"], [Everywhere], 0, "", "Command palette", "Find any command by its name, with its key, and run it.";
    Help "help" ["?"], [Everywhere], 9, "help", "Help", "Show all keys, those of this pane first.";
    Log "log" ["L"], [Everywhere], 0, "", "Log", "Show what was logged and reported.";
    Refresh "refresh" ["r"], [Panes, Across], 3, "refresh", "Refresh", "Read this pane again; the cursor and marks stay.";
    Cancel "cancel" ["Esc"], [Everywhere], 0, "", "Cancel", "Stop what is loading, or clear the filter, or close the dialog.";
    Back "back" ["q"], [Everywhere], 1, "quit", "Back or quit", "Close the dialog, else go to the spaces, else quit.";
    Redraw "redraw" ["Ctrl-l"], [Everywhere], 0, "", "Redraw", "Draw the screen anew.";
    Suspend "suspend" ["Ctrl-z"], [Everywhere], 0, "", "Suspend", "Stop the program; fg brings it back.";
    Quit "quit" ["Ctrl-c"], [Everywhere], 0, "", "Quit", "Quit from anywhere.";
    Search "search" ["/"], [Reading], 7, "search", "Search", "Search in the text.";
    NextHit "next-hit" ["n"], [Reading], 5, "next", "Next hit", "Go to the next hit.";
    PreviousHit "previous-hit" ["N"], [Reading], 0, "", "Previous hit", "Go to the hit before.";
}

impl Action {
    /// Whether it is a step of the cursor in a list.
    pub fn is_step(self) -> bool {
        matches!(
            self,
            Self::Up
                | Self::Down
                | Self::Top
                | Self::Bottom
                | Self::PageUp
                | Self::PageDown
                | Self::HalfUp
                | Self::HalfDown
        )
    }

    /// Whether it does no more than move the cursor or the focus.
    pub fn is_motion(self) -> bool {
        self.is_step()
            || matches!(
                self,
                Self::Collapse
                    | Self::Expand
                    | Self::NextPane
                    | Self::PreviousPane
                    | Self::PaneSpaces
                    | Self::PaneDetail
                    | Self::PaneContent
                    | Self::PreviousTab
                    | Self::NextTab
                    | Self::NextHit
                    | Self::PreviousHit
            )
    }

    /// Its line in the table.
    pub fn verb(self) -> &'static Verb {
        VERBS
            .iter()
            .find(|verb| verb.action == self)
            .expect("because a test holds that every action has a verb")
    }
}

/// Whether a verb can run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Yes,
    /// It can't, for this reason: one sentence.
    No(String),
}

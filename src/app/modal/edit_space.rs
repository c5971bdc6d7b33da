//! The form that changes a space: name, description, homepage; a diff before it is saved.

use serde::Serialize;

use super::leave::Leaving;
use super::stack::Seen;
use super::{Modal, Outcome, is_esc};
use crate::app::expansions::Operation;
use crate::app::field::{Field, Lines};
use crate::app::form::{Control, Form, FormField, Note, Taken};
use crate::app::inflight::Waiter;
use crate::app::key::{Chord, Key};
use crate::app::layout::tallest;
use crate::app::list::{Cursor, Step};
use crate::app::message::{Effect, Size, Ticket};
use crate::app::modal::reading::folded;
use crate::app::model::Model;
use crate::app::pane::detail::EXPAND;
use crate::app::space_name;
use crate::confluence::call::{Depth, Window};
use crate::confluence::paging::Pager;
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, Page, Reply, ServerText, Space, SpaceKey,
};
use crate::jobs::{Act, Job, JobId, SpaceForm, SpaceTarget};
use crate::text::diff::{self, Change};
use crate::text::filter::Filter;
use crate::text::index::{Index, Progress, Scan};
use crate::text::number;

/// The fields, in order.
pub const NAME: usize = 0;
/// The description.
pub const DESCRIPTION: usize = 1;
/// The homepage.
pub const HOMEPAGE: usize = 2;

/// How many pages are read at once to pick from.
const PAGES: u64 = 200;

/// What stands in place of a description that the server did not tell.
const NOT_READ: &str = "not read: the server did not tell it, and it stays as it is";

/// What stands in place of what the server fails over.
const FAILS: &str = "not read: the server fails over it, and it stays as it is";

/// How many rows of pages are shown.
pub const PICKER_ROWS: usize = 10;

/// What is shown of the changes.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffView {
    /// All lines, with what each is.
    pub lines: Vec<(Mark, String)>,
    /// The first one in sight.
    pub from: usize,
    /// How many are in sight.
    pub rows: usize,
}

/// The pages to pick a homepage from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PagePicker {
    /// What is searched for.
    pub search: Field,
    /// The pages read so far.
    pub pages: Vec<(ContentId, String)>,
    /// What matches, best first.
    pub view: Vec<u32>,
    /// The cursor.
    pub cursor: Cursor,
    /// How far they are read.
    pub pager: Pager,
    /// Why they could not be read on.
    pub error: Option<ApiError>,
    #[serde(skip)]
    index: Index,
}

impl PagePicker {
    fn new() -> Self {
        Self {
            search: Field::new(Lines::One, ""),
            pages: Vec::new(),
            view: Vec::new(),
            cursor: Cursor::default(),
            pager: Pager::new(PAGES),
            error: None,
            index: Index::default(),
        }
    }

    fn refilter(&mut self) {
        self.view = match Filter::parse(&self.search.text(), &[]) {
            Ok(filter) if !filter.is_empty() => {
                let mut scan = Scan::new(&filter, &self.index);
                while scan.step(&self.index, usize::MAX) != Progress::Done {}
                scan.matches().to_vec()
            }
            _ => (0..u32::try_from(self.pages.len()).unwrap_or(u32::MAX)).collect(),
        };
        self.cursor.keep_in_view(self.view.len(), PICKER_ROWS);
    }

    fn add(&mut self, pages: Vec<Content>) {
        for page in pages {
            self.index.push(&page.title);
            self.pages.push((page.id, page.title.to_string()));
        }
        self.refilter();
    }

    /// How many pages there are to choose from: those that match, of those read so far.
    pub fn count(&self) -> String {
        let have = self.pages.len() as u64;
        let (_, total) = self.pager.progress();
        let all = match total {
            Some(total) => number::grouped(total.max(have)),
            None if self.pager.is_done() => number::grouped(have),
            None => format!("{}+", number::grouped(have)),
        };
        let shown = number::grouped(self.view.len() as u64);
        if self.search.is_empty() && self.pager.is_done() {
            number::count(have, "page")
        } else {
            format!("{shown} of {all}")
        }
    }

    /// The page under the cursor.
    pub fn chosen(&self) -> Option<&(ContentId, String)> {
        self.view
            .get(self.cursor.at)
            .and_then(|ix| self.pages.get(*ix as usize))
    }
}

/// How a line of the diff is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The name of a field.
    Label,
    /// As it was and is.
    Same,
    /// As it was.
    Removed,
    /// As it will be.
    Added,
    /// Something to know.
    Warning,
}

/// What the dialog shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Stage {
    /// The space is being read.
    Reading,
    /// It could not be read.
    Failed(ApiError),
    /// The form.
    Form,
    /// The pages to pick a homepage from.
    Picking(Box<PagePicker>),
    /// Old and new, before it is saved.
    Diff {
        /// Lines scrolled away.
        top: usize,
    },
}

/// The form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EditSpaceForm {
    /// Which space.
    pub key: SpaceKey,
    /// What is shown.
    pub stage: Stage,
    /// Its fields.
    pub form: Form,
    /// As it was when it was read.
    pub base: Option<SpaceForm>,
    /// The title of the homepage that it had.
    pub base_home: String,
    /// The homepage as chosen.
    pub homepage: Option<ContentId>,
    /// The expansions that the server fails over, so that what they bring was not read.
    pub unread: Vec<String>,
    /// What concerns no field.
    pub problem: Option<String>,
    /// The job that saves it; while it is at work the form waits.
    pub job: Option<JobId>,
    /// The visit to an editor that is under way.
    pub editing: Option<Ticket>,
}

impl EditSpaceForm {
    /// The form for a space that is still to be read.
    pub fn new(key: SpaceKey) -> Self {
        Self {
            key,
            stage: Stage::Reading,
            form: Form::new(vec![
                FormField::line("Name", ""),
                FormField::area("Description", ""),
                FormField::picked("Homepage", ""),
            ]),
            base: None,
            base_home: String::new(),
            homepage: None,
            unread: Vec::new(),
            problem: None,
            job: None,
            editing: None,
        }
    }

    /// Fills the form.
    pub(in crate::app) fn filled(
        &mut self,
        outcome: Result<Box<Space>, ApiError>,
        unread: Vec<String>,
    ) {
        if self.base.is_some() {
            return;
        }
        let fails = |expansion: &str| unread.iter().any(|one| one == expansion);
        match outcome {
            Err(error) => self.stage = Stage::Failed(error),
            Ok(space) => {
                let base = SpaceForm::of(&space);
                let home = space.more.as_ref().and_then(|more| more.homepage.as_ref());
                self.base_home = home
                    .map(|home| {
                        home.title
                            .clone()
                            .unwrap_or_else(|| format!("page {}", home.id))
                    })
                    .unwrap_or_default();
                self.homepage.clone_from(&base.homepage);
                let description = match &base.description {
                    Some(text) => FormField::area("Description", text),
                    // What nobody saw, nobody replaces.
                    None if fails("description.plain") => FormField::closed("Description", FAILS),
                    None => FormField::closed("Description", NOT_READ),
                };
                let homepage = if fails("homepage") {
                    FormField::closed("Homepage", FAILS)
                } else {
                    FormField::picked("Homepage", &self.base_home)
                };
                self.form = Form::new(vec![
                    FormField::line("Name", &base.name),
                    description,
                    homepage,
                ]);
                self.unread = unread;
                self.base = Some(base);
                self.stage = Stage::Form;
            }
        }
    }

    /// The space as the form has it. An untouched name or description stays as the server
    /// told it.
    pub fn mine(&self) -> Option<SpaceForm> {
        let base = self.base.as_ref()?;
        let text = self.form.fields[DESCRIPTION].text();
        let same = text == base.description.as_deref().unwrap_or_default();
        let same_page = self.homepage == base.homepage;
        let name = self.form.fields[NAME].text();
        Some(SpaceForm {
            name: if name == base.name.shown() {
                base.name.clone()
            } else {
                ServerText::new(name.trim())
            },
            description: if same {
                base.description.clone()
            } else {
                Some(text)
            },
            homepage: self.homepage.clone(),
            homepage_title: if same_page {
                base.homepage_title.clone()
            } else {
                Some(self.form.fields[HOMEPAGE].text())
            },
        })
    }

    /// Old and new at this width, field by field; only what differs.
    pub fn diff(&self, columns: usize) -> Vec<(Mark, String)> {
        let (Some(base), Some(mine)) = (&self.base, self.mine()) else {
            return Vec::new();
        };
        let mut lines: Vec<(Mark, String)> = Vec::new();
        let mut field = |label: &str, old: &str, new: &str| {
            if old == new {
                return;
            }
            if !lines.is_empty() {
                lines.push((Mark::Same, String::new()));
            }
            lines.push((Mark::Label, label.to_owned()));
            for piece in diff::lines(old, new) {
                let (sign, mark) = match piece.change {
                    Change::Same => (" ", Mark::Same),
                    Change::Removed => ("-", Mark::Removed),
                    Change::Added => ("+", Mark::Added),
                };
                for line in piece.text.lines() {
                    for part in folded(line, columns.saturating_sub(4).max(10)) {
                        lines.push((mark, format!("{sign} {part}")));
                    }
                }
            }
        };
        let text = |form: &SpaceForm| form.description.clone().unwrap_or_default();
        field("Name", &base.name, &mine.name);
        field("Description", &text(base), &text(&mine));
        if mine.homepage != base.homepage {
            let title = |title: &str| if title.is_empty() { "none" } else { title }.to_owned();
            let new = self.form.fields[HOMEPAGE].text();
            field("Homepage", &title(&self.base_home), &title(&new));
        }
        for field in &self.form.fields {
            if let Some(told) = field.told_left_out() {
                lines.push((Mark::Same, String::new()));
                let told = format!("{}: {told}", field.label);
                let told = folded(&told, columns.max(10)).into_iter();
                lines.extend(told.map(|line| (Mark::Warning, line)));
            }
        }
        if text(&mine).is_empty() && !text(base).is_empty() {
            lines.push((Mark::Same, String::new()));
            lines.push((Mark::Warning, "The description is cleared.".to_owned()));
        }
        lines
    }

    /// The diff in a window of this size.
    pub fn diff_view(&self, size: Size) -> DiffView {
        let lines = self.diff(diff_columns(size));
        let wide = usize::from(size.width.saturating_sub(2).min(82)).saturating_sub(6);
        let problem = self.problem.as_deref();
        let problem = problem.map_or(0, |problem| folded(problem, wide).len());
        let high = usize::from(tallest(size));
        // Borders and keys; where there is room, an empty line above and below.
        let around = if lines.len() + problem + 5 <= high {
            5
        } else {
            3
        };
        let rows = lines.len().min(high.saturating_sub(problem + around));
        let top = match self.stage {
            Stage::Diff { top } => top,
            _ => 0,
        };
        DiffView {
            from: top.min(lines.len().saturating_sub(rows)),
            rows,
            lines,
        }
    }

    /// Whether anything differs from the space as it was read.
    pub fn is_changed(&self) -> bool {
        self.base.is_some() && self.mine() != self.base
    }

    /// Puts what the server refused beside the field that it concerns.
    pub(in crate::app) fn refused(&mut self, why: &str) {
        self.job = None;
        self.stage = Stage::Form;
        let words = [
            ("homepage", HOMEPAGE),
            ("description", DESCRIPTION),
            ("name", NAME),
        ];
        self.problem = self.form.refused(why, &words);
    }
}

impl Model {
    /// Opens the form for a space, and reads the space for it.
    pub(in crate::app) fn edit_space(&mut self, key: SpaceKey, out: &mut Vec<Effect>) {
        self.inflight.ask(
            Waiter::EditSpace(key.clone()),
            Call::Space {
                key: key.clone(),
                expand: EXPAND.to_owned(),
            },
            self.now,
            out,
        );
        self.modals
            .push(Modal::EditSpace(Box::new(EditSpaceForm::new(key))));
    }

    pub(super) fn edit_space_key(
        &mut self,
        dialog: &mut EditSpaceForm,
        chord: Chord,
        seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        if dialog.job.is_some() {
            return if is_esc(chord) {
                self.jobs
                    .parked
                    .push(Modal::EditSpace(Box::new(dialog.clone())));
                Outcome::Close
            } else if chord.ctrl {
                Outcome::NotMine
            } else {
                Outcome::Stay
            };
        }
        match &mut dialog.stage {
            Stage::Reading => {
                return if is_esc(chord) {
                    self.inflight
                        .cancel(out, |w| matches!(w, Waiter::EditSpace(_)));
                    Outcome::Close
                } else if chord.ctrl {
                    Outcome::NotMine
                } else {
                    Outcome::Stay
                };
            }
            Stage::Failed(_) => {
                if chord.key == Key::Char('r') && !chord.ctrl {
                    let key = dialog.key.clone();
                    self.edit_space(key, out);
                    return Outcome::Close;
                }
                return if is_esc(chord) || chord.key == Key::Char('q') {
                    Outcome::Close
                } else {
                    Outcome::NotMine
                };
            }
            Stage::Picking(picker) => {
                match picked(picker, chord) {
                    Picked::Still => {}
                    Picked::Pass => return Outcome::NotMine,
                    Picked::Left => {
                        self.inflight
                            .cancel(out, |w| matches!(w, Waiter::PickPages(..)));
                        dialog.stage = Stage::Form;
                    }
                    Picked::Page(id, title) => {
                        self.inflight
                            .cancel(out, |w| matches!(w, Waiter::PickPages(..)));
                        dialog.homepage = Some(id);
                        dialog.form.fields[HOMEPAGE].control = Control::Picked { label: title };
                        dialog.form.fields[HOMEPAGE].note = Note::None;
                        dialog.stage = Stage::Form;
                    }
                }
                return Outcome::Stay;
            }
            Stage::Diff { .. } => {
                let view = dialog.diff_view(self.size);
                let (from, rows) = (view.from, view.rows.max(1));
                let last = view.lines.len().saturating_sub(view.rows);
                let Stage::Diff { top } = &mut dialog.stage else {
                    return Outcome::Stay;
                };
                if chord.typed() != Some('y') {
                    dialog.problem = None;
                }
                match chord.key {
                    Key::Char('y') if !chord.ctrl => return self.save_space(dialog, seen, out),
                    Key::Up | Key::Char('k') => *top = from.saturating_sub(1),
                    Key::Down | Key::Char('j') => {
                        *top = (from + 1).min(last).min(seen.read_from());
                    }
                    Key::PageUp => *top = from.saturating_sub(rows),
                    Key::PageDown => {
                        // Whatever comes faster than the pictures leaves nothing out.
                        *top = (from + rows).min(last).min(seen.read_from());
                    }
                    Key::Esc | Key::Char('n' | 'q' | 'e') => dialog.stage = Stage::Form,
                    Key::Char(_) if !chord.ctrl => {}
                    _ => return Outcome::NotMine,
                }
                return Outcome::Stay;
            }
            Stage::Form => {}
        }
        if is_esc(chord) {
            if dialog.is_changed() {
                self.modals.push(Leaving::Form.into());
                return Outcome::Stay;
            }
            return Outcome::Close;
        }
        if chord.ctrl && chord.key == Key::Char('s') {
            dialog.problem = None;
            if let Some(problem) = space_name::problem(dialog.form.fields[NAME].text().trim()) {
                dialog.form.problem(NAME, problem);
            } else if !dialog.is_changed() {
                dialog.problem = Some("Nothing is changed.".to_owned());
            } else {
                dialog.stage = Stage::Diff { top: 0 };
            }
            return Outcome::Stay;
        }
        if chord.ctrl && chord.key == Key::Char('e') {
            // The one field that is worth it, from wherever one is.
            let description = &dialog.form.fields[DESCRIPTION];
            if let Control::Closed { why } = &description.control {
                let why = if why == FAILS {
                    "The server fails over the description, so it can't be edited. It stays as it is."
                } else {
                    "The description was not read, so it can't be edited. Leave the form and open it once more to read it again."
                };
                dialog.problem = Some(why.to_owned());
                return Outcome::Stay;
            }
            dialog.form.focus = DESCRIPTION;
            let ticket = self.inflight.ticket();
            dialog.editing = Some(ticket);
            out.push(Effect::Edit {
                ticket,
                text: dialog.form.fields[DESCRIPTION].text(),
            });
            return Outcome::Stay;
        }
        match dialog.form.key(chord) {
            Taken::Changed => {
                dialog.problem = None;
                dialog.form.focused_mut().note = Note::None;
            }
            Taken::Moved => {}
            Taken::Entered if dialog.form.focus == HOMEPAGE => {
                dialog.stage = Stage::Picking(Box::new(PagePicker::new()));
                // The dialog is off the stack while it has the key: ask as its picker would.
                self.ask_pages(dialog, out);
            }
            Taken::Entered => {
                dialog.form.key(Chord::plain(Key::Tab));
            }
            Taken::No => return Outcome::NotMine,
        }
        Outcome::Stay
    }

    fn ask_pages(&mut self, dialog: &mut EditSpaceForm, out: &mut Vec<Effect>) {
        let key = dialog.key.clone();
        let Stage::Picking(picker) = &mut dialog.stage else {
            return;
        };
        for window in picker.pager.wanted(self.profile.concurrency) {
            let call = Call::SpaceContentOfKind {
                key: key.clone(),
                kind: ContentKind::Page,
                depth: Depth::All,
                expand: String::new(),
                window,
            };
            self.inflight
                .ask(Waiter::PickPages(key.clone(), window), call, self.now, out);
        }
    }

    /// Takes pages to pick from.
    pub(in crate::app) fn pages_came(
        &mut self,
        key: &SpaceKey,
        window: Window,
        outcome: Result<Page<Content>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let place = self
            .modals
            .iter()
            .position(|modal| matches!(modal, Modal::EditSpace(form) if form.key == *key));
        let Some(place) = place else { return };
        let Some(mut lifted) = self.modals.lift(place) else {
            return;
        };
        if let Modal::EditSpace(dialog) = &mut lifted.modal
            && let Stage::Picking(picker) = &mut dialog.stage
        {
            match outcome {
                Err(error) => picker.error = Some(error),
                Ok(page) => {
                    let accepted = picker.pager.accept(window, page, |page| page.id.as_str());
                    picker.add(accepted.fresh);
                    self.ask_pages(dialog, out);
                }
            }
        }
        self.modals.lay(place, lifted);
    }

    fn save_space(
        &mut self,
        dialog: &mut EditSpaceForm,
        seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        if let Err(missed) = seen.terms() {
            dialog.problem = Some(missed.told().to_owned());
            return Outcome::Stay;
        }
        if let Some(reason) = self.why_read_only() {
            dialog.problem = Some(reason);
            dialog.stage = Stage::Form;
            return Outcome::Stay;
        }
        let (Some(base), Some(mine)) = (dialog.base.clone(), dialog.mine()) else {
            return Outcome::Stay;
        };
        let mut target = self.target(Act::UpdateSpace);
        target.spaces.push(SpaceTarget {
            key: dialog.key.clone(),
            name: base.name.to_string(),
        });
        let head = self.head(format!("Change {}", dialog.key), target);
        let job =
            Job::update_space_without(head, dialog.key.clone(), base, mine, dialog.unread.clone());
        dialog.job = Some(job.head().id.clone());
        // The form must be in its place when the job's first news comes.
        self.modals.push(Modal::EditSpace(Box::new(dialog.clone())));
        self.begin_job(job, out);
        Outcome::Close
    }

    /// Takes the space for the form that waits for it.
    pub(in crate::app) fn space_for_form(
        &mut self,
        key: &SpaceKey,
        outcome: Result<Reply, ApiError>,
    ) {
        let outcome = outcome.and_then(|reply| match reply {
            Reply::Space(space) => Ok(space),
            _ => Err(crate::app::update::unexpected()),
        });
        let missing = self.inflight.expansions.missing(Operation::Space);
        let missing: Vec<String> = missing.map(str::to_owned).collect();
        for modal in &mut self.modals {
            if let Modal::EditSpace(form) = modal
                && form.key == *key
            {
                form.filled(outcome, missing);
                return;
            }
        }
    }
}

/// The columns of the text in a dialog on a screen of this size.
fn diff_columns(size: Size) -> usize {
    usize::from(size.width.saturating_sub(6).min(78))
}

enum Picked {
    Still,
    Left,
    Pass,
    Page(ContentId, String),
}

fn picked(picker: &mut PagePicker, chord: Chord) -> Picked {
    let step = match chord.key {
        Key::Up => Some(Step::Up),
        Key::Down => Some(Step::Down),
        Key::PageUp => Some(Step::PageUp),
        Key::PageDown => Some(Step::PageDown),
        _ => None,
    };
    if let Some(step) = step {
        picker.cursor.step(step, picker.view.len(), PICKER_ROWS);
        return Picked::Still;
    }
    match chord.key {
        Key::Esc => Picked::Left,
        Key::Enter => match picker.chosen() {
            Some((id, title)) => Picked::Page(id.clone(), title.clone()),
            None => Picked::Still,
        },
        _ => {
            if !picker.search.key(chord) {
                return Picked::Pass;
            }
            picker.cursor = Cursor::default();
            picker.refilter();
            Picked::Still
        }
    }
}

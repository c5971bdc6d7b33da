//! The one place where messages change the model. A router: what a key or an answer means is
//! said in the panes and modals.

use super::action::{Action, Availability};
use super::expansions::word;
use super::field::Field;
use super::inflight::{Retry, Settled, Waiter};
use super::jobs::Journal;
use super::key::{Chord, Company, Key, KeyPress};
use super::keymap::Found;
use super::layout::{Layout, Pane, WIDE, inside};
use super::list::{Cursor, Step};
use super::message::{Effect, LogLevel, LogLine, Millis, Msg, Stop, Ticket};
use super::modal::reading::{Reading, What};
use super::modal::spaces_filter::SpacesFilterForm;
use super::modal::{Modal, Over, is_esc};
use super::model::{Model, REST, Screen, Session};
use super::notice::Holds;
use super::pane::content::{Tab, TrashRead};
use super::pane::spaces::{Ended, FILTER_KEYS};
use super::remote::Remote;
use crate::confluence::{ApiError, Call, ContentKind, ErrorKind, Reply};
use crate::jobs::Act;

/// Lets `msg`, which happened at `at`, change the model; says what is to be done.
#[must_use]
pub fn update(model: &mut Model, at: Millis, msg: Msg) -> Vec<Effect> {
    let mut out = Vec::new();
    model.now = model.now.max(at);
    match msg {
        Msg::Key(press) => {
            model.typed_at = at;
            model.key(press, &mut out);
        }
        Msg::Paste(text) => {
            model.typed_at = at;
            model.paste(&text, &mut out);
        }
        Msg::Mouse(mouse) => {
            model.typed_at = at;
            model.mouse(mouse, &mut out);
        }
        Msg::Shown { picture, asked } => model.modals.shown(picture, asked, at),
        Msg::Status => model.modals.status_came(),
        Msg::Resized(size) => {
            model.size = size;
            model.resettle();
        }
        Msg::Pasting(lasts) => model.pasting = lasts,
        Msg::Clock => {}
        Msg::Reply {
            ticket,
            outcome,
            took_ms,
        } => model.answer(ticket, outcome, took_ms, &mut out),
        Msg::TakenFor(user) => model.taken_for(&user, &mut out),
        Msg::Retrying {
            ticket,
            error,
            attempt,
            wait_ms,
        } => {
            let until = model.now.plus(wait_ms);
            if let Some(awaited) = model.inflight.get(ticket) {
                model.session.heard(model.now, awaited.since, Some(&error));
            }
            model.inflight.retrying(
                ticket,
                Retry {
                    error,
                    until,
                    attempt,
                },
            );
        }
        Msg::Moved {
            ticket,
            done,
            total,
        } => model.job_moved(ticket, done, total, &mut out),
        // Another profile may have been opened while the embedded server started.
        Msg::Connected(_) if !model.profile.base_url.is_empty() => {}
        Msg::Connected(Ok(connected)) => {
            model.profile.base_url = connected.base_url;
            model.connect(&mut out);
        }
        Msg::Connected(Err(error)) => {
            model.say(LogLevel::Error, error);
        }
        Msg::Switched(Ok(switched)) => model.begin_anew(*switched, &mut out),
        Msg::Switched(Err(why)) => model.say(LogLevel::Error, why),
        Msg::Examined { ticket, finding } => model.examined(ticket, finding),
        Msg::Disk { ticket, outcome } if model.config_saved(ticket, &outcome, &mut out) => {}
        Msg::Disk { ticket, outcome } => {
            if let Some(outcome) = model.job_disk(ticket, outcome, &mut out) {
                model.disk_came(ticket, outcome, &mut out);
            }
        }
        Msg::Edited { ticket, outcome } => model.edited(ticket, outcome),
        Msg::Unopened { address, why } => model.unopened(&address, &why, &mut out),
        Msg::Logged(line) => {
            if line.level >= LogLevel::Warning {
                model.say(line.level, line.text);
            } else {
                model.keep(line);
            }
        }
        Msg::Stop(Stop::Terminated) => model.quit_now(130, &mut out),
        Msg::Stop(Stop::HungUp) => model.quit_now(1, &mut out),
    }
    model.apply_ahead(&mut out);
    model.pass_time(&mut out);
    model.note_view(&mut out);
    model.look_again();
    out
}

impl Model {
    /// What the clock alone brings about.
    fn pass_time(&mut self, out: &mut Vec<Effect>) {
        let now = self.now;
        self.drop_notices();
        if self.moved.is_some_and(|moved| now >= moved.plus(REST)) {
            self.follow_cursor(out);
        }
        self.look_up_key(out);
        if self.spaces.is_scanning() {
            let height = self.rows_of(Pane::Spaces);
            self.spaces.scan_slice(height);
        }
        self.tick_jobs(out);
        self.ask_over_form();
        self.work_on_content();
        self.ask_parents(out);
        self.drive_across(out);
        self.follow_with_preview(out);
        self.give_turn_up(out);
        self.quit_when_quiet(out);
    }

    /// Detail and content follow the cursor, which rests.
    pub(in crate::app) fn follow_cursor(&mut self, out: &mut Vec<Effect>) {
        self.moved = None;
        if let Some(key) = self.space_at_cursor().cloned() {
            self.show_detail(key.clone(), out);
            self.show_content(&key, out);
        }
    }

    /// Puts every cursor back into its window, after the size changed.
    pub(in crate::app) fn resettle(&mut self) {
        self.resettle_across();
        let spaces = self.rows_of(Pane::Spaces);
        let content = self.rows_of(Pane::Content);
        let len = self.spaces.len();
        self.spaces.cursor.keep_in_view(len, spaces);
        let trees = &mut self.content.trees;
        for outline in [&mut trees.pages, &mut trees.blog, &mut trees.trash] {
            let len = outline.tree.rows().len();
            outline.cursor.keep_in_view(len, content);
        }
    }

    /// Begins with a server: who we are comes first and alone, as several first requests with
    /// one bad password can lock the account.
    pub(in crate::app) fn connect(&mut self, out: &mut Vec<Effect>) {
        self.screen = Screen::Panes;
        self.across = None;
        self.session = Session {
            user: Remote::Loading {
                old: None,
                since: self.now,
            },
            server: Remote::Absent,
            access: None,
            round_trip: None,
            silent_since: None,
            heard_at: self.now,
            has_trash: None,
            lists_lie: false,
            open: false,
        };
        if self.jobs.journal == Journal::Unread && self.jobs.is_quiet() {
            self.recover_jobs(out);
        }
        self.recall_view(out);
        self.inflight
            .ask(Waiter::User, Call::CurrentUser, self.now, out);
    }

    pub(in crate::app) fn key(&mut self, press: KeyPress, out: &mut Vec<Effect>) {
        if press.chord
            == (Chord {
                ctrl: true,
                ..Chord::plain(Key::Char('c'))
            })
        {
            self.quit(130, out);
            return;
        }
        if self.layout() == Layout::TooSmall {
            self.unseen_key(press, out);
            return;
        }
        // Terminals send Alt-x as Esc and x: where nothing is bound to it, it means those. Who types
        // Esc and x in a hurry means them too.
        if press.chord.alt && !self.knows_alt(press.chord) {
            self.key(KeyPress::press(Chord::plain(Key::Esc)), out);
            let chord = Chord {
                alt: false,
                ..press.chord
            };
            let company = Company::Behind;
            self.key(
                KeyPress {
                    chord,
                    company,
                    ..press
                },
                out,
            );
            return;
        }
        if let Some(modal) = self.modals.last() {
            if modal.takes_keys() {
                self.modal_key(press, out);
            } else {
                self.verb_key(press, out);
            }
            return;
        }
        if self.across_typing() {
            self.across_filter_key(press.chord);
            return;
        }
        if self.preview.typing && self.preview_has_keys() {
            self.preview_search_key(press.chord);
            return;
        }
        if self.screen == Screen::Panes && self.typing_filter() {
            self.filter_key(press.chord, out);
            return;
        }
        if !self.keeps_for_list(press) {
            self.verb_key(press, out);
        }
    }

    /// Whether a chord with Alt means something here as such.
    fn knows_alt(&self, chord: Chord) -> bool {
        let types = match self.modals.last() {
            Some(modal) => modal.types_text(),
            None => self.is_typing(),
        };
        types && Field::knows_alt(chord)
            || self.keymap.find(self.contexts(), self.pending, chord) != Found::Nothing
    }

    /// Whether keys are letters of a text in a pane.
    fn is_typing(&self) -> bool {
        self.across_typing()
            || self.preview.typing && self.preview_has_keys()
            || self.screen == Screen::Panes && self.typing_filter()
            || !self.ahead.is_empty()
    }

    /// A key while nothing fits on the screen: only what changes nothing counts, as nobody sees what
    /// else it would do, nor what it would answer.
    fn unseen_key(&mut self, press: KeyPress, out: &mut Vec<Effect>) {
        let pending = self.pending.take();
        let found = self.keymap.find(self.contexts(), pending, press.chord);
        match found {
            Found::Action(action @ (Action::Redraw | Action::Suspend)) => self.act(action, out),
            Found::Action(Action::Back) if self.modals.is_empty() && !self.is_typing() => {
                self.quit(0, out);
            }
            _ => {}
        }
    }

    /// Looks a key up among the verbs and does what it means.
    pub(in crate::app) fn verb_key(&mut self, press: KeyPress, out: &mut Vec<Effect>) {
        let contexts = self.contexts();
        let pending = self.pending.take();
        match self.keymap.find(contexts, pending, press.chord) {
            Found::Action(action) => self.act(action, out),
            Found::Pending => self.pending = Some(press.chord),
            // Esc takes back the first key of two, and no more.
            Found::Nothing if pending.is_some() && is_esc(press.chord) => {}
            Found::Nothing if pending.is_some() => self.verb_key(press, out),
            Found::Nothing => self.welcome_key(press.chord, out),
        }
    }

    fn welcome_key(&mut self, chord: Chord, out: &mut Vec<Effect>) {
        let Screen::Welcome { chosen, .. } = &self.screen else {
            return;
        };
        if !self.modals.is_empty() {
            return;
        }
        match (chord.key, *chosen) {
            (Key::Char('c'), _) | (Key::Enter, 0) => self.set_up(),
            (Key::Char('d'), _) | (Key::Enter, 1) => {
                self.screen = Screen::Panes;
                "demo".clone_into(&mut self.profile.name);
                out.push(Effect::StartDemo);
            }
            (Key::Enter, 2) => self.act(Action::Help, out),
            (Key::Enter, _) => self.quit(0, out),
            _ => {}
        }
    }

    /// Does what a verb means now, or says why it can't.
    pub(in crate::app) fn act(&mut self, action: Action, out: &mut Vec<Effect>) {
        if !self.modals.is_empty() {
            // What lies below a dialog is out of reach.
            if !self.modal_verb(action, out)
                && let Some(over) = Over::of(action)
            {
                self.act_over(over, out);
            }
            return;
        }
        if self.preview_verb(action, out) {
            return;
        }
        if self.screen == Screen::Across && self.across_verb(action, out) {
            return;
        }
        if let Availability::No(reason) = self.availability(action) {
            if !reason.is_empty() {
                self.say_while(Holds::WhileUnavailable(action), LogLevel::Info, reason);
            }
            return;
        }
        match action {
            Action::Up => self.step(Step::Up, out),
            Action::Down => self.step(Step::Down, out),
            Action::Top => self.step(Step::Top, out),
            Action::Bottom => self.step(Step::Bottom, out),
            Action::PageUp => self.step(Step::PageUp, out),
            Action::PageDown => self.step(Step::PageDown, out),
            Action::HalfUp => self.step(Step::HalfUp, out),
            Action::HalfDown => self.step(Step::HalfDown, out),
            Action::Collapse => match self.focus {
                Pane::Spaces => {}
                Pane::Detail => self.focus_on(Pane::Spaces, out),
                Pane::Content => self.toggle_branch(Some(false), out),
            },
            Action::Expand => match self.focus {
                Pane::Spaces | Pane::Detail => self.focus_on(Pane::Content, out),
                Pane::Content => self.toggle_branch(Some(true), out),
            },
            Action::Open if self.screen == Screen::Across => self.act(Action::Preview, out),
            Action::Open => match self.focus {
                Pane::Spaces | Pane::Detail => self.focus_on(Pane::Content, out),
                // What has nothing below it is opened by its text.
                Pane::Content if self.content.is_leaf() => self.act(Action::Preview, out),
                Pane::Content => self.toggle_branch(None, out),
            },
            Action::NextPane => self.focus_on(self.focus.next(), out),
            Action::PreviousPane => self.focus_on(self.focus.previous(), out),
            Action::PaneSpaces => self.focus_on(Pane::Spaces, out),
            Action::PaneDetail => self.focus_on(Pane::Detail, out),
            Action::PaneContent => self.focus_on(Pane::Content, out),
            Action::PreviousTab => self.turn_tab(-1, out),
            Action::NextTab => self.turn_tab(1, out),
            Action::Filter => match self.focus {
                Pane::Spaces | Pane::Detail => self.spaces.filter.open(),
                Pane::Content => {
                    let height = self.rows_of(Pane::Content);
                    self.content.outline_mut().open_filter(height);
                    self.want_whole_trash(out);
                }
            },
            Action::Mark => {
                match self.focus {
                    Pane::Spaces | Pane::Detail => self.spaces.toggle_mark(),
                    Pane::Content => self.content.outline_mut().toggle_mark(),
                }
                self.step(Step::Down, out);
            }
            Action::MarkRange => match self.focus {
                Pane::Spaces | Pane::Detail => self.spaces.mark_range(),
                Pane::Content => self.content.outline_mut().mark_range(),
            },
            Action::MarkAll => match self.focus {
                Pane::Spaces | Pane::Detail => self.spaces.mark_all(),
                Pane::Content => {
                    self.content.outline_mut().mark_all();
                    self.want_whole_trash(out);
                    if self.content.is_trash()
                        && self.content.trees.trash_read != TrashRead::Complete
                    {
                        let marked = self.content.outline().marks.len() as u64;
                        let holds = self
                            .content
                            .space
                            .clone()
                            .map_or(Holds::Always, Holds::WhileUnread);
                        self.say_while(
                            holds,
                            LogLevel::Info,
                            format!(
                                "Not everything is read yet: {} marked. The rest is being read; ‹mark-all› again marks it too.",
                                if marked == 1 {
                                    "1 item is".to_owned()
                                } else {
                                    format!("{} items are", crate::text::number::grouped(marked))
                                }
                            ),
                        );
                    }
                }
            },
            Action::ClearMarks => match self.focus {
                Pane::Spaces | Pane::Detail => self.spaces.marks.clear(),
                Pane::Content => self.content.outline_mut().marks.clear(),
            },
            Action::Sort => {
                let menu = self.sort_menu();
                self.modals.push(Modal::Menu(menu));
            }
            Action::ServerFilter => {
                let form = SpacesFilterForm::new(&self.spaces.asked);
                self.modals.push(Modal::SpacesFilter(form));
            }
            Action::Trash => {
                if let Some(key) = self.space_at_cursor().cloned()
                    && self.focus == Pane::Spaces
                {
                    self.moved = None;
                    self.show_detail(key.clone(), out);
                    self.show_content(&key, out);
                }
                self.content.tab = Tab::Trash;
                self.focus_on(Pane::Content, out);
                self.load_trash(out);
                self.go_to_first_trashed();
            }
            Action::NewSpace => self.new_space(),
            Action::EditSpace => self.edit(out),
            Action::Archive => self.archive(out),
            Action::Delete => self.delete(out),
            Action::RestoreItems => self.on_items(Act::RestoreContent, out),
            Action::PurgeMarked => self.on_items(Act::PurgeMarked, out),
            Action::BackUp => self.on_items(Act::BackUp, out),
            Action::PurgeAll => self.purge_all(out),
            Action::BackUpSpace => self.back_up_spaces(out),
            Action::Backups => self.open_backups(out),
            Action::Unlock => self.unlock(out),
            Action::Jobs => self.open_jobs(out),
            Action::View => self.reshape_trash(),
            Action::TrashAcross => self.open_across(out),
            Action::Preview => self.open_preview(out),
            Action::Export => {
                let menu = self.export_menu();
                self.modals.push(Modal::Menu(menu));
            }
            Action::Copy => {
                if let Some(menu) = self.copy_menu() {
                    self.modals.push(Modal::Menu(menu));
                }
            }
            Action::Browse => {
                if let Some(url) = self.address() {
                    out.push(Effect::Open(url));
                }
            }
            Action::SwitchProfile => self.pick_profile(),
            Action::Palette => self.open_palette(),
            Action::Help => self.open_help(),
            Action::Log => self.open_log(),
            Action::Refresh => self.refresh(out),
            Action::Cancel => self.cancel(out),
            Action::Back => match (&self.screen, self.focus) {
                (Screen::Panes, Pane::Detail | Pane::Content) => self.focus_on(Pane::Spaces, out),
                (Screen::Panes, Pane::Spaces) | (Screen::Welcome { .. }, _) => self.quit(0, out),
                // The view takes this verb itself.
                (Screen::Across, _) => {}
            },
            Action::Redraw => out.push(Effect::Redraw),
            Action::Suspend => out.push(Effect::Suspend),
            Action::Quit => self.quit(130, out),
            Action::Search | Action::NextHit | Action::PreviousHit => {}
        }
    }

    pub(in crate::app) fn open_jobs(&mut self, out: &mut Vec<Effect>) {
        // What the notices said is told here too, and they would lie over it.
        self.toasts.clear();
        // A list that is open already is the one that is wanted; nothing that asks is closed for it.
        let open = self.modals.iter().rposition(|it| matches!(it, Modal::Jobs));
        if let Some(at) = open
            && self.modals.iter().skip(at + 1).all(|it| !it.asks())
        {
            while self.modals.len() > at + 1 {
                self.modals.pop();
            }
            return;
        }
        self.jobs.cursor = Cursor::default();
        self.modals.push(Modal::Jobs);
        self.look_at_jobs(out);
    }

    pub(in crate::app) fn open_help(&mut self) {
        // The key that opened it closes it.
        if self.reads_help() {
            self.modals.pop();
            return;
        }
        let here = self.contexts().to_vec();
        self.modals
            .push(Modal::Reading(Reading::new(What::Help(here))));
    }

    pub(in crate::app) fn open_log(&mut self) {
        self.toasts.clear();
        self.modals.push(Modal::Reading(Reading::new(What::Log)));
    }

    /// Whether a verb can run now, and if not, why.
    pub fn availability(&self, action: Action) -> Availability {
        let no = |reason: &str| Availability::No(self.spell(reason));
        let welcome = matches!(self.screen, Screen::Welcome { .. });
        match action {
            Action::Help
            | Action::Palette
            | Action::Log
            | Action::Jobs
            | Action::Back
            | Action::Redraw
            | Action::Suspend
            | Action::Quit
            | Action::Cancel => Availability::Yes,
            _ if action.is_step() => Availability::Yes,
            Action::NextHit | Action::PreviousHit if !self.is_searched() => {
                no("Nothing is searched for yet: ‹search› searches in the text.")
            }
            _ if welcome => no(""),
            Action::Open
            | Action::Mark
            | Action::MarkRange
            | Action::MarkAll
            | Action::Sort
            | Action::Filter
                if self.screen == Screen::Panes
                    && self.focus == Pane::Spaces
                    && self.spaces.load.is_none()
                    && self.spaces.table.is_empty() =>
            {
                Availability::No(self.why_no_spaces())
            }
            Action::ServerFilter if !self.session.open => no("No server has answered yet."),
            Action::Copy | Action::Browse | Action::Trash
                if self.screen == Screen::Panes && self.spaces.at_cursor().is_none() =>
            {
                no("There is no space under the cursor.")
            }
            Action::NewSpace
            | Action::EditSpace
            | Action::Archive
            | Action::Delete
            | Action::RestoreItems
            | Action::PurgeMarked
            | Action::PurgeAll
            | Action::BackUpSpace
                if self.why_read_only().is_some() =>
            {
                Availability::No(self.why_read_only().unwrap_or_default())
            }
            Action::RestoreItems | Action::PurgeMarked | Action::BackUp
                if self.screen == Screen::Panes
                    && self.content.trees.trash_read == TrashRead::Complete
                    && self.content.trees.trash.tree.items() == 0 =>
            {
                no("There is nothing in the trash of this space.")
            }
            // What was read of another space says nothing of this one.
            Action::PurgeAll
                if self.act_space().is_some()
                    && self.act_space() == self.shown_space()
                    && self.content.trees.trash_read == TrashRead::Complete
                    && self.content.trees.trash.tree.items() == 0 =>
            {
                no("There is nothing in the trash of this space.")
            }
            Action::NewSpace if !self.session.open => no("No server has answered yet."),
            Action::EditSpace
            | Action::Archive
            | Action::Delete
            | Action::PurgeAll
            | Action::BackUpSpace
                if self.act_space().is_none() =>
            {
                no("There is no space under the cursor.")
            }
            Action::SwitchProfile if self.profiles.is_empty() => {
                no("The configuration has no profiles. coracle --print-paths says where it is.")
            }
            Action::TrashAcross if self.spaces.table.is_empty() => no("No spaces are listed yet."),
            Action::Open if self.screen == Screen::Across => Availability::Yes,
            // Inside a space its items have nothing to be expanded.
            Action::Expand
                if self.screen == Screen::Across
                    && self
                        .across
                        .as_ref()
                        .is_some_and(|across| across.inside.is_some()) =>
            {
                no("")
            }
            Action::NextPane | Action::PreviousPane
                if self.screen == Screen::Across && !self.preview.is_open =>
            {
                no("")
            }
            // The preview fills the screen: there is nothing beside it.
            Action::NextPane | Action::PreviousPane
                if self.preview_has_keys() && self.size.width < WIDE =>
            {
                no("Nothing else is on the screen beside the preview.")
            }
            Action::Preview if self.screen == Screen::Across => {
                let is_item = self
                    .across
                    .as_ref()
                    .is_some_and(|across| across.item_at_cursor().is_some());
                if is_item {
                    Availability::Yes
                } else {
                    no("Look inside a space first: its items have texts.")
                }
            }
            Action::Export if self.screen == Screen::Across => {
                if self
                    .across
                    .as_ref()
                    .is_some_and(|across| across.listed_len() > 0)
                {
                    Availability::Yes
                } else {
                    no("There is nothing to export in this list.")
                }
            }
            Action::Copy | Action::Browse if self.screen == Screen::Across => {
                if self.across_subject().is_some() {
                    Availability::Yes
                } else {
                    no("There is nothing under the cursor.")
                }
            }
            Action::Preview if self.content.outline().node().is_none() => {
                no("There is nothing to preview under the cursor.")
            }
            Action::Export if self.content.outline().tree.items() == 0 => {
                no("There is nothing to export in this list.")
            }
            Action::ClearMarks if self.marks() == 0 => no("Nothing is marked."),
            Action::Refresh if self.profile.base_url.is_empty() => {
                no("The server is still starting.")
            }
            _ => Availability::Yes,
        }
    }

    /// Whether the pane that has the keys shows that it could not be read, and that `r` tries again.
    pub fn focus_failed(&self) -> bool {
        self.screen == Screen::Panes
            && match self.focus {
                Pane::Spaces => self.spaces_failure().is_some(),
                Pane::Detail => self.detail.value.error().is_some(),
                Pane::Content => self.content.outline().error.is_some(),
            }
    }

    /// Why the list of spaces could not be read, while nothing is done about it.
    pub fn spaces_failure(&self) -> Option<&ApiError> {
        match (&self.spaces.ended, self.session.user.error()) {
            (Ended::Failed(error), _) => Some(error),
            (Ended::Not, Some(error)) if self.spaces.load.is_none() => Some(error),
            (Ended::Not | Ended::Complete | Ended::Stopped, _) => None,
        }
    }

    /// Whether the list of spaces is in sight, with what keeps it from being read.
    fn shows_spaces(&self) -> bool {
        let is_drawn = match self.layout() {
            Layout::TooSmall => false,
            Layout::Panes { panes, .. } => !panes[Pane::Spaces as usize].is_empty(),
        };
        self.screen == Screen::Panes && self.modals.is_empty() && is_drawn
    }

    /// Keeps in the log why the list of spaces could not be read. It is a notice as well where the
    /// list, which tells it, is out of sight.
    fn say_of_spaces(&mut self, told: String) {
        if self.shows_spaces() {
            self.keep(LogLine {
                level: LogLevel::Error,
                text: self.spell(&told),
            });
        } else {
            self.say_while(Holds::WhileSpacesFail, LogLevel::Error, told);
        }
    }

    /// Why there is no space to do anything with: a list that was not read is no empty one.
    fn why_no_spaces(&self) -> String {
        let told = match (self.spaces_failure(), &self.spaces.ended) {
            (Some(error), _) if error.is_of_sign_in() => {
                format!("{} {}", error.told(), error.hint())
            }
            (Some(error), _) => match self.spaces.failed_filter(error) {
                Some(told) => format!("{told} {FILTER_KEYS}"),
                None => format!(
                    "The spaces were not read: {} ‹refresh› tries again.",
                    error.message
                ),
            },
            (None, Ended::Stopped) => "The reading was stopped. ‹refresh› reads on.".to_owned(),
            (None, Ended::Complete) if !self.spaces.shown.is_empty() => {
                "The server has no such space. ‹server-filter› changes what is asked for."
                    .to_owned()
            }
            (None, _) => "There are no spaces here yet.".to_owned(),
        };
        self.spell(&told)
    }

    /// Whether there is a search whose hits can be stepped through, in the text that is read.
    fn is_searched(&self) -> bool {
        let texts = self.modals.iter().rev().find_map(|modal| match modal {
            Modal::Reading(reading) => Some(&reading.search),
            _ => None,
        });
        !texts.unwrap_or(&self.preview.search).is_empty()
    }

    /// How many rows are marked in the pane that has the keys.
    pub fn marks(&self) -> usize {
        match self.focus {
            Pane::Spaces | Pane::Detail => self.spaces.marks.len(),
            Pane::Content => self.content.outline().marks.len(),
        }
    }

    pub(in crate::app) fn step(&mut self, step: Step, out: &mut Vec<Effect>) {
        if let Screen::Welcome { chosen, .. } = &mut self.screen {
            match step {
                Step::Up => *chosen = chosen.saturating_sub(1),
                Step::Down => *chosen = (*chosen + 1).min(3),
                _ => {}
            }
            return;
        }
        let height = self.rows_of(self.focus);
        match self.focus {
            Pane::Spaces => {
                self.view.take();
                if self.spaces.step(step, height) {
                    self.moved = Some(self.now);
                }
            }
            Pane::Detail => {
                let scroll = &mut self.detail.scroll;
                *scroll = match step {
                    Step::Up => scroll.saturating_sub(1),
                    Step::Down => *scroll + 1,
                    Step::Top => 0,
                    Step::Bottom => usize::from(u16::MAX),
                    Step::PageUp | Step::HalfUp => scroll.saturating_sub(height),
                    Step::PageDown | Step::HalfDown => *scroll + height,
                    Step::By(rows) => {
                        scroll.saturating_add_signed(isize::try_from(rows).unwrap_or(0))
                    }
                };
                let lines = super::pane::detail::lines(self, self.detail_width()).len();
                self.detail.scroll = self.detail.scroll.min(lines.saturating_sub(height));
            }
            Pane::Content => {
                self.content.outline_mut().step(step, height);
                self.read_ahead(out);
            }
        }
    }

    /// How many columns the text of the detail pane has.
    pub fn detail_width(&self) -> usize {
        match self.layout() {
            Layout::TooSmall => 1,
            Layout::Panes { panes, .. } => {
                usize::from(inside(panes[Pane::Detail as usize]).width.saturating_sub(2))
            }
        }
    }

    pub(in crate::app) fn focus_on(&mut self, pane: Pane, out: &mut Vec<Effect>) {
        if self.focus == Pane::Spaces && pane != Pane::Spaces && self.moved.is_some() {
            self.follow_cursor(out);
        }
        if pane == Pane::Detail && self.preview.is_open {
            self.close_preview(out);
        }
        self.focus = pane;
        self.resettle();
        if pane == Pane::Content {
            self.read_ahead(out);
        }
    }

    fn turn_tab(&mut self, by: isize, out: &mut Vec<Effect>) {
        let at = Tab::ALL
            .iter()
            .position(|tab| *tab == self.content.tab)
            .unwrap_or(0);
        let next = (at + 3).saturating_add_signed(by) % 3;
        self.show_tab(Tab::ALL[next], out);
    }

    /// Shows a tab, with the keys in it.
    pub(in crate::app) fn show_tab(&mut self, tab: Tab, out: &mut Vec<Effect>) {
        self.content.tab = tab;
        self.focus_on(Pane::Content, out);
        if self.content.is_trash() {
            self.load_trash(out);
        }
    }

    /// Filters and marks over the whole trash need all of it.
    fn want_whole_trash(&mut self, out: &mut Vec<Effect>) {
        if self.content.is_trash() {
            self.content.trees.want_all_trash = true;
            self.load_trash(out);
        }
    }

    fn refresh(&mut self, out: &mut Vec<Effect>) {
        if !self.session.open {
            self.inflight.cancel(out, |w| *w == Waiter::User);
            self.connect(out);
            return;
        }
        self.inflight.expansions.ask_anew();
        match self.focus {
            Pane::Spaces => self.load_spaces(out),
            Pane::Detail => self.load_detail(out),
            Pane::Content => self.reload_content(out),
        }
    }

    /// `Esc`: stop what loads, else clear the filter.
    fn cancel(&mut self, out: &mut Vec<Effect>) {
        if self.stay() {
            return;
        }
        let height = self.rows_of(self.focus);
        let did = match self.focus {
            Pane::Spaces => {
                (self.spaces.filter.is_shown() && self.spaces.clear_filter(height))
                    || self.stop_spaces(out)
            }
            Pane::Detail => self.stop_detail(out),
            Pane::Content => {
                let outline = self.content.outline_mut();
                (outline.filter.is_shown() && outline.clear_filter(height))
                    || self.stop_content(out)
            }
        };
        if did {
            return;
        }
        if self.inflight.is_empty() {
            self.toasts.clear();
        } else {
            self.stop_spaces(out);
            self.stop_detail(out);
            self.stop_content(out);
            // A job is cancelled as a whole, in its list, and never loses an answer.
            let stopped = self
                .inflight
                .cancel(out, |waiter| !matches!(waiter, Waiter::Job(..)));
            if stopped > 0 {
                self.session.user.abandon(self.now);
            }
        }
    }

    pub(in crate::app) fn typing_filter(&self) -> bool {
        match self.focus {
            Pane::Spaces => self.spaces.filter.typing,
            Pane::Detail => false,
            Pane::Content => self.content.outline().filter.typing,
        }
    }

    fn filter_key(&mut self, chord: Chord, out: &mut Vec<Effect>) {
        let height = self.rows_of(self.focus);
        let spaces = self.focus == Pane::Spaces;
        let line = if spaces {
            &mut self.spaces.filter
        } else {
            &mut self.content.outline_mut().filter
        };
        match (chord.key, chord.ctrl) {
            (Key::Esc, _) => {
                if spaces {
                    self.spaces.clear_filter(height);
                    self.moved = Some(self.now);
                } else {
                    self.content.outline_mut().clear_filter(height);
                }
            }
            (Key::Enter | Key::Tab, _) => {
                line.keep();
                if spaces {
                    self.spaces.at = self.spaces.at_cursor().map(|space| space.key.clone());
                    self.moved = Some(self.now);
                }
            }
            (Key::Up, _) => self.step(Step::Up, out),
            (Key::Down, _) => self.step(Step::Down, out),
            (Key::PageUp, _) => self.step(Step::PageUp, out),
            (Key::PageDown, _) => self.step(Step::PageDown, out),
            _ => {
                let before = line.text();
                let is_its = line.field.as_mut().is_some_and(|field| field.key(chord));
                if line.text() != before {
                    self.filter_typed(height);
                }
                // A chord that no text knows, such as the one that draws anew.
                if !is_its && chord.ctrl {
                    self.verb_key(KeyPress::press(chord), out);
                }
            }
        }
    }

    fn filter_typed(&mut self, height: usize) {
        if self.focus == Pane::Spaces {
            self.view.take();
            self.spaces.filter_changed(height);
            self.moved = Some(self.now);
        } else {
            let now = self.time(self.now);
            self.content
                .outline_mut()
                .filter_changed(height, now, &self.zone);
        }
    }

    fn paste(&mut self, text: &str, _out: &mut Vec<Effect>) {
        if self.layout() == Layout::TooSmall {
            // Nobody sees where it would go.
            return;
        }
        if !self.modals.is_empty() {
            self.modal_paste(text);
        } else if self.across_typing() {
            self.across_filter_paste(text);
        } else if self.screen == Screen::Panes && self.typing_filter() {
            let height = self.rows_of(self.focus);
            let spaces = self.focus == Pane::Spaces;
            let line = if spaces {
                &mut self.spaces.filter
            } else {
                &mut self.content.outline_mut().filter
            };
            if let Some(field) = &mut line.field {
                field.insert(text);
            }
            self.filter_typed(height);
        }
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        outcome: Result<Reply, ApiError>,
        took_ms: u64,
        out: &mut Vec<Effect>,
    ) {
        // An answer that nobody waits for any more is stale.
        let Some(awaited) = self.inflight.answer(ticket) else {
            return;
        };
        self.session
            .heard(self.now, awaited.since, outcome.as_ref().err());
        let Some(settled) = self.inflight.settle(awaited, outcome, self.now, out) else {
            return;
        };
        let Settled {
            waiter,
            outcome,
            missing,
        } = settled;
        if !missing.is_empty() {
            let words: Vec<&str> = missing.iter().map(|one| word(one)).collect();
            let they_are = if words.len() == 1 {
                "It is"
            } else {
                "They are"
            };
            self.say(
                LogLevel::Warning,
                format!(
                    "The server fails when it is asked for {}. {they_are} left out and shown as not read; ‹refresh› asks again.",
                    words.join(" and ")
                ),
            );
        }
        if outcome.is_ok() {
            self.session.round_trip = Some(took_ms);
        }
        match waiter {
            Waiter::User => self.user_came(outcome, out),
            Waiter::Server => match outcome {
                Ok(Reply::ServerInfo(info)) => self.session.server.settle(self.now, Ok(info)),
                // Older servers tell their version in another place.
                _ => {
                    self.inflight
                        .ask(Waiter::Manifest, Call::Manifest, self.now, out);
                }
            },
            Waiter::Manifest => {
                let outcome = outcome.and_then(|reply| match reply {
                    Reply::ServerInfo(info) => Ok(info),
                    _ => Err(unexpected()),
                });
                self.session.server.settle(self.now, outcome);
            }
            Waiter::AccessMode => {
                if let Ok(Reply::AccessMode(mode)) = outcome {
                    self.session.access = Some(mode);
                }
            }
            Waiter::Spaces(window) => {
                let failed = outcome.as_ref().err().cloned();
                self.spaces_came(window, spaces(outcome), out);
                if let Some(error) = failed {
                    let told = match self.spaces.failed_filter(&error) {
                        Some(told) => format!("{told} {FILTER_KEYS}"),
                        None => format!(
                            "The list of spaces could not be read: {} {}",
                            error.told(),
                            error.hint()
                        ),
                    };
                    self.say_of_spaces(told);
                }
            }
            Waiter::ArchivedSpaces(window) => self.archived_came(window, spaces(outcome), out),
            Waiter::Detail(key) => {
                let outcome = outcome.and_then(|reply| match reply {
                    Reply::Space(space) => Ok(space),
                    _ => Err(unexpected()),
                });
                self.detail_came(&key, outcome);
            }
            Waiter::Roots(key, _) => {
                let outcome = outcome.and_then(|reply| match reply {
                    Reply::SpaceContent(content) => Ok(content),
                    _ => Err(unexpected()),
                });
                self.roots_came(&key, outcome, out);
            }
            Waiter::MoreOfKind(key, kind, window) => {
                self.branch_came(&key, &kind, None, window, contents(outcome));
                self.read_ahead(out);
            }
            Waiter::Children(key, id, window) => {
                self.branch_came(
                    &key,
                    &ContentKind::Page,
                    Some(&id),
                    window,
                    contents(outcome),
                );
                self.read_ahead(out);
            }
            Waiter::Trash(key) => {
                let outcome = outcome.and_then(|reply| match reply {
                    Reply::Trash(page) => Ok(page),
                    _ => Err(unexpected()),
                });
                self.trash_came(&key, outcome, out);
            }
            Waiter::Job(id, request) => self.job_answered(&id, request, outcome, out),
            Waiter::Changed(key) => match outcome {
                Ok(Reply::Space(space)) => {
                    let height = self.rows_of(Pane::Spaces);
                    self.spaces.replace(&space, height);
                    if self.detail.space.as_ref() == Some(&key) {
                        self.detail.value.settle(self.now, Ok(space));
                    } else if self.jobs.newest().is_some_and(|job| {
                        let target = &job.head().target;
                        target.act == Act::CreateSpace
                            && target.spaces.iter().any(|space| space.key == key)
                    }) {
                        self.spaces.go_to(&key, height);
                        self.moved = Some(self.now);
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind == ErrorKind::NotFound => {
                    let height = self.rows_of(Pane::Spaces);
                    self.spaces.remove(&key, height);
                }
                Err(_) => {}
            },
            Waiter::KeyCheck(key) => self.key_was_checked(&key, &outcome, out),
            Waiter::EditSpace(key) => self.space_for_form(&key, outcome),
            Waiter::PickPages(key, window) => self.pages_came(&key, window, contents(outcome), out),
            Waiter::PlanTrash(key) => {
                let outcome = outcome.and_then(|reply| match reply {
                    Reply::Trash(page) => Ok(page),
                    _ => Err(unexpected()),
                });
                self.plan_trash_came(&key, outcome, out);
            }
            Waiter::PlanList(key, window) => {
                self.plan_list_came(&key, window, contents(outcome), out);
            }
            Waiter::PlanSpace(key) => {
                let outcome = outcome.and_then(|reply| match reply {
                    Reply::Space(space) => Ok(space.name.to_string()),
                    _ => Err(unexpected()),
                });
                self.plan_space_came(&key, outcome, out);
            }
            Waiter::Fact(key, fact) => {
                for modal in &mut self.modals {
                    if let Modal::Confirm(dialog) = modal {
                        dialog.learn(&key, fact, outcome.clone());
                    }
                }
            }
            Waiter::OldTrash(key, _, window) => {
                self.old_trash_came(&key, window, contents(outcome), out);
            }
            Waiter::Preview(id, form) => self.preview_came(&id, form, outcome, out),
            Waiter::Parent(key, id, asked) => self.parent_came(&key, id, asked, &outcome, out),
            Waiter::Across(key) => {
                let outcome = outcome.and_then(|reply| match reply {
                    Reply::Trash(page) => Ok(page),
                    _ => Err(unexpected()),
                });
                self.across_came(&key, outcome, out);
            }
            Waiter::AcrossList(key, window) => {
                self.across_list_came(&key, window, contents(outcome), out);
            }
        }
    }

    fn user_came(&mut self, outcome: Result<Reply, ApiError>, out: &mut Vec<Effect>) {
        let outcome = match outcome {
            Ok(Reply::CurrentUser(user)) => Ok(Some(user)),
            Ok(_) => Err(unexpected()),
            // Servers without this resource: the lists will tell whether we may read them.
            Err(error) if matches!(error.kind, ErrorKind::NoSuchOperation) => Ok(None),
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) => {
                let told = format!("Could not sign in: {error} {}", error.hint());
                self.say_of_spaces(told);
                self.session.user.settle(self.now, Err(error));
            }
            Ok(user) => {
                if let Some(user) = user {
                    if user.username.is_none() && self.profile.signs_in {
                        self.say(
                            LogLevel::Warning,
                            "The server took the request as anonymous: it did not accept the token. You see what \
                             everybody sees. Check the token and its expiry date.",
                        );
                    }
                    self.session.user.settle(self.now, Ok(user));
                } else {
                    self.session.user = Remote::Absent;
                }
                self.session.open = true;
                self.session.server.begin(self.now);
                self.inflight
                    .ask(Waiter::Server, Call::ServerInfo, self.now, out);
                self.inflight
                    .ask(Waiter::AccessMode, Call::AccessMode, self.now, out);
                self.load_spaces(out);
            }
        }
    }
}

fn spaces(
    outcome: Result<Reply, ApiError>,
) -> Result<crate::confluence::Page<crate::confluence::Space>, ApiError> {
    outcome.and_then(|reply| match reply {
        Reply::Spaces(page) => Ok(page),
        _ => Err(unexpected()),
    })
}

fn contents(
    outcome: Result<Reply, ApiError>,
) -> Result<crate::confluence::Page<crate::confluence::Content>, ApiError> {
    outcome.and_then(|reply| match reply {
        Reply::Contents(page) => Ok(page),
        _ => Err(unexpected()),
    })
}

/// `decode` pairs each call with its reply, so this answers a bug of ours, not of a server.
pub(in crate::app) fn unexpected() -> ApiError {
    ApiError {
        kind: ErrorKind::Malformed,
        message: "The answer is not one to this request.".to_owned(),
        status: None,
        details: Vec::new(),
    }
}

//! The loop: one thread owns the model and the terminal, and sleeps until something happens.
//!
//! All that waits is applied before anything is drawn, so a held key never piles up pictures.
//! Nothing is drawn when nothing has happened, and nothing wakes this thread while the core waits
//! for nothing.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ratatui::Terminal;
use rustix::process::{
    Pid, Signal, getpgid, getpid, getppid, getsid, kill_process, kill_process_group,
};
use rustix::termios::Termios;
use secrecy::SecretString;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use tokio::sync::oneshot;

use super::clock::Clock;
use super::disk::Disk;
use super::event::{Borrower, Event};
use super::folders::{Folders, JournalAccess};
use super::input::Input;
use super::lock::ProfileLock;
use super::perform::Perform;
use super::programs::{self, EditorVisit};
use super::query::{self, Answer, Asked, Question};
use super::record::Recorder;
use super::terminal::{self, Keyboard, MouseCapture};
use super::{clipboard, connection, crash, screen, signals};
use crate::app::message::{Effect, LogLevel, LogLine, Millis, Msg, Stop, Ticket};
use crate::app::model::{Model, Start, Switched};
use crate::app::update::update;
use crate::report::{Exit, Failure};
use crate::secret::{Lent, SecretError};
use crate::ui::draw;
use crate::ui::theme::{self, Depth, Glyphs, Ground, Theme};

/// How long what was asked of the disk may take at the end.
const DISK_LIMIT: Duration = Duration::from_secs(5);
/// How long messages are applied before a picture is owed, in milliseconds.
const PICTURE_OWED: u64 = 25;

/// A profile, ready to be worked with: its files are ours as far as they can be.
pub struct Opened {
    /// What the core begins with.
    pub switched: Switched,
    /// How the server is reached.
    pub target: Option<connection::Target>,
    /// Where things are kept.
    pub folders: Folders,
    /// Whether this process may write the journal.
    pub journal: JournalAccess,
    /// The lock of a folder that is this process's alone, where it is: that of a demo.
    pub hold: Option<ProfileLock>,
}

/// Opens the profile of this name; nothing is sent to its server yet. The error is a sentence.
pub type OpenProfile = Box<dyn FnMut(&str) -> Result<Opened, String>>;

/// All that a run is made of.
pub struct Session {
    /// The clock that read 0 when the program began.
    pub clock: Clock,
    /// What the core begins with.
    pub start: Start,
    /// What everything is drawn with.
    pub theme: Theme,
    /// What to draw with once the terminal has told how light it is; `None` where it is not asked.
    pub by_ground: Option<ByGround>,
    /// What the terminal is asked, once.
    pub question: Question,
    /// Whether the mouse is used.
    pub mouse: MouseCapture,
    /// Where things are kept.
    pub folders: Folders,
    /// Whether this process may write the journal.
    pub journal: JournalAccess,
    /// The folder for texts on their way to an editor.
    pub scratch: PathBuf,
    /// How the server is reached.
    pub target: Option<connection::Target>,
    /// The lock of a folder that is this process's alone, where it is: that of a demo.
    pub hold: Option<ProfileLock>,
    /// Opens another profile.
    pub open_profile: OpenProfile,
    /// Where the configuration is, or would be.
    pub config: PathBuf,
    /// Where everything is recorded, if it is.
    pub record: Option<Recorder>,
    /// Whether to panic, and when.
    pub crash: Crash,
}

/// The looks that follow the terminal's background.
#[derive(Clone, Copy, Debug)]
pub struct ByGround {
    /// How many colours there are.
    pub depth: Depth,
    /// The glyphs to draw with.
    pub glyphs: &'static Glyphs,
}

impl ByGround {
    fn theme(self, ground: Ground) -> Option<Theme> {
        let theme = theme::load(theme::auto_on(ground), self.depth).ok()?;
        Some(theme.with_glyphs(self.glyphs))
    }
}

/// Whether a run is to end in a panic, for the test of what that leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// A run like any other.
    Never,
    /// When the terminal gets another size.
    AtAnotherSize,
}

/// Runs until the end and says with which exit code.
pub fn run(session: Session) -> Result<u8, Failure> {
    let lost = |error: &io::Error| {
        Failure::new(Exit::Failed, "The terminal could not be used.").caused_by(error)
    };
    let (events, queue) = channel();
    signals::start(events.clone()).map_err(|error| lost(&error))?;
    terminal::enter(session.mouse).map_err(|error| lost(&error))?;
    let outcome = Shell::begin(session, events, queue).map(Shell::live);
    terminal::leave();
    outcome.map_err(|error| lost(&error))
}

type Screen = Terminal<super::writer::ThriftyBackend<terminal::Unbuffered>>;

struct Shell {
    clock: Clock,
    model: Model,
    theme: Theme,
    by_ground: Option<ByGround>,
    asked: Option<Asked>,
    /// How the terminal is to report keys while nothing depends on more.
    keyboard: Keyboard,
    screen: Screen,
    mouse: MouseCapture,
    queue: Receiver<Event>,
    events: Sender<Event>,
    input: Input,
    perform: Perform,
    /// Held until another profile is open, or the process is gone, however it ends.
    hold: Option<ProfileLock>,
    open_profile: OpenProfile,
    config: PathBuf,
    record: Option<Recorder>,
    scratch: PathBuf,
    visit: Option<Visit>,
    /// Who else wants the terminal, first come first.
    borrowers: VecDeque<Borrower>,
    /// A SIGCONT will come that was caused by our own stop.
    expected_back: bool,
    picture: Picture,
    /// Whether status reports are answered by the terminal itself.
    reports: bool,
    crash: Crash,
    end: Option<u8>,
}

/// Whether the screen shows the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Picture {
    Current,
    Owed,
}

/// Another program has the terminal.
struct Visit {
    visitor: Visitor,
    pid: Option<Pid>,
    /// The modes of the line that it found.
    modes: Option<Termios>,
}

/// Which program it is.
enum Visitor {
    /// An editor, on a text of ours.
    Editor(EditorVisit),
    /// A command that prints a secret, and who waits for that.
    Command(oneshot::Sender<Result<SecretString, SecretError>>),
}

impl Shell {
    fn begin(
        mut session: Session,
        events: Sender<Event>,
        queue: Receiver<Event>,
    ) -> io::Result<Self> {
        let size = session.start.size;
        if let Some(record) = &mut session.record {
            record.begin(&session.start)?;
        }
        let (model, effects) = Model::new(session.start);
        let mut screen = Terminal::new(screen::backend(size))?;
        screen.draw(|frame| draw(&model, &session.theme, frame))?;
        // The first picture is there: from here on things may take their time.
        let input = Input::start(events.clone(), session.clock)?;
        let question = session.question.bytes();
        terminal::write_all(&question)?;
        let asked = (!question.is_empty()).then(|| Asked::at(session.clock.now()));
        let disk = Disk::start(session.folders, session.journal, events.clone())?;
        crash::spare(disk.clone());
        let perform = Perform::start(disk, session.target, events.clone())?;
        let mut shell = Self {
            clock: session.clock,
            model,
            theme: session.theme,
            by_ground: session.by_ground,
            asked,
            keyboard: Keyboard::Plain,
            screen,
            mouse: session.mouse,
            queue,
            events,
            input,
            perform,
            hold: session.hold,
            open_profile: session.open_profile,
            config: session.config,
            record: session.record,
            scratch: session.scratch,
            visit: None,
            borrowers: VecDeque::new(),
            expected_back: false,
            picture: Picture::Current,
            reports: screen::answers_itself(|variable| std::env::var(variable).ok()),
            crash: session.crash,
            end: None,
        };
        shell.perform(effects);
        if terminal::size() != size {
            // It changed before anybody listened for that.
            shell.signal(SIGWINCH);
        }
        Ok(shell)
    }

    fn live(mut self) -> u8 {
        let code = loop {
            self.wait();
            if let Some(code) = self.end {
                break code;
            }
            if self.picture_is_owed() {
                self.show();
            }
            self.tell_keyboard();
        };
        if let Some(visit) = self.visit.take() {
            if let Some(pid) = visit.pid {
                let _ = kill_process(pid, Signal::TERM);
            }
            if let Some(modes) = visit.modes {
                terminal::set_modes(&modes);
            }
        }
        if code != Exit::Signal(SIGHUP as u8).code() {
            self.let_keys_go();
            self.hear_the_rest();
        }
        terminal::leave();
        self.perform.finish(DISK_LIMIT);
        code
    }

    /// Whether a picture is to be drawn before anything is waited for: what is told of one may change
    /// the next. Keys are taken in between, so that no picture that owes another keeps them out.
    fn picture_is_owed(&self) -> bool {
        self.picture == Picture::Owed && self.visit.is_none() && self.end.is_none()
    }

    /// Draws a picture. The core learns that it is written where that makes a difference.
    fn show(&mut self) {
        self.picture = Picture::Current;
        let unseen = self.model.unseen();
        let now = self.clock.now();
        let asked = unseen.is_some() && self.reports && self.model.modals.wants_report(now);
        let Self {
            screen,
            model,
            theme,
            ..
        } = self;
        if asked {
            screen.backend_mut().write_behind(query::STATUS);
        }
        if screen.draw(|frame| draw(model, theme, frame)).is_err() {
            return self.hang_up();
        }
        if let Some(picture) = unseen {
            // The write has ended.
            self.tell(self.clock.now(), Msg::Shown { picture, asked });
        }
    }

    /// Takes in an answer of the terminal that is still on its way: it would be typed into the
    /// shell that comes after us. What else arrives meanwhile comes too late to matter.
    fn hear_the_rest(&mut self) {
        let mut reports = self.model.modals.reports_owed();
        while let Some(until) = self.answers_owed(self.asked, reports)
            && self.clock.now() < until
        {
            match self.queue.recv_timeout(self.clock.until(until)) {
                Ok(Event::Report(report)) => self.heard(&report),
                Ok(Event::Status) => reports = reports.saturating_sub(1),
                Ok(Event::Gone | Event::Signal(_)) | Err(_) => return,
                Ok(
                    Event::Core(_)
                    | Event::Typed { .. }
                    | Event::EditorEnded { .. }
                    | Event::Lend(_)
                    | Event::Returned(_),
                ) => {}
            }
        }
    }

    /// Until when an answer of the terminal is to be waited for before it is given back, with so many
    /// status reports that have none yet.
    fn answers_owed(&self, asked: Option<Asked>, reports: usize) -> Option<Millis> {
        let question = asked.and_then(|asked| asked.owed());
        let report = self.model.modals.report_owed().filter(|_| reports > 0);
        question.max(report.map(|sent| sent.plus(query::PATIENCE)))
    }

    fn heard(&mut self, report: &termina::Event) {
        let now = self.clock.now();
        let answer = self
            .asked
            .as_mut()
            .and_then(|asked| asked.report(now, report));
        match answer {
            Some(Answer::Ground(ground)) => {
                let theme = self.by_ground.and_then(|looks| looks.theme(ground));
                if let Some(theme) = theme
                    && theme != self.theme
                {
                    self.theme = theme;
                    self.picture = Picture::Owed;
                }
            }
            Some(Answer::Keyboard) => {
                self.keyboard = Keyboard::Clear;
                self.input.escape_is_a_sequence();
            }
            None => {}
        }
    }

    /// Has keys reported as what is on top of the screen needs it.
    fn tell_keyboard(&mut self) {
        let wanted = if self.keyboard != Keyboard::Plain && self.model.minds_held_keys() {
            Keyboard::Held
        } else {
            self.keyboard
        };
        if self.visit.is_none() && terminal::set_keyboard(wanted).is_err() {
            self.hang_up();
        }
    }

    /// Stops the reports of keys that are let go, and takes in what the terminal still answers, before
    /// it goes to a shell, which would take them for something typed. What is typed meanwhile is kept.
    fn let_keys_go(&mut self) {
        let mut reports = self.model.modals.reports_owed();
        let mut asked = None;
        if terminal::reports_held_keys() {
            let quiet = terminal::set_keyboard(self.keyboard)
                .and_then(|()| terminal::write_all(query::CLASS))
                .is_ok();
            asked = quiet.then(|| Asked::at(self.clock.now()));
        }
        let mut kept = Vec::new();
        while let Some(until) = self.answers_owed(asked, reports)
            && self.clock.now() < until
        {
            match self.queue.recv_timeout(self.clock.until(until)) {
                Ok(Event::Report(report)) => {
                    if let Some(asked) = &mut asked {
                        asked.report(self.clock.now(), &report);
                    }
                    self.heard(&report);
                }
                Ok(Event::Status) => {
                    reports = reports.saturating_sub(1);
                    kept.push(Event::Status);
                }
                Ok(event @ (Event::Gone | Event::Signal(_))) => {
                    kept.push(event);
                    break;
                }
                Ok(event) => kept.push(event),
                Err(_) => break,
            }
        }
        for event in kept {
            let _ = self.events.send(event);
        }
    }

    /// Sleeps until something happens, unless a picture is owed, then applies all that has happened.
    fn wait(&mut self) {
        let first = match self.model.deadline() {
            _ if self.picture_is_owed() => self.queue.recv_timeout(Duration::ZERO),
            None => self
                .queue
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
            Some(deadline) => self.queue.recv_timeout(self.clock.until(deadline)),
        };
        let since = self.clock.now();
        let mut next = first.ok();
        while let Some(event) = next {
            self.take(event);
            if self.end.is_some() {
                return;
            }
            let busy = self.clock.now().since(since) > PICTURE_OWED;
            next = if busy {
                None
            } else {
                self.queue.try_recv().ok()
            };
        }
        let now = self.clock.now();
        if self
            .model
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.tell(now, Msg::Clock);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Core(msg) => self.tell(self.clock.now(), msg),
            Event::Typed { at, msg } => self.tell(at, msg),
            Event::Status => self.tell(self.clock.now(), Msg::Status),
            Event::Signal(signal) => self.signal(signal),
            Event::Gone => self.hang_up(),
            Event::Report(report) => self.heard(&report),
            Event::EditorEnded { ticket, status } => self.back_from_editor(ticket, status),
            Event::Lend(borrower) => {
                self.borrowers.push_back(borrower);
                self.lend();
            }
            Event::Returned(secret) => self.back_from_command(secret),
        }
    }

    fn tell(&mut self, at: Millis, msg: Msg) {
        if let Msg::Resized(size) = &msg {
            self.screen.backend_mut().resize(screen::cells(*size));
        }
        if let Some(record) = &mut self.record
            && let Err(error) = record.message(at, &msg)
        {
            self.record = None;
            self.log(
                LogLevel::Error,
                format!("The recording ends here, as it could not be written: {error}."),
            );
        }
        let effects = update(&mut self.model, at, msg);
        self.picture = Picture::Owed;
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { ticket, call } => self.perform.send(ticket, call),
                Effect::Cancel(ticket) => self.perform.cancel(ticket),
                Effect::CancelDisk(ticket) => self.perform.cancel_disk(ticket),
                Effect::Disk { ticket, call } => self.perform.disk(ticket, call),
                Effect::Edit { ticket, text } => self.edit(ticket, &text),
                Effect::Copy(text) => self.copy(&text),
                Effect::Open(address) => {
                    // Through the queue: an effect must not lead to the next one in the same breath.
                    let (events, of) = (self.events.clone(), address.clone());
                    let unopened = move |why: String| {
                        let why = crate::report::scrub(&why);
                        let _ = events.send(Event::Core(Msg::Unopened { address: of, why }));
                    };
                    let later = unopened.clone();
                    if let Err(why) = programs::open_in_browser(&address, self.clock, later) {
                        unopened(why);
                    }
                }
                Effect::StartDemo => self.perform.start_demo(),
                Effect::Switch(name) => {
                    if self.switch(&name) {
                        // What is left was asked for by a core that is gone.
                        return;
                    }
                }
                Effect::Examine { ticket, text } => {
                    self.perform.examine(ticket, text, self.config.clone());
                }
                Effect::SaveConfig { ticket, text } => {
                    self.perform.save_config(ticket, text, self.config.clone());
                }
                Effect::AllowWrites => self.perform.allow_writes(),
                Effect::Suspend => self.suspend(),
                Effect::Redraw => self.redraw(),
                Effect::Quit(code) => {
                    self.end.get_or_insert(code);
                }
            }
        }
    }

    /// Opens another profile instead of the one that is open, and says whether it did. The core
    /// learns of it before anything else happens, so that nothing meant for the old server can go
    /// to the new one.
    fn switch(&mut self, name: &str) -> bool {
        let outcome = (self.open_profile)(name).and_then(|opened| {
            let disk = Disk::start(opened.folders, opened.journal, self.events.clone())
                .map_err(|error| format!("The profile {name} can't be opened: {error}."))?;
            if !self
                .perform
                .turn_to(disk.clone(), opened.target, DISK_LIMIT)
            {
                return Err(format!(
                    "The profile {name} was not opened: the disk has not written yet what it was given. Try again in a moment."
                ));
            }
            crash::spare(disk);
            // The old lock goes here, after the last write to the old files.
            drop(std::mem::replace(&mut self.hold, opened.hold));
            tracing::info!(profile = name, "switched");
            Ok(Box::new(opened.switched))
        });
        let switched = outcome.is_ok();
        let msg = Msg::Switched(outcome.map_err(|why| crate::report::scrub(&why)));
        self.tell(self.clock.now(), msg);
        switched
    }

    fn log(&mut self, level: LogLevel, text: String) {
        // Through the queue: an effect must not lead to the next one in the same breath.
        let line = LogLine {
            level,
            text: crate::report::scrub(&text),
        };
        let _ = self.events.send(Event::Core(Msg::Logged(line)));
    }

    fn copy(&mut self, text: &str) {
        if self.visit.is_some() {
            return;
        }
        let through = screen::between(|variable| std::env::var(variable).ok());
        match clipboard::copy(text, through) {
            Ok(sequence) => {
                if terminal::write_all(&sequence).is_err() {
                    self.hang_up();
                }
            }
            Err(error) => self.log(LogLevel::Warning, format!("{error} {}", error.hint())),
        }
    }

    fn redraw(&mut self) {
        self.screen.backend_mut().invalidate();
        if self.visit.is_none() && self.screen.clear().is_err() {
            self.hang_up();
        }
        self.picture = Picture::Owed;
    }

    // The end.

    fn signal(&mut self, signal: i32) {
        match signal {
            SIGWINCH if self.crash == Crash::AtAnotherSize => {
                panic!("the crash that was asked for")
            }
            SIGWINCH => {
                let size = terminal::size();
                if size == self.model.size {
                    // It is told of its size without a change of it: somebody has attached it
                    // again, perhaps to a window that shows nothing yet.
                    self.redraw();
                }
                self.tell(self.clock.now(), Msg::Resized(size));
            }
            SIGTSTP => self.suspend(),
            SIGCONT if self.expected_back => self.expected_back = false,
            SIGCONT if self.visit.is_none() => self.take_terminal(),
            // Ctrl-C in an editor goes to everybody in the foreground and is meant for the editor.
            SIGINT if self.visit.is_some() => {}
            SIGINT | SIGTERM | SIGQUIT => self.stop(Stop::Terminated, signal),
            SIGHUP => self.stop(Stop::HungUp, signal),
            _ => {}
        }
    }

    fn hang_up(&mut self) {
        self.stop(Stop::HungUp, SIGHUP);
    }

    /// Lets the core save what it has to, and ends whatever it says.
    fn stop(&mut self, stop: Stop, signal: i32) {
        if self.end.is_none() {
            // The code tells of the signal, as shells have it.
            self.end = Some(Exit::Signal(u8::try_from(signal).unwrap_or(0)).code());
            self.tell(self.clock.now(), Msg::Stop(stop));
        }
    }

    // The terminal goes and comes back.

    fn suspend(&mut self) {
        // Where no shell waits for us, nobody could wake us up again.
        let alone = match (getsid(None), getppid()) {
            (Ok(session), Some(parent)) => {
                session == getpid() || getsid(Some(parent)) != Ok(session)
            }
            _ => true,
        };
        if alone {
            self.log(
                LogLevel::Warning,
                "There is no shell here to come back from, so nothing was suspended.".to_owned(),
            );
            return;
        }
        if self.visit.is_some() {
            // The editor has put the terminal in order; only we are to stop beside it.
            self.expected_back = true;
            let _ = kill_process(getpid(), Signal::STOP);
            return;
        }
        self.let_keys_go();
        self.input.pause();
        terminal::leave();
        self.expected_back = true;
        // All of the job, as Ctrl-z does: a program that started us and waits for us stops too.
        let _ = match getpgid(None) {
            Ok(group) => kill_process_group(group, Signal::STOP),
            Err(_) => kill_process(getpid(), Signal::STOP),
        };
        // Here we are again.
        self.take_terminal();
        self.input.resume();
    }

    fn take_terminal(&mut self) {
        if terminal::enter(self.mouse).is_err() {
            return self.hang_up();
        }
        self.redraw();
        self.tell(self.clock.now(), Msg::Resized(terminal::size()));
    }

    fn edit(&mut self, ticket: Ticket, text: &str) {
        if self.visit.is_some() {
            let outcome = Err("An editor is open already.".to_owned());
            let _ = self
                .events
                .send(Event::Core(Msg::Edited { ticket, outcome }));
            return;
        }
        let modes = self.give_terminal();
        match EditorVisit::start(&self.scratch, ticket, text) {
            Ok((editor, mut child)) => {
                let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                let events = self.events.clone();
                // The loop goes on meanwhile: answers arrive, a signal can end us.
                let waiter =
                    std::thread::Builder::new()
                        .name("editor".to_owned())
                        .spawn(move || {
                            let status = child.wait();
                            let _ = events.send(Event::EditorEnded { ticket, status });
                        });
                self.visit = Some(Visit {
                    visitor: Visitor::Editor(editor),
                    pid,
                    modes,
                });
                if let Err(error) = waiter {
                    self.back_from_editor(ticket, Err(error));
                }
            }
            Err(why) => {
                self.take_terminal_back(modes);
                let outcome = Err(why);
                let _ = self
                    .events
                    .send(Event::Core(Msg::Edited { ticket, outcome }));
            }
        }
    }

    fn back_from_editor(&mut self, ticket: Ticket, status: io::Result<std::process::ExitStatus>) {
        let Some(visit) = self.visit.take() else {
            return;
        };
        self.take_terminal_back(visit.modes);
        let Visitor::Editor(editor) = visit.visitor else {
            return;
        };
        let outcome = editor.finish(status);
        self.tell(self.clock.now(), Msg::Edited { ticket, outcome });
        self.lend();
    }

    /// Lends the terminal to the next command that wants it: it may ask something, and what is typed
    /// then is for it and not for us.
    fn lend(&mut self) {
        while self.visit.is_none()
            && let Some(Borrower { words, secret }) = self.borrowers.pop_front()
        {
            if secret.is_closed() {
                // Nobody waits for it any more.
                continue;
            }
            let modes = self.give_terminal();
            let started = Lent::start(&words).and_then(|lent| {
                let (pid, events) = (lent.pid(), self.events.clone());
                // The loop goes on meanwhile: answers arrive, a signal can end us.
                std::thread::Builder::new()
                    .name("command".to_owned())
                    .spawn(move || {
                        let _ = events.send(Event::Returned(lent.finish()));
                    })
                    .map(|_| pid)
                    .map_err(|error| SecretError::NotRun(error.to_string()))
            });
            match started {
                Ok(pid) => {
                    self.visit = Some(Visit {
                        visitor: Visitor::Command(secret),
                        pid: Some(pid),
                        modes,
                    });
                }
                Err(error) => {
                    self.take_terminal_back(modes);
                    // Who asked may have given up.
                    let _ = secret.send(Err(error));
                }
            }
        }
    }

    fn back_from_command(&mut self, secret: Result<SecretString, SecretError>) {
        let Some(visit) = self.visit.take() else {
            return;
        };
        self.take_terminal_back(visit.modes);
        if let Visitor::Command(waiting) = visit.visitor {
            // Who asked may have given up.
            let _ = waiting.send(secret);
        }
        self.lend();
    }

    /// Leaves the terminal to another program, and says in which modes.
    fn give_terminal(&mut self) -> Option<Termios> {
        self.input.pause();
        terminal::leave();
        terminal::modes()
    }

    /// Takes the terminal back from another program, which may have been killed before it put the
    /// modes of the line back.
    fn take_terminal_back(&mut self, modes: Option<Termios>) {
        if let Some(modes) = modes {
            terminal::set_modes(&modes);
        }
        self.take_terminal();
        self.input.resume();
    }
}

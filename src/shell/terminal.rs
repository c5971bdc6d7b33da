//! Takes the terminal over and gives it back as it was.
//!
//! The only place that changes its modes. [`leave`] may be called from any thread, at any time,
//! also when nothing was taken or the terminal is gone; only the first call after an [`enter`] does
//! something. It never waits for the terminal to take what is written for longer than the
//! terminal itself makes it.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Mutex;

use rustix::termios::{OptionalActions, Termios};

use crate::app::message::Size;

/// Whether the mouse is asked for; without it the terminal keeps its own selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseCapture {
    /// Clicks, drags and the wheel come to us.
    On,
    /// The mouse stays with the terminal.
    Off,
}

/// How a terminal that knows the kitty keyboard protocol is to report keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyboard {
    /// As terminals always did.
    Plain,
    /// Every key for what it is: Esc is no start of a sequence, so nothing waits for the rest of it.
    /// Letters are sent as ever, a byte each.
    Clear,
    /// And for every key, letters too, whether it is pressed, held down or let go, with the text that
    /// it types. Several bytes for each, so only while it matters.
    Held,
}

impl Keyboard {
    /// The flags of the protocol: 1 no doubt, 2 kinds of events, 8 for all keys, 16 with their text.
    fn flags(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Clear => 1,
            Self::Held => 1 + 2 + 8 + 16,
        }
    }
}

/// What is ours of the terminal.
struct Ours {
    /// The modes of the line as they were before.
    before: Termios,
    /// How keys are reported.
    keyboard: Keyboard,
}

/// `None` while the terminal is not ours.
static OURS: Mutex<Option<Ours>> = Mutex::new(None);

/// Alternate screen, no cursor, bracketed paste.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Buttons, drags, in the form that knows no border at column 223.
const MOUSE_ON: &str = "\x1b[?1002h\x1b[?1006h";
/// The keyboard as it was before. Each of the two screens has its own, so this comes before [`LEAVE`].
const KEYBOARD_BACK: &str = "\x1b[<u";
/// The end of a frame cut short, colours, scroll region, line wrap, mouse, paste, cursor, screen.
const LEAVE: &str =
    "\x1b[?2026l\x1b[m\x1b[r\x1b[?7h\x1b[?1006l\x1b[?1002l\x1b[?2004l\x1b[?25h\x1b[?1049l";

fn input() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

fn output() -> BorrowedFd<'static> {
    rustix::stdio::stdout()
}

/// Switches to raw mode and to the alternate screen. When the terminal is ours already, the modes
/// to go back to stay those that were found first.
pub fn enter(mouse: MouseCapture) -> io::Result<()> {
    let now = rustix::termios::tcgetattr(input())?;
    let mut raw = now.clone();
    raw.make_raw();
    // The modes to go back to are kept before they change: a signal may come in between.
    let keyboard = locked()
        .get_or_insert(Ours {
            before: now,
            keyboard: Keyboard::Plain,
        })
        .keyboard;
    rustix::termios::tcsetattr(input(), OptionalActions::Now, &raw)?;
    let mut text = ENTER.to_owned();
    if keyboard != Keyboard::Plain {
        // It may have been changed while we were stopped.
        text.push_str(&format!("\x1b[={}u", keyboard.flags()));
    }
    if mouse == MouseCapture::On {
        text.push_str(MOUSE_ON);
    }
    write_all(text.as_bytes())
}

/// Has keys reported in another way; only for terminals that have said that they can. Does nothing
/// while the terminal is not ours.
pub fn set_keyboard(keyboard: Keyboard) -> io::Result<()> {
    let before = match &mut *locked() {
        Some(ours) => std::mem::replace(&mut ours.keyboard, keyboard),
        None => return Ok(()),
    };
    let flags = keyboard.flags();
    let text = match (before, keyboard) {
        (before, keyboard) if before == keyboard => return Ok(()),
        (_, Keyboard::Plain) => KEYBOARD_BACK.to_owned(),
        (Keyboard::Plain, _) => format!("\x1b[>{flags}u"),
        _ => format!("\x1b[={flags}u"),
    };
    write_all(text.as_bytes())
}

/// Whether keys that are held down and let go are reported at this moment.
pub fn reports_held_keys() -> bool {
    locked()
        .as_ref()
        .is_some_and(|ours| ours.keyboard == Keyboard::Held)
}

/// Gives the terminal back as [`enter`] found it. A terminal that is gone is nothing to act on.
pub fn leave() {
    let Some(ours) = locked().take() else {
        return;
    };
    if ours.keyboard == Keyboard::Plain {
        let _ = write_all(LEAVE.as_bytes());
    } else {
        let _ = write_all([KEYBOARD_BACK, LEAVE].concat().as_bytes());
    }
    let _ = rustix::termios::tcsetattr(input(), OptionalActions::Now, &ours.before);
}

/// Puts back the modes of the line alone, without writing: for a terminal that takes no bytes.
pub fn leave_without_writing() {
    if let Some(ours) = locked().take() {
        let _ = rustix::termios::tcsetattr(input(), OptionalActions::Now, &ours.before);
    }
}

/// The modes of the line as they are now.
pub fn modes() -> Option<Termios> {
    rustix::termios::tcgetattr(input()).ok()
}

/// Puts the modes of the line back. A terminal that is gone is nothing to act on.
pub fn set_modes(modes: &Termios) {
    let _ = rustix::termios::tcsetattr(input(), OptionalActions::Now, modes);
}

/// Whether the terminal is ours at this moment.
pub fn is_entered() -> bool {
    locked().is_some()
}

/// The size that the terminal has now; 80×24 when it does not say.
pub fn size() -> Size {
    match rustix::termios::tcgetwinsize(output()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
            width: size.ws_col,
            height: size.ws_row,
        },
        _ => Size {
            width: 80,
            height: 24,
        },
    }
}

/// Writes to the terminal past every buffer.
pub fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(output(), bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Standard output without a buffer: a frame is one write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unbuffered;

impl io::Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn locked() -> std::sync::MutexGuard<'static, Option<Ours>> {
    // What it guards is whole at every moment, so a panic elsewhere does not spoil it.
    OURS.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

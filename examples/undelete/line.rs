//! A line that counts what goes over it, and can be cut.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::terminal::Outcome;

pub(crate) fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A piece that goes over the line, either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The piece of this number, counted from the first key of the deletion.
    Piece(u64),
    /// The first request of this kind.
    Asked(Request),
    /// The first piece after that, which mostly is the answer.
    After(Request),
}

/// Requests of one kind: those with the same method and path, but for numbers and names in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// Whether the space was deleted before.
    pub(crate) is_gone: bool,
    /// The method and the path.
    pub(crate) what: String,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Piece(number) => write!(f, "piece {number}"),
            Self::Asked(request) => write!(f, "{request}"),
            Self::After(request) => write!(f, "the answer to {request}"),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.is_gone {
            "after the deletion"
        } else {
            "before the deletion"
        };
        write!(f, "{} {when}", self.what)
    }
}

impl Request {
    /// What begins with this piece, if a request does.
    fn of(piece: &[u8], is_gone: bool) -> Option<Self> {
        let line = piece.split(|byte| *byte == b'\r').next()?;
        let line = str::from_utf8(line).ok()?.strip_suffix(" HTTP/1.1")?;
        let path = line.split(['?', '%']).next()?;
        let mut what = String::new();
        for part in path.split('/') {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            what.push_str(if is_number { "N" } else { part });
            what.push('/');
        }
        if let Some(at) = what.find("/download/attachments/") {
            what.truncate(at + "/download/attachments/".len());
        }
        Some(Self { is_gone, what })
    }
}

/// When something gets in the way, and what that is. It says whether the piece goes on.
type Armed = (Moment, Box<dyn FnOnce() -> bool + Send>);

/// A line that can be cut, and counts what goes over it.
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) count: AtomicU64,
    pub(crate) armed: Mutex<Option<Armed>>,
    /// The kinds of requests so far, in the order of the first of each.
    pub(crate) kinds: Mutex<Vec<Request>>,
    /// It drops after the piece that is on it.
    pub(crate) dropping: AtomicBool,
    closed: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    /// Deletions that the server has accepted.
    pub(crate) deletions: AtomicU64,
}

impl Wire {
    /// Listens for those who want to the server on this port. Says the address.
    pub(crate) fn listen(self: &Arc<Self>, server: u16) -> Outcome<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = format!("http://{}", listener.local_addr()?);
        let line = Arc::clone(self);
        thread::spawn(move || {
            for near in listener.incoming() {
                if line.closed.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(near) = near else { return };
                if let Ok(far) = TcpStream::connect(("127.0.0.1", server)) {
                    let _ = line.join(near, far);
                }
            }
        });
        Ok(address)
    }

    fn join(self: &Arc<Self>, near: TcpStream, far: TcpStream) -> std::io::Result<()> {
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        locked(&self.open).extend([near.try_clone()?, far.try_clone()?]);
        let pairs = [
            (near.try_clone()?, far.try_clone()?, true),
            (far, near, false),
        ];
        for (from, to, is_asking) in pairs {
            let line = Arc::clone(self);
            thread::spawn(move || line.pump(from, to, is_asking));
        }
        Ok(())
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, is_asking: bool) {
        let mut piece = vec![0; 65_536];
        while let Ok(read) = from.read(&mut piece) {
            let piece = &piece[..read];
            if read == 0 || !self.passes(piece, is_asking) || to.write_all(piece).is_err() {
                break;
            }
            // What a deletion is accepted with.
            if !is_asking && piece.starts_with(b"HTTP/1.1 202") {
                self.deletions.fetch_add(1, Ordering::SeqCst);
            }
            if self.dropping.swap(false, Ordering::SeqCst) {
                self.drop_all();
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Forgets what has gone over it.
    pub(crate) fn begins(&self) {
        self.count.store(0, Ordering::SeqCst);
        locked(&self.kinds).clear();
    }

    /// Counts a piece. Whether it goes on.
    fn passes(&self, piece: &[u8], is_asking: bool) -> bool {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let is_gone = self.deletions.load(Ordering::SeqCst) > 0;
        let request = is_asking.then(|| Request::of(piece, is_gone)).flatten();
        let strikes = {
            let mut armed = locked(&self.armed);
            let is_now = match &mut *armed {
                Some((Moment::Piece(at), _)) => number >= *at,
                Some((Moment::Asked(kind), _)) => request.as_ref() == Some(kind),
                Some((moment @ Moment::After(_), _)) => {
                    if Moment::After(request.clone().unwrap_or_default()) == *moment {
                        *moment = Moment::Piece(number + 1);
                    }
                    false
                }
                None => false,
            };
            armed.take_if(|_| is_now)
        };
        if let Some(request) = request {
            let mut kinds = locked(&self.kinds);
            if !kinds.contains(&request) {
                kinds.push(request);
            }
        }
        strikes.is_none_or(|(_, strike)| strike())
    }

    pub(crate) fn drop_all(&self) {
        for stream in locked(&self.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.drop_all();
    }
}

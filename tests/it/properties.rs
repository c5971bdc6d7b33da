//! What holds whatever happens: any sequence of keys, clicks, sizes, answers and ticks.

use coracle::app::key::{Chord, Key, KeyPress};
use coracle::app::message::{Millis, Mouse, Msg, Position, Size};
use coracle::app::modal::Modal;
use coracle::app::update;
use coracle::confluence::{Call, ErrorKind, Page, Reply};
use proptest::prelude::*;

use crate::story::{Story, error, wiki};

/// Something that happens, before it is known what is on its way.
#[derive(Clone, Debug)]
enum Happening {
    Key(Chord),
    Paste(String),
    Mouse(Mouse),
    Resize(u16, u16),
    /// Time passes, and the core is told if it wants to be.
    Clock(u64),
    /// The request at this place of those on their way is answered as it should be.
    Good(usize),
    /// Or refused.
    Refused(usize, u16),
    /// Or lost.
    Lost(usize),
    /// Or with rows of nothing.
    Empty(usize),
    /// Or with an answer to another request.
    Wrong(usize),
    /// It will be tried again.
    Retrying(usize),
    /// It is answered, and then once more.
    Twice(usize),
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        12 => prop::char::range('!', '~').prop_map(Key::Char),
        6 => prop::sample::select(vec!['j', 'k', 'g', 'G', 'h', 'l', 't', '/', ' ', 'V', '*', 's', 'f', 'r', '?', 'L', 'q', '3', '1', ']', '[']).prop_map(Key::Char),
        1 => prop::sample::select(vec!['日', 'é', '\u{200b}', '\u{202e}', '👩']).prop_map(Key::Char),
        6 => prop::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::Backspace, Key::Delete, Key::Insert, Key::Up,
            Key::Down, Key::Left, Key::Right, Key::Home, Key::End, Key::PageUp, Key::PageDown,
            Key::F(1),
        ]),
    ]
}

fn chord() -> impl Strategy<Value = Chord> {
    (key(), prop::bool::weighted(0.1), prop::bool::weighted(0.05)).prop_map(|(key, ctrl, alt)| {
        Chord {
            ctrl,
            alt,
            ..Chord::plain(key)
        }
    })
}

fn position() -> impl Strategy<Value = Position> {
    (0_u16..320, 0_u16..110).prop_map(|(x, y)| Position { x, y })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => chord().prop_map(Happening::Key),
        1 => "\\PC{0,12}".prop_map(Happening::Paste),
        2 => prop_oneof![
            position().prop_map(Mouse::Press),
            position().prop_map(Mouse::Drag),
            position().prop_map(Mouse::Release),
            (position(), -3_i8..=3).prop_map(|(at, by)| Mouse::Wheel(at, by)),
        ].prop_map(Happening::Mouse),
        2 => (0_u16..=300, 0_u16..=100).prop_map(|(w, h)| Happening::Resize(w, h)),
        4 => (0_u64..2_000).prop_map(Happening::Clock),
        10 => any::<usize>().prop_map(Happening::Good),
        1 => (any::<usize>(), prop::sample::select(vec![400_u16, 401, 403, 404, 405, 409, 429, 500, 503]))
            .prop_map(|(at, status)| Happening::Refused(at, status)),
        1 => any::<usize>().prop_map(Happening::Lost),
        1 => any::<usize>().prop_map(Happening::Empty),
        1 => any::<usize>().prop_map(Happening::Wrong),
        1 => any::<usize>().prop_map(Happening::Retrying),
        1 => any::<usize>().prop_map(Happening::Twice),
    ]
}

fn kind(status: u16) -> ErrorKind {
    match status {
        400 => ErrorKind::Invalid,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        405 => ErrorKind::NoSuchOperation,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited { after_ms: None },
        _ => ErrorKind::Server,
    }
}

/// A list without rows, whatever was asked for.
fn empty(call: &Call) -> Reply {
    fn page<T>() -> Page<T> {
        Page {
            results: Vec::new(),
            start: 0,
            limit: None,
            total: None,
            has_next: true,
        }
    }
    match call {
        Call::Spaces { .. } => Reply::Spaces(page()),
        _ => Reply::Contents(page()),
    }
}

fn answer(story: &mut Story, at: usize, with: impl Fn(&Call) -> crate::story::Answer) {
    if story.open.is_empty() {
        return;
    }
    let at = at % story.open.len();
    let (ticket, call) = story.open.remove(at).expect("one of them");
    story.happen(Msg::Reply {
        ticket,
        outcome: with(&call),
        took_ms: 42,
    });
}

fn happen(story: &mut Story, happening: &Happening) {
    match happening {
        Happening::Key(chord) => drop(story.press(KeyPress::press(*chord))),
        Happening::Paste(text) => story.happen(Msg::Paste(text.clone())),
        Happening::Mouse(mouse) => story.happen(Msg::Mouse(*mouse)),
        Happening::Resize(width, height) => story.happen(Msg::Resized(Size {
            width: *width,
            height: *height,
        })),
        Happening::Clock(ms) => {
            story.at += ms;
            story.happen(Msg::Clock);
        }
        Happening::Good(at) => answer(story, *at, wiki),
        Happening::Refused(at, status) => answer(story, *at, |_| {
            Err(error(kind(*status), *status, "The server said no."))
        }),
        Happening::Lost(at) => answer(story, *at, |_| {
            Err(error(ErrorKind::Lost, 0, "The line dropped."))
        }),
        Happening::Empty(at) => answer(story, *at, |call| Ok(empty(call))),
        Happening::Wrong(at) => answer(story, *at, |_| Ok(Reply::Done)),
        Happening::Retrying(at) => {
            if !story.open.is_empty() {
                let (ticket, _) = story.open[at % story.open.len()];
                story.happen(Msg::Retrying {
                    ticket,
                    error: error(ErrorKind::Server, 503, "Not now."),
                    attempt: 2,
                    wait_ms: 400,
                });
            }
        }
        Happening::Twice(at) => {
            if !story.open.is_empty() {
                let (ticket, call) = story.open[at % story.open.len()].clone();
                answer(story, *at, wiki);
                let before = story.model.clone();
                let late = Msg::Reply {
                    ticket,
                    outcome: wiki(&call),
                    took_ms: 1,
                };
                story.at += 1;
                let mut after = before.clone();
                let effects = update(&mut after, Millis(story.at), late);
                assert!(effects.is_empty(), "a stale answer asks for nothing");
                assert_eq!(
                    after.spaces, before.spaces,
                    "a stale answer changes nothing"
                );
                assert_eq!(
                    after.content, before.content,
                    "a stale answer changes nothing"
                );
            }
        }
    }
}

/// Whether the call destroys something.
fn destroys(call: &Call) -> bool {
    matches!(
        call,
        Call::DeleteSpace { .. } | Call::PurgeTrash { .. } | Call::PurgeContent { .. }
    )
}

fn check(story: &Story) {
    let model = &story.model;
    let rows = model.spaces.len();
    assert!(model.spaces.cursor.at < rows.max(1), "the list's cursor");
    assert!(model.spaces.cursor.top <= model.spaces.cursor.at);
    for outline in [
        &model.content.trees.pages,
        &model.content.trees.blog,
        &model.content.trees.trash,
    ] {
        let rows = outline.tree.rows().len();
        assert!(outline.cursor.at < rows.max(1), "a tree's cursor");
        assert!(outline.cursor.top <= outline.cursor.at);
    }
    // What is awaited is exactly what was sent and neither answered nor given up.
    assert_eq!(model.inflight.len(), story.open.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_breaks_the_core(
        answered in any::<bool>(),
        happenings in prop::collection::vec(happening(), 1..90),
    ) {
        let mut story = if answered { Story::browsing(120, 40) } else { Story::start(80, 24) };
        let mut confirmed = false;
        for (step, happening) in happenings.iter().enumerate() {
            let marks = story.model.spaces.marks.clone();
            let asked = story.model.modals.last().is_some_and(|modal| matches!(modal, Modal::Confirm(_)));
            confirmed |= asked && matches!(happening, Happening::Key(chord) if chord.key == Key::Enter);
            happen(&mut story, happening);
            check(&story);
            // Only a person changes marks, or a list without the marked space.
            if matches!(
                happening,
                Happening::Resize(..) | Happening::Clock(_) | Happening::Retrying(_) | Happening::Refused(..)
            ) {
                prop_assert_eq!(&story.model.spaces.marks, &marks);
            }
            prop_assert!(confirmed || !story.sent.iter().any(destroys), "destroyed without consent");
            if step % 8 == 0 {
                let _ = story.screen_of_any_text();
            }
        }
        let _ = story.screen_of_any_text();
    }
}

/// What can be on the screen.
fn states() -> Vec<Story> {
    let mut states = vec![Story::start(120, 40), Story::browsing(120, 40)];
    for keys in [
        "?", "s", "f", "L", "y", "n", "e", "D", "J", "/", "3 l", "2", "t Space", "t x", "t P",
    ] {
        let mut story = Story::browsing(120, 40);
        story.keys(keys).answer_all(&wiki);
        states.push(story);
    }
    states
}

#[test]
fn every_size_draws() {
    let mut sizes = Vec::new();
    // Every size about the smallest that works, then every width and every height at the borders.
    for width in 0..=45 {
        sizes.extend((0..=14).map(|height| (width, height)));
    }
    for width in 0..=300 {
        sizes.extend([0, 1, 9, 10, 11, 24, 100].map(|height| (width, height)));
    }
    for height in 0..=100 {
        sizes.extend([0, 1, 39, 40, 41, 99, 100, 101, 300].map(|width| (width, height)));
    }
    let mut states = states();
    let count = states.len();
    for (turn, (width, height)) in sizes.into_iter().enumerate() {
        // The sizes go round through the states, each time from another one.
        let story = &mut states[(turn * 7 + turn / count) % count];
        story.happen(Msg::Resized(Size { width, height }));
        let _ = story.screen_of_any_text();
        check(story);
    }
}

//! What lists cost as they grow: a frame, a step of the cursor, the order, the rows of a tree.
//!
//! A frame and a step cost what the window shows, whatever the list holds. Sorting and the rows of
//! a tree grow with the list (sorting by a little more: n log n).

use std::hint::black_box;

use coracle::app::key::{Chord, Key, KeyPress};
use coracle::app::keymap::Keymap;
use coracle::app::message::{Effect, Millis, Msg, Size, Ticket};
use coracle::app::pane::spaces::Sort;
use coracle::app::tree::Tree;
use coracle::app::{Model, Profile, Start, StartMode, Writes, update};
use coracle::confluence::{
    Call, Content, ContentId, ContentKind, ContentStatus, CurrentUser, Page, Reply, ServerText,
    Space, SpaceKey, SpaceKind, SpaceStatus,
};
use coracle::ui::theme::Theme;
use divan::Bencher;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const ROWS: [usize; 3] = [1_000, 10_000, 100_000];
const SIZE: Size = Size {
    width: 120,
    height: 40,
};

fn main() {
    divan::main();
}

fn spaces(from: usize, to: usize) -> Vec<Space> {
    (from..to)
        .map(|n| Space {
            id: Some(n as u64),
            // Spread, so that sorting has something to do.
            key: SpaceKey::new(format!("S{:06}", n * 7_919 % 1_000_003)),
            name: ServerText::new(format!("Space number {}", n * 104_729 % 1_000_003)),
            kind: SpaceKind::Global,
            status: Some(SpaceStatus::Current),
            more: None,
        })
        .collect()
}

/// A core with a list of `rows` spaces, read to its end.
fn model(rows: usize) -> Model {
    let (mut model, effects) = Model::new(Start {
        size: SIZE,
        wall: jiff::Timestamp::UNIX_EPOCH,
        zone: jiff::tz::TimeZone::UTC,
        mode: StartMode::Connect,
        profile: Profile {
            name: "bench".to_owned(),
            base_url: "https://wiki.example.com".to_owned(),
            color: None,
            signs_in: false,
            banner: None,
            concurrency: 4,
        },
        writes: Writes::Allowed,
        keymap: Keymap::default(),
        notice: None,
        profiles: Vec::new(),
    });
    let mut open: Vec<(Ticket, Call)> = sent(effects).collect();
    while let Some((ticket, call)) = open.pop() {
        let reply = match call {
            Call::CurrentUser => Reply::CurrentUser(CurrentUser {
                username: None,
                display_name: "Anonymous".to_owned(),
            }),
            Call::Spaces { window, .. } => {
                let from = (window.start as usize).min(rows);
                let to = (from + window.limit as usize).min(rows);
                Reply::Spaces(Page {
                    results: spaces(from, to),
                    start: window.start,
                    limit: Some(window.limit),
                    total: Some(rows as u64),
                    has_next: to < rows,
                })
            }
            _ => continue,
        };
        let msg = Msg::Reply {
            ticket,
            outcome: Ok(reply),
            took_ms: 1,
        };
        open.extend(sent(update(&mut model, Millis(1), msg)));
    }
    assert_eq!(model.spaces.len(), rows, "the list is there");
    model
}

fn sent(effects: Vec<Effect>) -> impl Iterator<Item = (Ticket, Call)> {
    effects.into_iter().filter_map(|effect| match effect {
        Effect::Send { ticket, call } => Some((ticket, call)),
        _ => None,
    })
}

#[divan::bench(args = ROWS)]
fn draw_a_frame(bencher: Bencher, rows: usize) {
    let model = model(rows);
    let theme = Theme::auto();
    let mut terminal = Terminal::new(TestBackend::new(SIZE.width, SIZE.height)).expect("a backend");
    bencher.bench_local(|| {
        terminal
            .draw(|frame| coracle::ui::draw(&model, &theme, frame))
            .expect("a backend that takes any frame");
    });
}

#[divan::bench(args = ROWS)]
fn step_the_cursor(bencher: Bencher, rows: usize) {
    let mut model = model(rows);
    let down = Msg::Key(KeyPress::press(Chord::plain(Key::Down)));
    bencher.bench_local(|| black_box(update(&mut model, Millis(2), down.clone())));
}

#[divan::bench(args = ROWS, sample_count = 20)]
fn sort_the_list(bencher: Bencher, rows: usize) {
    let mut model = model(rows);
    let mut orders = Sort::ALL.iter().map(|(sort, _)| *sort).cycle().skip(1);
    bencher.bench_local(|| {
        let sort = orders.next().unwrap_or_default();
        model.spaces.set_sort(sort, 36);
    });
}

/// Trees of ten branches a level: `rows` pages in all.
fn pages(rows: usize) -> Tree {
    let page = |n: usize| Content {
        id: ContentId::new(n.to_string()),
        kind: ContentKind::Page,
        status: Some(ContentStatus::Current),
        title: ServerText::new(format!("Page {n}")),
        has_children: Some(true),
        space: None,
        version: None,
        ancestors: None,
        position: None,
        more: None,
    };
    let mut tree = Tree::default();
    let tops = rows / 10;
    tree.add(None, (0..tops).map(page).collect());
    for top in 0..tops {
        if let Some(ix) = tree.find(&ContentId::new(top.to_string())) {
            let from = tops + top * 9;
            tree.add(Some(ix), (from..from + 9).map(page).collect());
            tree.set_expanded(ix, true);
        }
    }
    tree
}

#[divan::bench(args = ROWS, sample_count = 20)]
fn build_the_rows_of_a_tree(bencher: Bencher, rows: usize) {
    bencher
        .with_inputs(|| pages(rows))
        .bench_local_values(|mut tree| {
            tree.finish(Millis(3));
            black_box(tree.rows().len())
        });
}

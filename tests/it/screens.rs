//! Snapshots of every pane, dialog and state, at the sizes that people have.

use std::num::NonZeroU16;

use coracle::app::message::LogLevel;
use coracle::app::{StartMode, Writes};
use coracle::confluence::{Call, ErrorKind, Reply, SpaceKey};

use coracle::shell::writer::{ThriftyBackend, Traits};
use coracle::ui::theme::{self, Depth, Theme};
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use crate::story::{Story, content, error, page, wiki};

/// The usual sizes, from the smallest that works.
const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 40), (200, 60)];

pub(crate) fn at_every_size(name: &str, tell: impl Fn(u16, u16) -> Story) {
    for (width, height) in SIZES {
        let story = tell(width, height);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), story.screen());
        });
    }
}

#[test]
fn welcome() {
    at_every_size("welcome", |width, height| {
        let mode = StartMode::Welcome {
            config_path: "~/.config/coracle/config.toml".to_owned(),
        };
        Story::with(width, height, mode, Writes::Allowed)
    });
}

#[test]
fn starting() {
    at_every_size("starting", Story::start);
}

#[test]
fn browsing() {
    at_every_size("browsing", Story::browsing);
}

#[test]
fn detail() {
    at_every_size("detail", |width, height| {
        let mut story = Story::browsing(width, height);
        story.keys("2");
        story
    });
}

#[test]
fn tree() {
    at_every_size("tree", |width, height| {
        let mut story = Story::browsing(width, height);
        story.keys("3 l").answer_all(&wiki);
        story.keys("j j");
        story
    });
}

#[test]
fn trash() {
    at_every_size("trash", |width, height| {
        let mut story = Story::browsing(width, height);
        story.keys("t").answer_all(&wiki);
        story.keys("Space Space");
        story
    });
}

#[test]
fn empty_trash() {
    at_every_size("trash-empty", |width, height| {
        let mut story = Story::browsing(width, height);
        story.keys("t").answer_all(&|call| match call {
            Call::Trash { .. } => Ok(Reply::Trash(coracle::confluence::CursorPage {
                results: Vec::new(),
                next: None,
                total: Some(0),
            })),
            other => wiki(other),
        });
        story
    });
}

#[test]
fn failures() {
    at_every_size("failed", |width, height| {
        let mut story = Story::start(width, height);
        story.answer(wiki(&Call::CurrentUser));
        let failed = || {
            error(
                ErrorKind::Server,
                503,
                "wiki.example.com answers 503: the service is not available.",
            )
        };
        story.answer_all(&|call| match call {
            Call::Spaces { .. } => Err(failed()),
            other => wiki(other),
        });
        story
    });
}

#[test]
fn filter_without_match() {
    at_every_size("filter-nothing", |width, height| {
        let mut story = Story::browsing(width, height);
        story.keys("/").types("zzzz");
        story
    });
}

#[test]
fn dialogs() {
    for (name, keys) in [
        ("help", "?"),
        ("sort", "s"),
        ("server-filter", "f Tab Tab"),
        ("copy", "y"),
        ("log", "L"),
        ("palette", ": Down Down"),
        ("palette-search", ": p u r g"),
    ] {
        at_every_size(name, |width, height| {
            let mut story = Story::browsing(width, height);
            story.keys(keys);
            story
        });
    }
}

/// Spaces and pages with names that are hard to keep in their columns.
fn with_hard_names(width: u16, height: u16) -> Story {
    let names = [
        "日本語の港湾局とその長い名前のスペース",
        "👩‍👩‍👧‍👦 family ❤️ and 🏴‍☠️ pirates",
        "עברית and العربية in one row",
        "Việt Nam, e\u{301}cole, ẅïḋë",
        "a very long name that never ends and never ends and never ends and never ends and never ends",
    ];
    let mut story = Story::start(width, height);
    story.answer_all(&|call| match call {
        Call::Spaces { window, .. } => {
            let all: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(n, name)| {
                    let key = format!("K{n}");
                    crate::story::space(&key, name, coracle::confluence::SpaceStatus::Current)
                })
                .collect();
            Ok(Reply::Spaces(page(&all, *window)))
        }
        Call::SpaceContent { .. } => {
            let pages: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(n, name)| content(&n.to_string(), name, 7, n % 2 == 0))
                .collect();
            let window = coracle::confluence::call::Window {
                start: 0,
                limit: 50,
            };
            Ok(Reply::SpaceContent(
                coracle::confluence::SpaceContent::ByType {
                    page: page(&pages, window),
                    blogpost: page(&[], window),
                },
            ))
        }
        Call::Space { key, .. } if *key == SpaceKey::new("K0") => Err(error(
            ErrorKind::Forbidden,
            403,
            "You may not see this space.",
        )),
        other => wiki(other),
    });
    story
}

#[test]
fn hard_names() {
    at_every_size("hard-names", with_hard_names);
}

#[test]
fn hard_names_leave_the_borders_where_they_are() {
    for (width, height) in SIZES {
        let mut story = with_hard_names(width, height);
        for keys in ["", "j", "j", "j", "j", "Tab Tab", "j", "j", "s", "Esc"] {
            story.keys(keys);
            let screen = on_a_terminal(&story);
            let at = |x, y| screen.cell(y, x).map_or("", |cell| cell.contents());
            for x in 0..width {
                let Some(top) = (0..height).find(|y| at(x, *y).starts_with(['╭', '╮'])) else {
                    continue;
                };
                let below = (top + 1..height).map(|y| at(x, y));
                let until = below.take_while(|cell| !cell.starts_with(['╰', '╯']));
                for (row, cell) in until.enumerate() {
                    // A dialog's own border may cross it.
                    assert!(
                        cell.starts_with(['│', '┃', '╭', '╮', '─'])
                            || !story.model.modals.is_empty(),
                        "{width}×{height}, after {keys:?}: {cell:?} in column {x}, row {row}:\n{}",
                        screen.contents()
                    );
                }
            }
        }
    }
}

#[test]
fn a_dialog_over_hard_names_is_whole() {
    // Wherever its left edge cuts the letters below it.
    for width in 60..120 {
        let height = 12;
        let mut story = with_hard_names(width, height);
        for keys in ["j s", "Esc y"] {
            story.keys(keys);
            let screen = on_a_terminal(&story);
            let at = |x, y| screen.cell(y, x).map_or("", |cell| cell.contents());
            let tops = (2..height).flat_map(|y| (1..width).map(move |x| (x, y)));
            let (x, top) = tops
                .filter(|(x, y)| at(*x, *y) == "╭")
                .find(|(x, _)| at(*x, 1) != "╭")
                .unwrap_or_else(|| panic!("no dialog:\n{}", screen.contents()));
            for row in screen.rows(0, width) {
                let mut open = 0_i32;
                for c in row.chars() {
                    open += i32::from(c == '\u{2068}') - i32::from(c == '\u{2069}');
                    assert!(open >= 0, "{width}×{height}, after {keys:?}: {row:?}");
                }
                assert_eq!(open, 0, "{width}×{height}, after {keys:?}: {row:?}");
            }
            let edge: Vec<_> = (top + 1..height).map(|y| at(x, y)).collect();
            let end = edge.iter().position(|cell| *cell != "│");
            assert_eq!(
                end.map(|end| edge[end]),
                Some("╰"),
                "{width}×{height}, after {keys:?}:\n{}",
                screen.contents()
            );
        }
    }
}

/// What a terminal shows once our writer has sent it the picture.
fn on_a_terminal(story: &Story) -> vt100::Screen {
    let (width, height) = (story.model.size.width, story.model.size.height);
    let backend = ThriftyBackend::with_size(
        Vec::new(),
        Traits::new(Depth::True),
        ratatui::layout::Size::new(width, height),
    );
    let mut terminal = ratatui::Terminal::new(backend).expect("a backend in memory");
    terminal
        .draw(|frame| coracle::ui::draw(&story.model, &Theme::auto(), frame))
        .expect("memory takes any frame");
    let cells = |count| NonZeroU16::new(count).expect("a screen has cells");
    let mut model = vt100::Parser::new(cells(height), cells(width), 0);
    model.process(terminal.backend().out());
    model.screen().clone()
}

#[test]
fn what_is_dimmed_takes_no_colour_from_a_border() {
    for theme in ["auto-dark", "auto-light"] {
        for keys in ["", "Space j", "t", "t * x", "D", "J", "n", "?"] {
            let mut story = Story::browsing(120, 40);
            for key in keys.split(' ') {
                story.keys(key).answer_all(&wiki);
            }
            let hued = story.cells(theme, |cell| {
                cell.modifier.contains(Modifier::DIM) && cell.fg != Color::Reset
            });
            assert!(hued.is_empty(), "{theme}, {keys}: {hued:?}");
        }
    }
}

#[test]
fn of_two_rows_with_a_caret_the_one_that_keys_move_is_bold() {
    let mut story = Story::browsing(120, 40);
    let bold = |story: &Story| {
        let bold = |cell: &Cell| cell.modifier.contains(Modifier::BOLD);
        story.cells("mono", bold).join("\n")
    };
    assert!(bold(&story).contains("▸ENG"), "{}", bold(&story));
    story.keys("Enter");
    assert!(!bold(&story).contains("▸ENG"), "{}", bold(&story));
    assert!(bold(&story).contains('▸'), "{}", bold(&story));
}

#[test]
fn a_dialog_that_deletes_is_framed_in_the_colour_of_warnings() {
    let frame = |keys: &str| {
        let mut story = Story::browsing(120, 40);
        for key in keys.split(' ') {
            story.keys(key).answer_all(&wiki);
        }
        let corner = |cell: &Cell| cell.symbol() == "╭" && cell.fg == Color::Yellow;
        story.cells("auto-dark", corner).len()
    };
    assert_eq!((frame("D"), frame("t * x"), frame("t P")), (1, 1, 1));
    assert_eq!((frame("a"), frame("n"), frame("t * u")), (0, 0, 0));
    for theme in ["mono", "high-contrast"] {
        let mut story = Story::browsing(120, 40);
        story.keys("D").answer_all(&wiki);
        let drawn = story.cells(theme, |cell| {
            cell.symbol() == "│" && cell.modifier.contains(Modifier::UNDERLINED)
        });
        assert!(drawn.is_empty(), "{theme}: {drawn:?}");
    }
}

#[test]
fn a_notice_covers_no_dialog() {
    for (width, height) in [(120, 40), (80, 24), (60, 20), (44, 12)] {
        let mut story = Story::browsing(width, height);
        story.keys("D").answer_all(&wiki);
        let before = story.screen();
        let notice = "A notice that is long enough to need two lines in its box, and says so.";
        story.model.say(LogLevel::Error, notice);
        let after = story.screen();
        let top = before.lines().position(|line| line.contains("Delete"));
        let top = top.expect("the dialog");
        let rows = |screen: &str| {
            screen
                .lines()
                .skip(top)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(rows(&before), rows(&after), "{width} × {height}\n{after}");
        assert!(top == 0 || after.contains("A notice"), "{after}");
    }
}

#[test]
fn a_notice_that_is_too_long_for_the_header_is_whole_over_a_list_and_cut_over_a_question() {
    let notice = "Not removed: process 2843 since 16:13 holds it for Purge 36 items of BIG, which is not over and may need it.";
    // What is cut is cut at its end.
    let whole = |story: &Story| {
        let screen = story.screen();
        screen.contains("Not removed: process 2843") && screen.contains("need it.")
    };
    for (width, height) in [(120, 40), (80, 24), (60, 20)] {
        for keys in ["J", "B", "L", "J o"] {
            let mut story = Story::browsing(width, height);
            for key in keys.split(' ') {
                story.keys(key).answer_all(&wiki);
            }
            let before = story.screen();
            story.model.say(LogLevel::Warning, notice);
            assert!(whole(&story), "{keys}\n{}", story.screen());
            // The keys of the list stay in sight.
            let last = |screen: &str| screen.lines().last().map(str::to_owned);
            assert_eq!(last(&before), last(&story.screen()), "{keys}");
        }
    }
    let mut story = Story::browsing(80, 24);
    story.keys("D").answer_all(&wiki);
    story.model.say(LogLevel::Warning, notice);
    assert!(story.screen().contains("Type "), "{}", story.screen());
}

#[test]
fn themes() {
    for (theme, _) in theme::BUILT_IN {
        let looks = theme::load(theme, Depth::True).expect("a built-in theme");
        let mut story = Story::browsing(80, 24);
        story.keys("Space j");
        let roles: Vec<String> = looks
            .roles()
            .map(|(role, style)| format!("{role}: {style:?}"))
            .collect();
        let shown = format!("{}\n\n{}", story.looks(&looks), roles.join("\n"));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("theme-{theme}"), shown);
        });
    }
}

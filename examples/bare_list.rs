//! A list as most programs draw one: ratatui's own widgets on crossterm's backend, nothing more.
//!
//! Coracle is measured beside it (docs/performance.md). `j` and `k` move, PgDn and PgUp page,
//! `q` quits. The number of rows may be given as the only argument.

use std::io::stdout;

use crossterm::event::{Event, KeyCode, read};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, List, ListState, Paragraph};

fn main() -> std::io::Result<()> {
    let rows: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen)?;
    let outcome = run(rows);
    execute!(stdout(), LeaveAlternateScreen)?;
    disable_raw_mode()?;
    outcome
}

fn run(rows: usize) -> std::io::Result<()> {
    let mut terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
    let items: Vec<String> = (0..rows)
        .map(|n| format!("SP{n:05}  Space number {n}  current"))
        .collect();
    let mut state = ListState::default().with_selected(Some(0));
    loop {
        terminal.draw(|frame| {
            let [left, right] =
                Layout::horizontal([Constraint::Percentage(43), Constraint::Percentage(57)])
                    .areas(frame.area());
            let list = List::new(items.iter().map(String::as_str))
                .block(Block::bordered().title(format!("{rows} rows")))
                .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
            frame.render_stateful_widget(list, left, &mut state);
            let about = Paragraph::new("One of many.").block(Block::bordered().title("Detail"));
            frame.render_widget(about, right);
        })?;
        let page = isize::try_from(terminal.size()?.height.saturating_sub(2)).unwrap_or(1);
        let at = state.selected().unwrap_or(0);
        let by = match read()? {
            Event::Key(key) => match key.code {
                KeyCode::Char('q') => return Ok(()),
                KeyCode::Char('j') | KeyCode::Down => 1,
                KeyCode::Char('k') | KeyCode::Up => -1,
                KeyCode::PageDown => page,
                KeyCode::PageUp => -page,
                _ => 0,
            },
            _ => 0,
        };
        state.select(Some(
            at.saturating_add_signed(by).min(rows.saturating_sub(1)),
        ));
    }
}

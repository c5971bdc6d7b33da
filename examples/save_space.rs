//! The backup of a space on this machine, by the real program, beside a bare reader.
//!
//! A wiki of one space is made by formula. The program deletes the space from the keyboard, with the backup on
//! this machine as the only one. The requests of that are counted by kind, from the consent to the deletion,
//! and held against what they may be at most: one a hundred items in each list, one a file and one its page,
//! and the lists once more just before the deletion. Then a bare reader, reqwest and `serde_json` alone,
//! asks another server with the same wiki for the same, eight at once, and keeps nothing.
//!
//! Says how many requests there were of each kind, how long the program took and how long the bare reader, and
//! the most memory of the program. How many pages, comments and files there are may be given, and their
//! size in all. Linux only, for it reads `/proc`.
//!
//! ```sh
//! cargo build --release && cargo run --release --example save_space -- 10000 5000 1000 30M
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "it measures and waits, so it reads the clock"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use coracle::demo::{Recorded, ServeArgs, Server};
use futures_util::stream::{self, StreamExt as _};
use terminal::{Outcome, Session};

#[path = "undelete/terminal.rs"]
#[allow(dead_code, reason = "somebody else does more on a terminal")]
mod terminal;

/// How many requests the bare reader has under way, as the program has.
const AT_ONCE: usize = 8;
/// How long it may take.
const LONGEST: Duration = Duration::from_mins(20);

/// What is in the space.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(default_value_t = 10_000)]
    pages: u64,
    #[arg(default_value_t = 5_000)]
    comments: u64,
    #[arg(default_value_t = 1_000)]
    files: u64,
    #[arg(default_value = "30M")]
    size: String,
}

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeArgs,
}

impl Arguments {
    fn server(&self) -> Outcome<Server> {
        let numbers = [self.pages, self.comments, self.files].map(|it| it.to_string());
        let [pages, comments, files] = &numbers;
        let line = [
            "serve",
            "--port",
            "0",
            "--spaces",
            "1",
            "--pages",
            pages,
            "--comments",
            comments,
            "--files",
            files,
            "--attachments",
            &self.size,
        ];
        Ok(Server::start(Line::try_parse_from(line)?.serve.options())?)
    }

    /// How many requests there may be at most. Each list has an end of its own: pages, blog posts, comments,
    /// files and the trash. The lists come once more before the deletion.
    fn most(&self) -> u64 {
        let lists = (self.pages + self.comments + self.files).div_ceil(100) + 5;
        2 * lists + 2 * self.files + OTHERS
    }
}

/// The space is looked at before and after, asked for its trash and deleted.
const OTHERS: u64 = 10;

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    coracle::confluence::client::choose_cryptography();
    let program = program()?;
    let server = arguments.server()?;
    let home = tempfile::tempdir()?;
    let (took, peak) = save(&program, home.path(), &server)?;
    let all = server.requests();
    let ends = all.iter().position(|it| it.method == "DELETE");
    let reads = &all[..ends.ok_or("it was not deleted")?];
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for read in reads {
        *kinds.entry(kind(read)).or_default() += 1;
    }
    for (kind, number) in &kinds {
        say(&format!("{number:>6} {kind}"));
    }
    let (sent, most) = (reads.len() as u64, arguments.most());
    say(&format!("{sent} requests, of {most} at most"));
    say(&format!(
        "saved and looked at once more in {:.1} s, peak memory {peak} MiB",
        took.as_secs_f64()
    ));
    drop(server);
    let bare = read_bare(&arguments.server()?, reads)?;
    say(&format!("the bare reader: {:.1} s", bare.as_secs_f64()));
    if sent > most {
        return Err("there were more requests than there may be".into());
    }
    Ok(())
}

fn say(text: &str) {
    // A report that nobody reads is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The program that was built beside this one.
fn program() -> Outcome<PathBuf> {
    let me = std::env::current_exe()?;
    let folder = me.parent().and_then(Path::parent);
    let program = folder.ok_or("no folder")?.join("coracle");
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!("{} is not there; cargo build makes it", program.display()).into())
    }
}

/// Has the program delete the space. Says how long it took from the consent to the deletion, and its memory.
fn save(program: &Path, home: &Path, server: &Server) -> Outcome<(Duration, u64)> {
    let mut it = Session::start(program, home, server.base_url())?;
    it.until("the list", |text| text.contains("Spaces 1 of 1"))?;
    it.rests();
    it.send("1D")?;
    it.until("what the server can do", |text| {
        text.contains("downloaded and checked")
    })?;
    it.rests();
    it.send("\ts")?;
    it.until("the backup on this machine alone", |text| {
        !text.contains("downloaded and checked")
    })?;
    it.send("\t")?;
    it.types("BIG")?;
    it.rests();
    server.forget_requests();
    it.send("\r")?;
    let begun = Instant::now();
    let is_deletion = |it: &Recorded| it.method == "DELETE";
    while !server.requests().iter().any(is_deletion) {
        it.drain(Duration::from_millis(20))?;
        if it.text().contains("Enter choose") || begun.elapsed() > LONGEST {
            return Err(format!("it was not deleted\n{}", it.screen()).into());
        }
    }
    let took = begun.elapsed();
    let peak = it.peak();
    it.end();
    Ok((took, peak))
}

/// What is asked for, without numbers and names.
fn kind(read: &Recorded) -> String {
    let (path, query) = read.target.split_once('?').unwrap_or((&read.target, ""));
    let mut kind = read.method.clone() + " ";
    for part in path.split('/').skip(1) {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        kind.push('/');
        kind.push_str(if is_number { "…" } else { part });
        if kind.ends_with("/download/attachments") {
            kind.push_str("/…");
            break;
        }
    }
    for pair in query.split('&') {
        if ["type=", "status=", "depth="]
            .iter()
            .any(|it| pair.starts_with(it))
        {
            kind = format!("{kind} {pair}");
        }
    }
    kind
}

/// Asks for the same without doing anything with it.
fn read_bare(server: &Server, reads: &[Recorded]) -> Outcome<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let begun = Instant::now();
    runtime.block_on(async {
        let requests = reads.iter().filter(|it| it.method == "GET").map(|read| {
            let request = client.get(format!("{}{}", server.base_url(), read.target));
            let is_file = read.target.contains("/download/");
            async move {
                let body = request.send().await?.error_for_status()?.bytes().await?;
                if !is_file {
                    serde_json::from_slice::<serde_json::Value>(&body)?;
                }
                Ok::<_, Box<dyn std::error::Error>>(())
            }
        });
        let mut answers = stream::iter(requests).buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            answer?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    Ok(begun.elapsed())
}

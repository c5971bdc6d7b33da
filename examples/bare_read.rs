//! The floor under reading a long list of spaces: reqwest and serde_json, and nothing more.
//!
//! Coracle is measured beside it (docs/performance.md). Arguments: the server's address, how many
//! spaces there are, how many requests may be under way at once. Prints the time it took.

use std::time::Instant;

use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;

/// As many as a real server gives at once.
const PAGE: usize = 500;

#[derive(Deserialize)]
struct Page {
    results: Vec<Space>,
}

#[derive(Deserialize)]
struct Space {
    key: String,
    name: String,
}

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "the time is what this program is for"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the address of a server")?;
    let total: usize = arguments.next().ok_or("how many spaces")?.parse()?;
    let at_once: usize = arguments.next().ok_or("how many at once")?.parse()?;
    coracle::confluence::client::choose_cryptography();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let begun = Instant::now();
    let spaces = runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let pages = (0..total).step_by(PAGE).map(|start| {
            let request = client.get(format!("{url}/rest/api/space?start={start}&limit={PAGE}"));
            async move {
                let body = request.send().await?.bytes().await?;
                let page: Page = serde_json::from_slice(&body)?;
                Ok::<_, Box<dyn std::error::Error>>(page.results)
            }
        });
        let mut pages = stream::iter(pages).buffered(at_once);
        let mut spaces = Vec::new();
        while let Some(page) = pages.next().await {
            spaces.extend(page?.into_iter().map(|space| (space.key, space.name)));
        }
        Ok::<_, Box<dyn std::error::Error>>(spaces)
    })?;
    println!("{} spaces in {:.2?}", spaces.len(), begun.elapsed());
    Ok(())
}

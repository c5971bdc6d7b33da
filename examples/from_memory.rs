//! A server whose list of spaces is given from memory, so that what is measured is who reads it.
//!
//! Coracle and `bare_read` are measured in front of it (docs/performance.md). At the start every
//! page of the list is fetched from a Confluence, such as the embedded one, which works out each
//! answer anew and is slower than a client can read; other requests are passed on to it.
//! Arguments: the address of that Confluence, how many spaces it has, where to listen; then, if
//! wanted, the milliseconds before each answer and the kilobits a second of a line that all
//! answers share. Whoever takes gzip gets it.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// As many as a real server gives at once.
const PAGE: usize = 500;

struct Site {
    base: String,
    client: reqwest::Client,
    /// Pages of the list by `start`: as they are, and packed.
    pages: HashMap<usize, (Vec<u8>, Vec<u8>)>,
    latency: Duration,
    /// Bits a second; 0 for no limit.
    bandwidth: u64,
    line: tokio::sync::Mutex<()>,
}

#[expect(
    clippy::print_stdout,
    reason = "it says when it is ready, and for what"
)]
#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().ok_or("the address of a Confluence")?;
    let total: usize = arguments.next().ok_or("how many spaces")?.parse()?;
    let listen = arguments.next().ok_or("where to listen")?;
    let mut number =
        || -> Outcome<u64> { Ok(arguments.next().map_or(Ok(0), |text| text.parse())?) };
    let (latency, bandwidth) = (Duration::from_millis(number()?), number()? * 1_000);
    coracle::confluence::client::choose_cryptography();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut pages = HashMap::new();
    for start in (0..total).step_by(PAGE) {
        let url = format!("{base}/rest/api/space?start={start}&limit={PAGE}");
        let body = client.get(url).send().await?.bytes().await?.to_vec();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&body)?;
        pages.insert(start, (body, packed.finish()?));
    }
    let site = Arc::new(Site {
        base,
        client,
        pages,
        latency,
        bandwidth,
        line: tokio::sync::Mutex::default(),
    });
    let listener = tokio::net::TcpListener::bind(&listen).await?;
    println!("http://{listen} gives {total} spaces");
    axum::serve(listener, Router::new().fallback(answer).with_state(site)).await?;
    Ok(())
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    tokio::time::sleep(site.latency).await;
    let page = page(&site, &request);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = if let Some((plain, packed)) = page {
        let takes_gzip = request
            .headers()
            .get(ACCEPT_ENCODING)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("gzip"));
        if takes_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed.clone()
        } else {
            plain.clone()
        }
    } else {
        let url = format!("{}{}", site.base, request.uri());
        let passed_on = async { site.client.get(url).send().await?.bytes().await };
        match passed_on.await {
            Ok(body) => body.to_vec(),
            Err(_) => return StatusCode::BAD_GATEWAY.into_response(),
        }
    };
    if let Some(millis) = (body.len() as u64 * 8_000).checked_div(site.bandwidth) {
        // One answer after the other goes over the line.
        let _line = site.line.lock().await;
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    (headers, body).into_response()
}

/// The page of the list that is asked for, if it is one of those that are held.
fn page<'a>(site: &'a Site, request: &Request) -> Option<&'a (Vec<u8>, Vec<u8>)> {
    if request.uri().path() != "/rest/api/space" {
        return None;
    }
    let query: HashMap<_, _> = url::form_urlencoded::parse(request.uri().query()?.as_bytes())
        .into_owned()
        .collect();
    if query.get("limit").map(String::as_str) != Some("500") {
        return None;
    }
    let start = query.get("start").map_or(Ok(0), |text| text.parse()).ok()?;
    site.pages.get(&start)
}

//! Who may speak to the server: what calls it by a name of this machine, and no page of another
//! site in somebody's browser.
//!
//! A browser lets every page send requests to loopback, and a name of somebody else's can be made to
//! lead here. Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site`; nor do all
//! browsers with every form. What a form can't do is send JSON, or a header of its own: a write that
//! a form could have sent has to carry `X-Atlassian-Token`, as Confluence has it, or a sign-in.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};

use super::routes::answer::Failure;

/// Why a request is not answered; `None`: it is. `hosts` are names that it has besides those of this
/// machine.
pub(super) fn refusal(request: &Request, hosts: &[String]) -> Option<Failure> {
    let headers = request.headers();
    let host = match one(headers, "host") {
        Found::None => None,
        Found::One(host) if is_loopback(host) || hosts.iter().any(|own| own == host) => Some(host),
        Found::One(_) | Found::Unclear => {
            return Some(refused(
                "This server is called localhost, 127.0.0.1 or [::1] and answers to no other name.",
            ));
        }
    };
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    if reads.contains(request.method()) {
        None
    } else if !is_same_site(headers, host) {
        Some(refused("A page of another origin writes nothing here."))
    } else if could_be_a_form(request) {
        Some(refused(
            "XSRF check failed: a form of any page could have sent this. Send JSON as application/json, or the header X-Atlassian-Token: no-check.",
        ))
    } else {
        None
    }
}

/// Whether a form of a page could have sent this, in a browser that does not say where it comes from.
/// A form has three types of content, and sends no header that its page chooses; a browser that says
/// where a request comes from was asked already.
fn could_be_a_form(request: &Request) -> bool {
    const OF_FORMS: [&str; 3] = [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
    ];
    let headers = request.headers();
    let content = match one(headers, header::CONTENT_TYPE.as_str()) {
        Found::None => return false,
        Found::One(content) => content,
        Found::Unclear => return true,
    };
    let kind = content.split(';').next().unwrap_or_default().trim();
    let tells = ["origin", "sec-fetch-site", "x-atlassian-token"];
    let is_told = tells.iter().any(|name| headers.contains_key(*name));
    let is_signed =
        matches!(one(headers, "authorization"), Found::One(it) if it.starts_with("Bearer "));
    request.method() == Method::POST
        && OF_FORMS.iter().any(|it| kind.eq_ignore_ascii_case(it))
        && !is_told
        && !is_signed
}

fn refused(message: &str) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, message)
}

/// A header that may be there once.
enum Found<'h> {
    None,
    One(&'h str),
    /// It is there more than once, or is no text.
    Unclear,
}

fn one<'h>(headers: &'h HeaderMap, name: &str) -> Found<'h> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Found::None,
        (Some(value), None) => value.to_str().map_or(Found::Unclear, Found::One),
        (Some(_), Some(_)) => Found::Unclear,
    }
}

/// Whether a `Host` is a name of this machine that nobody else can make lead elsewhere. With any
/// port: a tunnel to here has another one.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    !host.contains('@')
        && (name.eq_ignore_ascii_case("localhost")
            || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// Whether a request that writes comes from no page, or from one of this server.
fn is_same_site(headers: &HeaderMap, host: Option<&str>) -> bool {
    let origin = match (one(headers, header::ORIGIN.as_str()), host) {
        (Found::None, _) => true,
        (Found::One(origin), Some(host)) => origin.eq_ignore_ascii_case(&format!("http://{host}")),
        (Found::One(_), None) | (Found::Unclear, _) => false,
    };
    let fetched = match one(headers, "sec-fetch-site") {
        Found::None => true,
        Found::One(site) => matches!(site, "same-origin" | "none"),
        Found::Unclear => false,
    };
    origin && fetched
}

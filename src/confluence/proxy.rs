//! Which way requests take: straight to the server, or through a proxy, and who says so.
//!
//! Decides nothing that the client does: it asks the library that the client's own library asks, so
//! that what is told is what happens.

use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::endpoint::Endpoint;
use crate::text::plain::scrub;

/// How the server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Without a proxy; why, in words.
    Direct(&'static str),
    /// Through this one.
    Proxy {
        /// Its host; scrubbed.
        host: String,
        /// Its port.
        port: u16,
        /// Who says so.
        by: String,
    },
    /// Something is set that is no proxy's address.
    Unusable {
        /// Where it is set.
        by: String,
    },
}

/// The proxy that settings name, and the hosts that they except from it.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    /// Its address, which may hold a password.
    pub address: &'a str,
    /// As in `NO_PROXY`.
    pub except: &'a str,
}

/// Which way requests to this server take, by its settings, else by the customs of the environment,
/// whose variables are read here.
pub fn way(
    server: &Endpoint,
    named: Option<Named<'_>>,
    variable: impl Fn(&str) -> Option<String>,
) -> Way {
    if server.is_loopback() {
        return Way::Direct("this machine is always reached without one");
    }
    if let Some(Named { address, except }) = named {
        return through(
            server,
            address,
            except,
            "the profile",
            "the profile's no_proxy names the host",
        );
    }
    // The first that is there counts, also when it is empty.
    let first = |names: [&'static str; 2]| {
        let mut values = names.into_iter().map(|name| (name, variable(name)));
        values.find_map(|(name, value)| value.map(|value| (name, value)))
    };
    let own = if server.is_plain_http() {
        ["HTTP_PROXY", "http_proxy"]
    } else {
        ["HTTPS_PROXY", "https_proxy"]
    };
    let except = first(["NO_PROXY", "no_proxy"]).map_or_else(String::new, |(_, list)| list);
    [own, ["ALL_PROXY", "all_proxy"]]
        .into_iter()
        .filter_map(first)
        .find(|(_, address)| !address.is_empty())
        .map_or(Way::Direct("none is configured"), |(name, address)| {
            let by = format!("the variable {name}");
            through(server, &address, &except, &by, "NO_PROXY names the host")
        })
}

/// The way through the proxy at this address, unless the server is excepted.
fn through(
    server: &Endpoint,
    address: &str,
    except: &str,
    by: &str,
    is_excepted: &'static str,
) -> Way {
    let by = by.to_owned();
    let Ok(there) = server.as_str().parse() else {
        return Way::Direct("the address of the server is none for a proxy");
    };
    let found = |except: &str| {
        let matcher = Matcher::builder().all(address).no(except).build();
        matcher.intercept(&there)
    };
    match (found(""), found(except)) {
        (Some(_), Some(proxy)) => match at(&proxy) {
            Some((host, port)) => Way::Proxy { host, port, by },
            None => Way::Unusable { by },
        },
        (Some(_), None) => Way::Direct(is_excepted),
        (None, _) => Way::Unusable { by },
    }
}

/// Host and port of a proxy.
fn at(proxy: &Intercept) -> Option<(String, u16)> {
    let uri = proxy.uri();
    let host = uri.host().filter(|host| !host.is_empty())?;
    let usual = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => 1080,
    };
    Some((scrub(host).into_owned(), uri.port_u16().unwrap_or(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str, named: Option<Named<'_>>, variables: &[(&str, &str)]) -> Way {
        let server = Endpoint::parse(url).expect("an address");
        way(&server, named, |name| {
            let mut pairs = variables.iter();
            let found = pairs.find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn proxy(way: &Way) -> Option<(&str, u16, &str)> {
        match way {
            Way::Proxy { host, port, by } => Some((host, *port, by)),
            Way::Direct(_) | Way::Unusable { .. } => None,
        }
    }

    const WIKI: &str = "https://wiki.example.com/c";

    #[test]
    fn the_first_variable_for_the_scheme_names_the_proxy() {
        let by_env = told(
            WIKI,
            None,
            &[
                ("HTTP_PROXY", "http://other:1"),
                ("HTTPS_PROXY", "http://me:hunter2@proxy.example.com:3128"),
                ("ALL_PROXY", "http://last:1"),
            ],
        );
        assert!(!format!("{by_env:?}").contains("hunter2"), "{by_env:?}");
        assert_eq!(
            proxy(&by_env),
            Some(("proxy.example.com", 3128, "the variable HTTPS_PROXY"))
        );
        let all: &[(&str, &str)] = &[("ALL_PROXY", "last")];
        assert_eq!(
            proxy(&told("http://wiki.example.com", None, all)),
            Some(("last", 80, "the variable ALL_PROXY"))
        );
        // What is there and empty hides what comes after it.
        for variables in [
            &[][..],
            &[("HTTPS_PROXY", ""), ("https_proxy", "http://p:1")],
            &[("HTTP_PROXY", "http://p:1")],
        ] {
            assert!(matches!(told(WIKI, None, variables), Way::Direct(_)));
        }
        assert!(matches!(
            told(
                "http://127.0.0.1:8090",
                None,
                &[("http_proxy", "http://p:1")]
            ),
            Way::Direct(_)
        ));
        for unusable in ["http://", "http://[", "ftp://p:1"] {
            let way = told(WIKI, None, &[("ALL_PROXY", unusable)]);
            assert!(matches!(way, Way::Unusable { .. }), "{unusable} {way:?}");
        }
    }

    #[test]
    fn hosts_are_excepted_as_the_client_excepts_them() {
        let direct = |url: &str, except: &str| {
            let variables = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", except)];
            matches!(told(url, None, &variables), Way::Direct(_))
        };
        for except in ["*", "example.com", ".example.com", "a, wiki.example.com"] {
            assert!(direct(WIKI, except), "{except}");
        }
        for except in ["", "ample.com", "other.example.com"] {
            assert!(!direct(WIKI, except), "{except}");
        }
        // Addresses are no names.
        let numbered = "https://10.1.2.3";
        for (except, is_direct) in [
            ("10.0.0.0/8", true),
            ("10.1.2.3", true),
            ("10.2.0.0/16", false),
            ("2.3", false),
            ("*", false),
        ] {
            assert_eq!(direct(numbered, except), is_direct, "{except}");
        }
    }

    #[test]
    fn what_the_profile_names_comes_before_the_environment() {
        let environment: &[(&str, &str)] = &[("NO_PROXY", "*"), ("HTTPS_PROXY", "http://p:1")];
        let named = |except| {
            Some(Named {
                address: "socks5h://inside",
                except,
            })
        };
        assert_eq!(
            proxy(&told(WIKI, named("example.org"), environment)),
            Some(("inside", 1080, "the profile"))
        );
        let excepted = told(WIKI, named("example.com"), environment);
        assert_eq!(
            excepted,
            Way::Direct("the profile's no_proxy names the host")
        );
    }
}

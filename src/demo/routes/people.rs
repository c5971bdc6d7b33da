//! Users and groups: who there is, and what became of an account.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::answer::{Answer, Failure, Query, ok, with};
use crate::demo::json::{Shape, Slice, id_of_user_key};
use crate::demo::percent::encoded;
use crate::demo::permissions::{self, EVERYBODY};
use crate::demo::site::Site;
use crate::demo::store::{Account, Filter, Store};

/// Lists of users give no more than this at a time.
const CAP: u64 = 200;

/// Everybody whose account is not gone.
const THERE: &str = "id NOT IN (SELECT person FROM account WHERE status = 'gone')";

/// `GET /user?key=|username=`: 404 for whoever is gone, or never was.
pub(super) async fn one(State(site): State<Arc<Site>>, query: Query) -> Answer {
    let asked = |name| query.first(name).filter(|value| !value.is_empty());
    with(&site, |db, shape| {
        let (found, wanted) = match (asked("key"), asked("username")) {
            (Some(key), _) => {
                let id = id_of_user_key(key);
                (id.map(|id| db.person(id)).transpose()?.flatten(), key)
            }
            (None, Some(username)) => (db.person_named(username)?, username),
            (None, None) => return Err(Failure::bad("One of key and username is needed")),
        };
        let person = found.filter(|person| person.account != Account::Gone);
        let person =
            person.ok_or_else(|| Failure::missing(format!("No user found with key : {wanted}")))?;
        ok(shape.alone(shape.account(&person, &query.expand())))
    })
}

/// `GET /user/list`: disabled users are among them.
pub(super) async fn list(State(site): State<Arc<Site>>, query: Query) -> Answer {
    with(&site, |_, shape| {
        if !shape.behaviour.may_list_users {
            return Err(Failure::forbidden("User is not permitted to list users"));
        }
        let mut filter = Filter::default();
        filter.and(THERE, []);
        answer(shape, &query, &filter, "/rest/api/user/list")
    })
}

/// `GET /group/{name}`.
pub(super) async fn group(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Answer {
    with(&site, |db, shape| {
        if permissions::is_group(db, &name)? {
            ok(shape.alone(shape.group(&name)))
        } else {
            Err(no_group(&name))
        }
    })
}

/// `GET /group/{name}/member`.
pub(super) async fn members(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        if !permissions::is_group(db, &name)? {
            return Err(no_group(&name));
        }
        let mut filter = Filter::default();
        filter.and(THERE, []);
        if name != EVERYBODY {
            filter.and(
                "username IN (SELECT username FROM membership WHERE team = ?)",
                [name.clone().into()],
            );
        }
        let path = format!("/rest/api/group/{}/member", encoded(&name));
        answer(shape, &query, &filter, &path)
    })
}

fn no_group(name: &str) -> Failure {
    Failure::missing(format!("No group with name : {name}"))
}

fn answer(shape: &Shape<'_>, query: &Query, filter: &Filter, path: &str) -> Answer {
    let expand = query.expand();
    let total = shape.db.count_people(filter)?;
    let slice = Slice::new(
        query.number("start", 0)?,
        query.number("limit", 25)?,
        CAP,
        total,
        shape.behaviour,
    );
    let people = shape.db.people(filter, slice.rows)?;
    let results: Vec<_> = people
        .iter()
        .map(|person| shape.account(person, &expand))
        .collect();
    ok(shape.page(results, &slice, path, &query.0))
}

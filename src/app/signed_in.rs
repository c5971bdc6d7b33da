//! For whom the server takes us, should that change while the program runs: behind a load balancer with a
//! sign-in of its own, or after a token was exchanged.

use super::message::{Effect, LogLevel};
use super::model::Model;
use crate::confluence::CurrentUser;
use crate::jobs::{JobEvent, JobId, is_same};

impl Model {
    /// An answer says for whom the server takes us. Where that is another user than before, jobs wait until
    /// their person agrees that they go on.
    pub(in crate::app) fn taken_for(&mut self, user: &str, out: &mut Vec<Effect>) {
        let before = self.session.user.value().and_then(|it| it.username.clone());
        let Some(before) = before.filter(|before| !is_same(before, user)) else {
            return;
        };
        self.session.user.settle(
            self.now,
            Ok(CurrentUser {
                username: Some(user.to_owned()),
                display_name: user.to_owned(),
            }),
        );
        let at_work: Vec<JobId> = self.jobs.at_work().map(|it| it.head().id.clone()).collect();
        for id in at_work {
            self.job_event(&id, JobEvent::TakenFor(user.to_owned()), out);
        }
        self.say(
            LogLevel::Error,
            format!(
                "The server takes you for {user} now; before, it took you for {before}. Look at the sign-in, and at what lies between here and the server."
            ),
        );
    }
}

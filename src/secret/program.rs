//! Other programs: the one place that makes a command of one.
//!
//! An editor, a browser or a command that prints a token has no need of what we sign in with, and
//! hands its environment on to whatever it starts itself. So the variables that hold secrets are
//! taken out of every command that is made here, and none is made anywhere else.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The variable that a token for `--url` is taken from.
pub const TOKEN_VARIABLE: &str = "CORACLE_TOKEN";

/// The names of all variables that hold secrets, as far as anybody has named them.
static SECRET: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A variable of the environment that holds a secret. As soon as one is named, no other program
/// gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVariable(String);

impl SecretVariable {
    /// The variable of this name.
    pub fn named(name: &str) -> Self {
        SECRET
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned());
        Self(name.to_owned())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// A command that starts `program`, without any variable that holds a secret of ours.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_remove(TOKEN_VARIABLE);
    for name in &*SECRET.lock().unwrap_or_else(PoisonError::into_inner) {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_as_a_secret_is_given_to_nobody() {
        SecretVariable::named("A_SECRET_OF_THIS_TEST");
        let command = command("env");
        for name in [TOKEN_VARIABLE, "A_SECRET_OF_THIS_TEST"] {
            let removed = command
                .get_envs()
                .any(|(key, to)| key == name && to.is_none());
            assert!(removed, "{name}");
        }
        assert!(command.get_envs().all(|(key, _)| key != "HOME"));
    }
}

//! The guided set-up: asks for a server and where its secret is, tests that, and only then has the
//! configuration written.
//!
//! The secret itself is never asked for. What is tested is the very text that will be written, so
//! that what works in the test works after it.

use serde::Serialize;

use super::leave::Leaving;
use super::{Modal, Outcome, is_esc};
use crate::app::form::{Control, Form, FormField, Note, Taken};
use crate::app::key::{Chord, Key};
use crate::app::message::{DiskError, DiskReply, Effect, Ticket};
use crate::app::model::Model;
use crate::confluence::Endpoint;
use crate::doctor::{self, Check, Finding, Verdict};

/// The address.
pub const ADDRESS: usize = 0;
/// How to sign in.
pub const SIGN_IN: usize = 1;
/// The user, with a password.
pub const USER: usize = 2;
/// What kind of place the secret is in.
pub const KIND: usize = 3;
/// Which command, variable or file.
pub const PLACE: usize = 4;
/// The file of the authorities to trust beside those of the system; asked for once that is needed.
pub const AUTHORITY: usize = 5;
/// What the profile is to be called.
pub const NAME: usize = 6;

/// How far it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Stage {
    /// The form is being filled in.
    Form,
    /// The checks are under way, or over.
    Test {
        /// Names the test, until it is over.
        ticket: Option<Ticket>,
        /// What was found so far.
        findings: Vec<Finding>,
        /// The first line that is shown; `None`: the last ones are.
        top: Option<usize>,
    },
    /// The configuration is being written.
    Writing(Ticket),
}

/// The set-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetUp {
    /// Its fields.
    pub form: Form,
    /// How far it is.
    pub stage: Stage,
    /// What concerns no field.
    pub problem: Option<String>,
    /// Whether the name was typed by hand, so that it isn't proposed any more.
    name_typed: bool,
    pristine: Form,
}

impl Default for SetUp {
    fn default() -> Self {
        let mut form = Form::new(vec![
            FormField::line("Address", ""),
            FormField::choice("Sign in with", &["token", "password", "nothing"], 0),
            FormField::line("User", ""),
            FormField::choice("Secret from", &["command", "variable", "file"], 0),
            FormField::line("Command", ""),
            FormField::line("Authority", ""),
            FormField::line("Profile", ""),
        ]);
        form.fields[USER].enabled = false;
        form.fields[AUTHORITY].enabled = false;
        let mut setup = Self {
            pristine: form.clone(),
            form,
            stage: Stage::Form,
            problem: None,
            name_typed: false,
        };
        setup.note();
        setup.pristine = setup.form.clone();
        setup
    }
}

/// A string as the configuration writes it. What JSON escapes, TOML reads in the same way.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A name for the profile made of the host: its first part that says something.
fn proposed_name(host: &str) -> String {
    let is_number = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let part = host
        .split('.')
        .find(|part| !part.is_empty() && *part != "www" && !is_number(part))
        .unwrap_or("wiki");
    let name: String = part
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(32)
        .collect();
    if name.is_empty() {
        "wiki".to_owned()
    } else {
        name
    }
}

impl SetUp {
    fn text(&self, field: usize) -> String {
        self.form.fields[field].text().trim().to_owned()
    }

    fn signs_in(&self) -> bool {
        self.form.fields[SIGN_IN].chosen() != 2
    }

    fn has_password(&self) -> bool {
        self.form.fields[SIGN_IN].chosen() == 1
    }

    /// Whether anything was typed or chosen.
    pub fn is_changed(&self) -> bool {
        let values = |form: &Form| form.fields.iter().map(FormField::text).collect::<Vec<_>>();
        values(&self.form) != values(&self.pristine)
    }

    /// Puts labels and hints in step with what is chosen.
    fn note(&mut self) {
        let (label, hint) = match self.form.fields[KIND].chosen() {
            0 => ("Command", "such as pass show wiki/token; no shell"),
            1 => ("Variable", "its name, such as WIKI_TOKEN"),
            _ => ("File", "mode 0600, such as ~/.wiki-token"),
        };
        let (signs_in, has_password) = (self.signs_in(), self.has_password());
        let fields = &mut self.form.fields;
        label.clone_into(&mut fields[PLACE].label);
        fields[USER].enabled = has_password;
        fields[KIND].enabled = signs_in;
        fields[PLACE].enabled = signs_in;
        fields[SIGN_IN].note = Note::Hint(
            match (signs_in, has_password) {
                (true, false) => "a personal access token, 7.9 and later",
                (true, true) => "for servers before 7.9",
                (false, _) => "you see what everybody sees",
            }
            .to_owned(),
        );
        // It makes room for what is typed.
        fields[PLACE].note = if fields[PLACE].text().is_empty() {
            Note::Hint(hint.to_owned())
        } else {
            Note::None
        };
        fields[AUTHORITY].note = if fields[AUTHORITY].text().is_empty() {
            Note::Hint("a PEM file, such as ~/company-ca.pem".to_owned())
        } else {
            Note::None
        };
    }

    /// Asks for the authority from now on, if it was for want of one that the test has failed.
    fn ask_for_authority(&mut self) {
        let Stage::Test { findings, .. } = &self.stage else {
            return;
        };
        let failed = |f: &Finding| f.check == Check::Tls && f.verdict == Verdict::Failed;
        if findings.iter().any(failed) {
            self.form.fields[AUTHORITY].enabled = true;
            self.form.focus = AUTHORITY;
        }
    }

    /// Takes in that values may have changed in the field with the focus.
    fn changed(&mut self) {
        self.problem = None;
        let field = self.form.focus;
        match field {
            SIGN_IN | KIND => self.note(),
            ADDRESS => {
                self.form.fields[ADDRESS].note = Note::None;
                if !self.name_typed
                    && let Ok(endpoint) = Endpoint::parse(&self.text(ADDRESS))
                    && let Control::Text(name) = &mut self.form.fields[NAME].control
                {
                    name.set(&proposed_name(endpoint.host()));
                }
            }
            NAME => {
                self.name_typed = !self.text(NAME).is_empty();
                self.form.fields[NAME].note = Note::None;
            }
            PLACE | AUTHORITY => self.note(),
            _ => self.form.fields[field].note = Note::None,
        }
    }

    /// The configuration that the form describes; `None` when something is wrong, which is noted.
    fn read(&mut self) -> Option<String> {
        let endpoint = match Endpoint::parse(&self.text(ADDRESS)) {
            Ok(endpoint) => endpoint,
            Err(error) => {
                self.form.problem(ADDRESS, error.message);
                return None;
            }
        };
        if endpoint.is_plain_http() && !endpoint.is_loopback() {
            self.form.problem(
                ADDRESS,
                "Everybody on the way could read the secret over plain HTTP. Use https.",
            );
            return None;
        }
        let mut lines = vec![format!("url = {}", quoted(endpoint.as_str()))];
        if self.has_password() {
            let user = self.text(USER);
            if user.is_empty() {
                self.form.problem(USER, "A password needs its user.");
                return None;
            }
            lines.push(format!("user = {}", quoted(&user)));
        }
        if self.signs_in() {
            let what = if self.has_password() {
                "password"
            } else {
                "token"
            };
            match self.source() {
                Ok((how, value)) => lines.push(format!("{what}_{how} = {value}")),
                Err(why) => {
                    self.form.problem(PLACE, why);
                    return None;
                }
            }
        }
        let authority = self.text(AUTHORITY);
        if !authority.is_empty() {
            lines.push(format!("ca_file = {}", quoted(&authority)));
        }
        let name = self.text(NAME);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(plain) {
            self.form.problem(
                NAME,
                "A name has up to 64 letters, digits, dots, hyphens and underscores.",
            );
            return None;
        }
        Some(format!(
            "# Written by the set-up of coracle. config.example.toml shows every setting.\n\
             default_profile = {name}\n\n[profiles.{name}]\n{lines}\n",
            name = quoted(&name),
            lines = lines.join("\n"),
        ))
    }

    /// Where the secret is, as the configuration says it: how, and what.
    fn source(&self) -> Result<(&'static str, String), String> {
        let place = self.text(PLACE);
        if place.is_empty() {
            return Err("Say where the secret is. It is not typed here.".to_owned());
        }
        match self.form.fields[KIND].chosen() {
            0 => {
                let words = shlex::split(&place).filter(|words| !words.is_empty());
                let words = words.ok_or("A quotation mark has no partner.")?;
                let list: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                Ok(("command", format!("[{}]", list.join(", "))))
            }
            1 => {
                let is_name = !place.starts_with(|c: char| c.is_ascii_digit())
                    && place.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if is_name {
                    Ok(("env", quoted(&place)))
                } else {
                    // Probably the secret itself.
                    Err(
                        "This is not the name of a variable. The secret is not typed here."
                            .to_owned(),
                    )
                }
            }
            _ => Ok(("file", quoted(&place))),
        }
    }

    /// What the checks found, a line each; of the operations only those that are missing.
    pub fn lines(&self) -> Vec<(Verdict, String)> {
        let Stage::Test { findings, .. } = &self.stage else {
            return Vec::new();
        };
        let is_quiet = |finding: &&Finding| {
            matches!(finding.check, Check::Operation(_))
                && matches!(finding.verdict, Verdict::Ok | Verdict::Skipped)
        };
        let mut lines = Vec::new();
        for finding in findings.iter().filter(|finding| !is_quiet(finding)) {
            let (word, label) = (finding.verdict.word(), finding.check.label());
            lines.push((
                finding.verdict,
                format!("{word:<6} {label}: {}", finding.says),
            ));
            if finding.verdict == Verdict::Failed
                && let Some(hint) = &finding.hint
            {
                lines.push((Verdict::Ok, format!("       {hint}")));
            }
        }
        let there = findings.iter().filter(is_quiet);
        let there = there.filter(|f| f.verdict == Verdict::Ok).count();
        if there > 0 {
            lines.push((
                Verdict::Ok,
                format!("ok     Operations: {there} of 13 available"),
            ));
        }
        lines
    }

    /// Whether the test is over and nothing has failed.
    pub fn is_good(&self) -> bool {
        matches!(
            &self.stage,
            Stage::Test { ticket: None, findings, .. }
                if !findings.is_empty() && doctor::blame(findings).is_none()
        )
    }

    /// The keys that work now, for the footer.
    pub fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match &self.stage {
            Stage::Form if self.form.is_at_choice() => &[
                ("Ctrl-s", "test"),
                ("Tab", "next field"),
                ("← →", "change"),
                ("Esc", "leave"),
            ],
            Stage::Form => &[("Ctrl-s", "test"), ("Tab", "next field"), ("Esc", "leave")],
            Stage::Test { .. } if self.is_good() => {
                &[("Enter", "save and connect"), ("Esc", "back")]
            }
            Stage::Test { ticket: None, .. } => {
                &[("r", "test again"), ("j/k", "move"), ("Esc", "back")]
            }
            Stage::Test { .. } => &[("Esc", "stop")],
            Stage::Writing(_) => &[],
        }
    }
}

impl Model {
    /// Opens the set-up.
    pub(in crate::app) fn set_up(&mut self) {
        self.modals.push(Modal::SetUp(Box::default()));
    }

    pub(super) fn setup_key(
        &mut self,
        dialog: &mut SetUp,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        match dialog.stage.clone() {
            Stage::Form => self.setup_form_key(dialog, chord, out),
            Stage::Writing(_) if chord.ctrl => Outcome::NotMine,
            Stage::Writing(_) => Outcome::Stay,
            Stage::Test { ticket, top, .. } => {
                let is_over = ticket.is_none();
                let last = dialog.lines().len().saturating_sub(1);
                let from = top.unwrap_or(last);
                let scroll = match chord.key {
                    Key::Up | Key::Char('k') => Some(from.saturating_sub(1)),
                    Key::Down | Key::Char('j') => Some((from + 1).min(last)),
                    Key::Home | Key::Char('g') => Some(0),
                    Key::End | Key::Char('G') => Some(last),
                    _ => None,
                };
                if is_esc(chord) {
                    if let Some(ticket) = ticket {
                        out.push(Effect::Cancel(ticket));
                    }
                    dialog.ask_for_authority();
                    dialog.stage = Stage::Form;
                } else if let (Some(at), false) = (scroll, chord.ctrl) {
                    if let Stage::Test { top, .. } = &mut dialog.stage {
                        *top = Some(at);
                    }
                } else if is_over && chord.typed() == Some('r') {
                    self.test_setup(dialog, out);
                } else if chord.key == Key::Enter && dialog.is_good() {
                    if let Some(text) = dialog.read() {
                        let ticket = self.inflight.ticket();
                        dialog.stage = Stage::Writing(ticket);
                        out.push(Effect::SaveConfig { ticket, text });
                    }
                } else if chord.ctrl {
                    return Outcome::NotMine;
                }
                Outcome::Stay
            }
        }
    }

    fn setup_form_key(
        &mut self,
        dialog: &mut SetUp,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        if is_esc(chord) {
            if dialog.is_changed() {
                self.modals.push(Leaving::Form.into());
                return Outcome::Stay;
            }
            return Outcome::Close;
        }
        if chord.ctrl && chord.key == Key::Char('s') {
            self.test_setup(dialog, out);
            return Outcome::Stay;
        }
        match dialog.form.key(chord) {
            Taken::Changed => dialog.changed(),
            Taken::Moved => {}
            Taken::Entered if dialog.form.focus == NAME => self.test_setup(dialog, out),
            Taken::Entered => {
                dialog.form.key(Chord::plain(Key::Tab));
            }
            Taken::No => return Outcome::NotMine,
        }
        Outcome::Stay
    }

    fn test_setup(&mut self, dialog: &mut SetUp, out: &mut Vec<Effect>) {
        dialog.problem = None;
        let Some(text) = dialog.read() else {
            dialog.stage = Stage::Form;
            return;
        };
        let ticket = self.inflight.ticket();
        dialog.stage = Stage::Test {
            ticket: Some(ticket),
            findings: Vec::new(),
            top: None,
        };
        out.push(Effect::Examine { ticket, text });
    }

    /// The set-up takes pasted text as its form does.
    pub(super) fn setup_paste(dialog: &mut SetUp, text: &str) {
        if dialog.stage == Stage::Form && dialog.form.paste(text) == Taken::Changed {
            dialog.changed();
        }
    }

    /// A check of a test came out; `None`: it was the last.
    pub(in crate::app) fn examined(&mut self, which: Ticket, finding: Option<Finding>) {
        for modal in &mut self.modals {
            let Modal::SetUp(dialog) = modal else {
                continue;
            };
            // What has failed is in sight when all is over.
            let failed = dialog
                .lines()
                .iter()
                .position(|(verdict, _)| *verdict == Verdict::Failed);
            if let Stage::Test {
                ticket,
                findings,
                top,
            } = &mut dialog.stage
                && *ticket == Some(which)
            {
                match finding.clone() {
                    Some(finding) => findings.push(finding),
                    None => {
                        *ticket = None;
                        *top = failed.or(*top);
                    }
                }
            }
        }
    }

    /// The configuration was written, or not. Says whether it was for a set-up at all.
    pub(in crate::app) fn config_saved(
        &mut self,
        which: Ticket,
        outcome: &Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) -> bool {
        let mut to = None;
        for modal in &mut self.modals {
            let Modal::SetUp(dialog) = modal else {
                continue;
            };
            if dialog.stage != Stage::Writing(which) {
                continue;
            }
            if let Err(error) = outcome {
                dialog.stage = Stage::Form;
                dialog.problem = Some(error.message.clone());
                return true;
            }
            to = Some(dialog.text(NAME));
        }
        let Some(to) = to else { return false };
        out.push(Effect::Switch(to));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(address: &str, kind: usize, place: &str) -> SetUp {
        let mut dialog = SetUp::default();
        for (field, text) in [(ADDRESS, address), (PLACE, place)] {
            dialog.form.focus = field;
            dialog.form.paste(text);
            dialog.changed();
        }
        dialog.form.focus = KIND;
        for _ in 0..kind {
            dialog.form.key(Chord::plain(Key::Right));
        }
        dialog.changed();
        dialog
    }

    #[test]
    fn the_form_becomes_the_text_of_a_configuration() {
        let text = filled(
            "https://wiki.example.com/display/X",
            0,
            "pass show 'my wiki/token'",
        )
        .read()
        .expect("it is whole");
        assert!(text.ends_with(
            "default_profile = \"wiki\"\n\n[profiles.\"wiki\"]\nurl = \"https://wiki.example.com\"\n\
             token_command = [\"pass\", \"show\", \"my wiki/token\"]\n"
        ), "{text}");
        let text = filled("https://10.0.0.1/c", 1, "WIKI_TOKEN").read();
        assert!(text.is_some_and(|t| t.contains(
            "[profiles.\"wiki\"]\nurl = \"https://10.0.0.1/c\"\ntoken_env = \"WIKI_TOKEN\""
        )));
    }

    #[test]
    fn what_can_not_be_is_noted_beside_its_field() {
        for (address, kind, place, field) in [
            ("wiki.example.com", 0, "pass", ADDRESS),
            ("http://wiki.example.com", 0, "pass", ADDRESS),
            ("https://x.atlassian.net", 0, "pass", ADDRESS),
            ("https://wiki.example.com", 0, "", PLACE),
            ("https://wiki.example.com", 0, "pass 'show", PLACE),
            // A token that was pasted by mistake is not kept.
            ("https://wiki.example.com", 1, "NjY2:x+/=", PLACE),
        ] {
            let mut dialog = filled(address, kind, place);
            assert_eq!(dialog.read(), None, "{address} {place}");
            assert_eq!(dialog.form.focus, field, "{address} {place}");
            assert!(dialog.form.has_problem());
        }
    }
}

//! What has to be read in a dialog before it is agreed to, and which part of it is in sight.

use super::Modal;
use super::confirm;
use super::edit_space::{EditSpaceForm, Stage};
use super::reading::Line;
use super::stack::ToRead;
use crate::app::model::Model;

impl Modal {
    /// Scrolls the text so that this line is the first in sight.
    fn scroll_to(&mut self, line: usize) {
        match self {
            Self::Confirm(dialog) => dialog.top = line,
            Self::Question(dialog) => dialog.top = line,
            Self::EditSpace(form) => {
                if let Stage::Diff { top } = &mut form.stage {
                    *top = line;
                }
            }
            Self::Menu(_)
            | Self::Palette(_)
            | Self::Reading(_)
            | Self::SpacesFilter(_)
            | Self::NewSpace(_)
            | Self::Jobs
            | Self::Job(_)
            | Self::Plans(_)
            | Self::Backups(_)
            | Self::Profiles(_)
            | Self::SetUp(_)
            | Self::Leave(_) => {}
        }
    }
}

impl Model {
    /// Notes what the dialog on top asks by now, and how far it was read. What has changed of it is
    /// scrolled back to.
    pub(in crate::app) fn look_again(&mut self) {
        self.modals.look_again();
        let text = self.to_read();
        let in_sight = text.from;
        let read_from = self.modals.read_on(text);
        if in_sight > read_from {
            if let Some(modal) = self.modals.last_mut() {
                modal.scroll_to(read_from);
            }
            let text = self.to_read();
            self.modals.read_on(text);
        }
    }

    /// What has to be read in the dialog on top.
    fn to_read(&self) -> ToRead {
        match self.modals.last() {
            Some(Modal::Confirm(dialog)) => {
                let shape = confirm::shape(self, dialog, self.size);
                part(&shape.lines, shape.must, shape.rows, dialog.top)
            }
            Some(Modal::Question(dialog)) => {
                let shape = dialog.shape(self.size);
                part(&shape.lines, shape.must, shape.rows, dialog.top)
            }
            Some(Modal::EditSpace(form)) => self.diff_to_read(form),
            _ => ToRead::default(),
        }
    }

    fn diff_to_read(&self, form: &EditSpaceForm) -> ToRead {
        let (Stage::Diff { .. }, None) = (&form.stage, &form.job) else {
            return ToRead::default();
        };
        let view = form.diff_view(self.size);
        ToRead {
            lines: view.lines.into_iter().map(|(_, text)| text).collect(),
            from: view.from,
            to: view.from + view.rows,
        }
    }
}

/// The first `must` of some lines, of which so many are in sight, from the `top`th on.
fn part(lines: &[Line], must: usize, rows: usize, top: usize) -> ToRead {
    let from = top.min(lines.len().saturating_sub(rows));
    let text = |line: &Line| line.iter().map(|(_, text)| text.as_str()).collect();
    ToRead {
        lines: lines.iter().take(must).map(text).collect(),
        from,
        to: from + rows,
    }
}

//! Tables for spreadsheets: CSV by RFC 4180, in which no cell is taken for a formula.

use std::borrow::Cow;

/// A table that is being written.
#[derive(Debug)]
pub struct Table {
    writer: csv::Writer<Vec<u8>>,
}

impl Table {
    /// A table with this first line.
    pub fn with_head<'c>(head: impl IntoIterator<Item = &'c str>) -> Self {
        let mut table = Self {
            writer: csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .flexible(true)
                .from_writer(Vec::new()),
        };
        table.push(head);
        table
    }

    /// Adds a line.
    pub fn push<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) {
        let cells = cells.into_iter().map(|cell| text(cell).into_owned());
        self.writer
            .write_record(cells)
            .expect("because memory takes lines of any length");
    }

    /// All of it.
    pub fn finish(self) -> String {
        let bytes = self.writer.into_inner();
        let bytes = bytes.expect("because memory takes everything");
        String::from_utf8(bytes).expect("because every cell is text")
    }
}

/// A cell that every spreadsheet takes as text: one that would begin a formula gets an apostrophe
/// before it. The letters that some take as those of ASCII count too.
fn text(cell: &str) -> Cow<'_, str> {
    const BEGINS: [char; 11] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    if cell.starts_with(BEGINS) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "[-=+@\t\r\n'\",; a]{0,6}",
            "[=+@-](cmd|HYPERLINK|1)[^a]{0,8}",
        ];
        piece.prop_map(|text| text.chars().take(40).collect())
    }

    proptest! {
        #[test]
        fn no_cell_begins_a_formula_and_each_comes_back(
            rows in prop::collection::vec(prop::collection::vec(cells(), 3), 0..5)
        ) {
            let mut table = Table::with_head(["a", "b", "c"]);
            for row in &rows {
                table.push(row.iter().map(String::as_str));
            }
            let text = table.finish();
            prop_assert!(text.starts_with("a,b,c\r\n"));
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let mut read = 0;
            for (record, row) in reader.records().zip(&rows) {
                let record = record.expect("it is CSV");
                prop_assert_eq!(record.len(), 3);
                for (cell, from) in record.iter().zip(row) {
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
                    prop_assert!(cell == from || cell.strip_prefix('\'') == Some(from));
                }
                read += 1;
            }
            prop_assert_eq!(read, rows.len());
        }
    }
}

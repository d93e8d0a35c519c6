//! Tables for people: columns by two spaces, without lines between them.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

/// Spaces after a column.
const GAP: u16 = 2;

/// A table under construction, from its heading. The columns at the positions in `numbers` are aligned to the right.
pub(crate) fn table<S: Into<String>>(heading: impl IntoIterator<Item = S>, numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(heading.into_iter().map(Into::into).collect::<Vec<String>>());
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP));
        if numbers.contains(&place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The lines of a table, without spaces at their ends.
pub(crate) fn lines(table: &Table) -> String {
    table.trim_fmt()
}

/// 1234567 as `1,234,567`.
pub(crate) fn grouped(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", indicatif::HumanCount(number.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown = [0, 7, 999, 1_000, 1_234_567, -1_000].map(grouped);
        assert_eq!(shown, ["0", "7", "999", "1,000", "1,234,567", "-1,000"]);
    }

    #[test]
    fn numbers_stand_at_the_right_and_no_line_ends_with_a_space() {
        let mut made = table(["NAME", "EVENTS", "STATE"], &[1]);
        made.add_row(["customers", "7", "up to date"]);
        made.add_row(["a", "1,000", ""]);
        assert_eq!(
            lines(&made),
            "NAME       EVENTS  STATE\ncustomers       7  up to date\na           1,000"
        );
    }
}

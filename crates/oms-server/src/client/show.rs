//! Tables for people.

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use serde_json::Value;

/// One line below the header; the terminal's own space does the rest.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with these columns; those that begin with `>` are aligned to the right.
pub fn table<'v>(columns: &[&str], rows: impl IntoIterator<Item = &'v Value>, cell: impl Fn(&'v Value, &str) -> String) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    let name = |column: &str| column.trim_start_matches('>').to_owned();
    table.set_header(columns.iter().map(|column| Cell::new(name(column).replace('_', " "))));
    for row in rows {
        table.add_row(columns.iter().map(|column| {
            let shown = Cell::new(cell(row, &name(column)));
            if column.starts_with('>') { shown.set_alignment(CellAlignment::Right) } else { shown }
        }));
    }
    table.to_string()
}

/// The field itself.
pub fn field(row: &Value, name: &str) -> String {
    row.get(name).map_or_else(String::new, text)
}

/// A value without quotes; nothing for null.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// What became of a typed command.
pub fn done(answer: &Value) -> String {
    format!("{}, sequence {}", field(answer, "status"), field(answer, "sequence"))
}

/// The items of a list.
pub fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A time to the millisecond, without the day's punctuation that fills a table.
pub fn time(text: &str) -> String {
    let short = text.get(..23).unwrap_or(text);
    short.replace('T', " ")
}

//! Files of limits and lists: CSV or JSON, the same fields in both, and every wrong line named.

use super::decode::Fields;
use super::read::{Object, Value};
use super::risk::{RESTRICTION, limit_key, restriction};
use super::write::Writer;
use crate::catalog::Catalog;
use crate::csv;
use oms_model::command::{Command, MAX_IMPORT, RiskCommand};
use oms_model::compliance::Restriction;
use oms_model::limit::RiskLimit;
use oms_model::{Code, Decimal, Refusal};
use std::borrow::Cow;

/// The fields of a limit in a file.
pub const LIMIT_ROW: &[&str] = &["limit_type", "scope", "period", "soft", "value"];
/// The fields of an import as a command.
pub const IMPORT: &[&str] = &["data", "replace_all", "if_revision"];
/// The fields of a file: an exported one can be taken as it is.
const FILE: &[&str] = &["data", "revision"];
/// The most wrong lines that a refusal names.
const MAX_NAMED: usize = 100;

/// What a file holds, and the line of each: of CSV the line of the text, of JSON the place in the list, both from 1.
pub struct File<T> {
    /// In the order of the file.
    pub items: Vec<T>,
    /// Where each stands.
    pub lines: Vec<usize>,
}

/// A request's body.
pub enum Body<'b> {
    /// Comma-separated values with a head line.
    Csv(&'b str),
    /// `{"data": [...]}`.
    Json(&'b Value<'b>),
}

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::new(Code::ValidationError, text)
}

/// These lines cannot be taken.
#[must_use]
pub fn wrong_lines(of: usize, wrong: &[(usize, String)]) -> Refusal {
    let refusal = invalid(format!("{} of {of} lines cannot be taken, so none was", wrong.len())).with("wrong_lines", wrong.len());
    wrong.iter().take(MAX_NAMED).fold(refusal, |refusal, (line, why)| refusal.with(&format!("line {line}"), why))
}

/// A limit of a file.
fn limit_row(value: &Value<'_>, catalog: &Catalog) -> Result<RiskLimit, Refusal> {
    let fields = Fields::of(value, "", LIMIT_ROW)?;
    let bound: Decimal = fields.required("value", fields.amount("value")?)?;
    Ok(RiskLimit::of(limit_key(&fields, catalog)?.normal(), bound, 0))
}

fn list_row(value: &Value<'_>, catalog: &Catalog) -> Result<Restriction, Refusal> {
    restriction(value, catalog)
}

/// The limits of a file.
///
/// # Errors
/// `VALIDATION_ERROR` naming every line that is not one.
pub fn limits(body: &Body<'_>, catalog: &Catalog) -> Result<File<RiskLimit>, Refusal> {
    file(body, LIMIT_ROW, |value| limit_row(value, catalog))
}

/// The entries of lists in a file.
///
/// # Errors
/// `VALIDATION_ERROR` naming every line that is not one.
pub fn restrictions(body: &Body<'_>, catalog: &Catalog) -> Result<File<Restriction>, Refusal> {
    file(body, RESTRICTION, |value| list_row(value, catalog))
}

fn file<T>(body: &Body<'_>, known: &[&str], row: impl Fn(&Value<'_>) -> Result<T, Refusal>) -> Result<File<T>, Refusal> {
    match body {
        Body::Csv(text) => {
            let rows = csv_rows(text, known)?;
            gather(rows.len(), rows.iter().map(|(line, value)| (*line, value)), row)
        }
        Body::Json(value) => {
            let fields = Fields::of(value, "", FILE)?;
            let items = fields.required("data", fields.array("data")?)?;
            gather(items.len(), (1..).zip(items), row)
        }
    }
}

fn gather<'v, 'a: 'v, T>(
    of: usize,
    rows: impl Iterator<Item = (usize, &'v Value<'a>)>,
    row: impl Fn(&Value<'_>) -> Result<T, Refusal>,
) -> Result<File<T>, Refusal> {
    if of > MAX_IMPORT {
        return Err(invalid(format!("a file has at most {MAX_IMPORT} lines, not {of}")));
    }
    let (mut file, mut wrong) = (File { items: Vec::with_capacity(of), lines: Vec::with_capacity(of) }, Vec::new());
    for (line, value) in rows {
        match row(value) {
            Ok(item) => {
                file.items.push(item);
                file.lines.push(line);
            }
            Err(refusal) => wrong.push((line, refusal.message)),
        }
    }
    if wrong.is_empty() { Ok(file) } else { Err(wrong_lines(of, &wrong)) }
}

/// Each record as the object that JSON would have. An empty field is an absent one.
fn csv_rows(text: &str, known: &[&str]) -> Result<Vec<(usize, Value<'static>)>, Refusal> {
    let records = csv::read(text).map_err(|error| invalid(format!("line {}: {}", error.line, error.text)).with("line", error.line))?;
    let Some((head, rows)) = records.split_first() else { return Err(invalid("the file has no head line")) };
    let names: Vec<String> = head.fields.iter().map(|name| name.trim().to_owned()).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(invalid(format!("the head line names {name:?}, which is no field")).with("known", known.join(",")));
    }
    if let Some((_, name)) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|other| other == *name)) {
        return Err(invalid(format!("the head line names {name} twice")));
    }
    let mut wrong = Vec::new();
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        if row.fields.len() != names.len() {
            wrong.push((row.line, format!("has {} fields and the head line {}", row.fields.len(), names.len())));
            continue;
        }
        let field = |(name, text): (&String, &String)| {
            let value = match (name.as_str(), text.trim()) {
                ("soft", "true") => Value::Bool(true),
                ("soft", "false") => Value::Bool(false),
                ("reason", _) => Value::String(Cow::Owned(text.clone())),
                (_, "") => Value::Null,
                (_, text) => Value::String(Cow::Owned(text.to_owned())),
            };
            (Cow::Owned(name.clone()), value)
        };
        let fields = names.iter().zip(&row.fields).map(field).collect();
        values.push((row.line, Value::Object(Object { raw: "", fields })));
    }
    if wrong.is_empty() { Ok(values) } else { Err(wrong_lines(rows.len(), &wrong)) }
}

fn import<T>(value: &Value<'_>, row: impl Fn(&Value<'_>) -> Result<T, Refusal>) -> Result<(Vec<T>, bool, Option<u64>), Refusal> {
    let fields = Fields::of(value, "", IMPORT)?;
    let items = fields.required("data", fields.array("data")?)?;
    let file = gather(items.len(), (1..).zip(items), row)?;
    Ok((file.items, fields.bool("replace_all")?.unwrap_or(false), fields.count("if_revision")?))
}

pub(super) fn limits_import(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let (limits, replace_all, if_revision) = import(value, |row| limit_row(row, catalog))?;
    Ok(Command::Risk(Box::new(RiskCommand::ImportLimits { limits, replace_all, if_revision })))
}

pub(super) fn restrictions_import(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let (entries, replace_all, if_revision) = import(value, |row| list_row(row, catalog))?;
    Ok(Command::Risk(Box::new(RiskCommand::ImportRestrictions { entries, replace_all, if_revision })))
}

/// A limit as a line of a file, within an object that is open.
pub fn limit_row_fields(w: &mut Writer, limit: &RiskLimit, catalog: &Catalog) {
    w.text("limit_type", limit.limit_type);
    w.string("scope", &catalog.scope_text(limit.scope));
    w.text_or_null("period", limit.period);
    w.bool("soft", limit.soft);
    w.text("value", limit.value);
}

/// Limits as a file.
#[must_use]
pub fn limits_csv(limits: &[RiskLimit], catalog: &Catalog) -> String {
    let mut out = String::with_capacity(64 * (limits.len() + 1));
    csv::write(&mut out, LIMIT_ROW.iter().copied());
    for limit in limits {
        let (scope, value) = (catalog.scope_text(limit.scope), limit.value.to_string());
        let period = limit.period.map_or("", oms_model::limit::Period::as_str);
        csv::write(&mut out, [limit.limit_type.as_str(), &scope, period, if limit.soft { "true" } else { "false" }, &value]);
    }
    out
}

/// Lists as a file.
#[must_use]
pub fn restrictions_csv(entries: &[Restriction], catalog: &Catalog) -> String {
    let mut out = String::with_capacity(64 * (entries.len() + 1));
    csv::write(&mut out, RESTRICTION.iter().copied());
    for entry in entries {
        let (scope, subject) = (catalog.scope_text(entry.scope), catalog.scope_text(entry.subject));
        csv::write(&mut out, [entry.list.as_str(), &scope, &subject, &entry.reason]);
    }
    out
}

#[cfg(test)]
mod tests;

//! Views: a window of the tenant's orders, filtered and sorted here.

use super::{Subscription, Topic, opening};
use crate::blotter::{Asked, MAX_COLLAPSED, MAX_HZ, MAX_WINDOW, Window};
use crate::call::Call;
use crate::json::Fields;
use crate::json::read::Value;
use oms_identity::Scope;
use oms_model::{Code, Refusal};
use oms_store::views::Filter;

/// Columns of a view at most.
const MAX_COLUMNS: usize = 64;

impl Subscription {
    /// Opens the view that the fields of a message ask for. Its first frame comes by itself.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`; `OVERLOADED` where there are too many views, or too many different ones.
    pub(in crate::ws) fn view(call: &Call, number: u32, fields: &Fields<'_, '_>) -> Result<super::Begun, Refusal> {
        call.principal.require(Scope::OrdersView)?;
        if let Some(topic) = fields.string("topic")? {
            return Err(fields.bad("topic", format_args!("{topic:?} goes not with a view, which has a table")));
        }
        let table = fields.required("table", fields.string("table")?)?;
        if table != "orders" {
            return Err(fields.bad("table", "must be orders"));
        }
        let columns: Vec<String> = fields.parsed_list("columns")?;
        if columns.is_empty() || columns.len() > MAX_COLUMNS {
            return Err(fields.bad("columns", format_args!("must name 1 to {MAX_COLUMNS} fields")));
        }
        let search: Vec<String> = fields.parsed_list("search")?;
        let (sort, group) = (fields.string("sort")?.unwrap_or_default(), fields.string("group_by")?);
        let max_hz = fields.count::<u32>("max_hz")?.unwrap_or(MAX_HZ);
        if !(1..=MAX_HZ).contains(&max_hz) {
            return Err(fields.bad("max_hz", format_args!("must be 1 to {MAX_HZ}")));
        }
        let window = window(fields)?;
        let asked = Asked::of((&filters(fields)?, &search), (sort, group), &columns, window, max_hz)?;
        let viewer = call.api.blotter().open(number, asked)?;
        let begun = Self { number, filter: super::Filter::default(), topic: Topic::View(viewer), pace: None, follower: None };
        Ok((begun, opening(number, "view", None), Vec::new()))
    }

    /// Shows another part of a view.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, also where this is no view.
    pub(in crate::ws) fn turn_to(&self, fields: &Fields<'_, '_>) -> Result<(), Refusal> {
        match &self.topic {
            Topic::View(viewer) => window(fields).map(|window| viewer.turn_to(window)),
            _ => Err(fields.bad("subscription", "is no view")),
        }
    }
}

/// The filters, as lists take them: each of the `filter`'s fields is a field of orders, with an operator where it has one.
fn filters(fields: &Fields<'_, '_>) -> Result<Vec<Filter>, Refusal> {
    let Some(value) = fields.get("filter") else { return Ok(Vec::new()) };
    let Value::Object(object) = value else {
        return Err(fields.bad("filter", format_args!("must be an object, not {}", value.kind())));
    };
    let filter = |(key, value): &(std::borrow::Cow<'_, str>, Value<'_>)| match value {
        Value::String(text) => {
            let filter = Filter::from_pair(key, text);
            filter.map_err(|error| Refusal::new(Code::ValidationError, error.to_string()).with("field", format_args!("filter.{key}")))
        }
        other => Err(fields.bad("filter", format_args!("{key} must be a string, not {}", other.kind()))),
    };
    object.fields.iter().map(filter).collect()
}

fn window(fields: &Fields<'_, '_>) -> Result<Window, Refusal> {
    let offset = fields.count::<u32>("offset")?.unwrap_or_default() as usize;
    let size = fields.required("size", fields.count::<u32>("size")?)? as usize;
    if size > MAX_WINDOW {
        return Err(fields.bad("size", format_args!("must be 0 to {MAX_WINDOW}")));
    }
    let collapse: Vec<String> = fields.parsed_list("collapse")?;
    if collapse.len() > MAX_COLLAPSED {
        return Err(fields.bad("collapse", format_args!("has more than {MAX_COLLAPSED} groups")));
    }
    Ok(Window { offset, size, collapse: collapse.into_iter().collect() })
}
